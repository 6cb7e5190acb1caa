"""The check that runs where there is a GPU: what of it can be held to here."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest
import torch
from tools.gpu_check import plan, torch_peers
from tools.gpu_check.command import main
from tools.gpu_check.counts import stages
from tools.gpu_check.devices import DEVICES
from tools.gpu_check.findings import Finding, Findings, read
from tools.gpu_check.geometry import VIT_BASE
from tools.gpu_check.kernel_times import by_stage, kernels_table
from tools.gpu_check.report import markdown
from tools.gpu_check.step import Step, run_apart
from tools.gpu_check.steps import tensorrt, tune

from sakedge.format import StudentFile


def given(output: Path, **more: object) -> argparse.Namespace:
    return argparse.Namespace(
        **{
            "output": output,
            "rehearse": True,
            "student": None,
            "trtexec": None,
            "exhaustive": False,
            **more,
        }
    )


def test_a_step_that_breaks_off_leaves_what_it_found_and_says_why(tmp_path: Path) -> None:
    missing = given(tmp_path, student=tmp_path / "missing.onnx")
    found, _, _ = run_apart(Step("student", 60), missing, 60)
    assert [each.outcome for each in found] == ["failed"]
    assert "missing.onnx" in found[0].detail

    late, _, seconds = run_apart(Step("environment", 60), given(tmp_path), 0.01)
    assert late == [Finding("environment", "failed", "not finished within its 0 s")]
    assert seconds < 10


def test_a_step_that_cannot_run_says_so_and_the_check_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "")
    missing = str(tmp_path / "missing.onnx")
    steps = ["--only", "tensorrt", "student", "sanitizer"]
    status = main(["--rehearse", "--output", str(tmp_path), "--student", missing, *steps])
    assert status == 1
    report = json.loads((tmp_path / "gpu_check.json").read_text())
    outcomes = {
        name: [each["outcome"] for each in step["findings"]]
        for name, step in report["steps"].items()
    }
    assert outcomes == {"student": ["failed"], "sanitizer": ["skipped"], "tensorrt": ["skipped"]}
    assert "trtexec is not on the PATH" in (tmp_path / "gpu_check.md").read_text()
    assert "missing.onnx" in capfd.readouterr().out


def test_steps_end_when_the_time_is_used_up(tmp_path: Path) -> None:
    status = main(["--rehearse", "--output", str(tmp_path), "--only", "tune", "--budget", "0.1"])
    assert status == 1
    report = json.loads((tmp_path / "gpu_check.json").read_text())
    assert "were used up" in report["steps"]["tune"]["findings"][0]["detail"]


def test_what_does_not_hold_fails_the_check(tmp_path: Path) -> None:
    findings = Findings(tmp_path / "one.json")
    findings.judged("this", True)
    findings.judged("that", False, "1 is not 2")
    findings.measured("speed", "3 ms", ms=3)
    found, values = read(tmp_path / "one.json")
    assert [each.outcome for each in found] == ["passed", "failed", "measured"]
    assert values == {"ms": 3}
    shown = markdown(
        {
            "commit": "abc", "machine": "m", "rehearsal": False, "seconds": 1,
            "steps": {"one": {
                "findings": [vars(each) for each in found], "seconds": 1,
                "values": {"tables": {"times": "| a |"}},
            }},
        }
    )  # fmt: skip
    assert "| one | 1 | 1 |  | 1 |" in shown
    assert "- one, that: 1 is not 2" in shown and "## one: times\n\n| a |" in shown


def test_every_step_has_a_module_and_the_check_fits_its_time() -> None:
    folder = Path(plan.__file__).parent / "steps"
    assert {step.name for step in plan.STEPS} == {
        path.stem for path in folder.glob("*.py") if path.stem != "__init__"
    }
    assert all(step.seconds < 480 for step in plan.STEPS)


def test_the_commuted_peer_is_the_head_that_the_file_states(tiny_student: Path) -> None:
    """Borders too. In float64, where both differ by rounding alone: some 1e-13 of the range."""
    plain, commuted = (torch_peers.peer(tiny_student, form).double() for form in torch_peers.FORMS)
    with StudentFile.open(tiny_student) as file:
        size = file.manifest.input_size
    torch.manual_seed(0)
    planes = torch.randn(2, 3, *size, dtype=torch.float64)
    with torch.inference_mode():
        assert torch_peers.largest_error(commuted(planes), plain(planes)) < 1e-6


def test_the_interpolation_sums_three_taps_with_nothing_outside() -> None:
    one, two = torch_peers.interpolation(3, 4), torch.randn(3, 3)
    up = torch.nn.functional.interpolate(two[None], scale_factor=4, mode="linear")[0]
    padded = torch.nn.functional.pad(up, (1, 1))
    expected = sum(padded[tap, tap : tap + 12] for tap in range(3))
    assert torch.allclose(one @ two.flatten(), expected, atol=1e-6)


def steps_of_a_call() -> list[tuple[str, float]]:
    """In the order of csrc/cuda/student/pipeline.cpp, each of 0.1 ms."""
    names = ["patches_f16", "gemm_f16_64x64"]
    for depth in range(1 + VIT_BASE.blocks):
        names.append("adapter_path_f16_64x192")
        if depth in (3, 6, 9, 12):
            names += ["router_f16_384", "weigh", "mix_f16_192"]
        if depth < VIT_BASE.blocks:
            names += ["layer_norm_f16", "gemm_f16_128x128", "attention_f16_2", "gemm_f16_64x64"]
            names += ["layer_norm_f16", "gemm_f16_128x128", "gemm_f16_64x64"]
    return [(name, 0.1) for name in [*names, "gemm_f16_128x256", "head_expand_f16_24", "decode"]]


def test_measured_steps_are_those_that_were_counted() -> None:
    found = by_stage(steps_of_a_call(), VIT_BASE.blocks)
    assert {name: launches for name, (launches, _) in found.items()} == {
        stage.name: stage.launches for stage in stages(VIT_BASE)
    }
    table, shares = kernels_table(steps_of_a_call(), VIT_BASE, DEVICES[0])
    assert "expected" not in table
    assert shares["gemm qkv"] == pytest.approx(0.0442 / 1.2, rel=0.01)  # of twelve launches
    missing, _ = kernels_table(steps_of_a_call()[1:-1], VIT_BASE, DEVICES[0])
    assert "decode" not in missing
    fewer, _ = kernels_table([*steps_of_a_call(), ("mix_f16_192", 0.1)], VIT_BASE, DEVICES[0])
    assert "| mix | 5 (4 expected) |" in fewer


def test_a_step_of_no_stage_is_refused() -> None:
    with pytest.raises(ValueError, match="no stage has the kernel 'blend'"):
        by_stage([("blend", 1.0)], 12)


def test_the_table_of_tiles_keeps_what_was_not_measured(tmp_path: Path) -> None:
    tables = [tmp_path / "tuning.json", tmp_path / "installed.json"]
    tune.write(
        "sm_87", {"gemm_f16 1025x2304x768": "64x64", "gemm_f16 1025x768x768": "32x64"}, tables
    )
    tune.write("sm_90", {"gemm_f16 1025x2304x768": "128x128"}, tables)
    tune.write("sm_87", {"gemm_f16 1025x2304x768": "128x64"}, tables)
    assert tables[0].read_bytes() == tables[1].read_bytes()
    assert json.loads(tables[0].read_text()) == {
        "format": 1,
        "tiles": {
            "sm_87": {"gemm_f16 1025x2304x768": "128x64", "gemm_f16 1025x768x768": "32x64"},
            "sm_90": {"gemm_f16 1025x2304x768": "128x128"},
        },
    }


def test_the_median_of_tensorrt_is_that_of_the_device() -> None:
    printed = (
        "[I] Latency: min = 3.1 ms, max = 4.0 ms, mean = 3.3 ms, median = 3.25 ms\n"
        "[I] GPU Compute Time: min = 2.1 ms, max = 3.0 ms, mean = 2.3 ms, median = 2.24609 ms, …\n"
    )
    assert tensorrt.median_ms(printed) == 2.24609
    assert tensorrt.median_ms("[E] Engine could not be created") is None
