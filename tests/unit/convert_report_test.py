"""What a conversion reports, and the memory that it takes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tools.checkpoint import make_checkpoint

from sakedge.convert import convert


@pytest.mark.slow
def test_the_counts_are_the_papers(tmp_path: Path) -> None:
    """ViT-B, PASCAL, three teachers, five tasks at 512 x 512 (docs/model.md, section 6)."""
    checkpoint, config = make_checkpoint(
        tmp_path, vit="vit_base", dataset="pascalcontext", teachers=("dinov2", "clip", "sam")
    )
    report = convert(checkpoint, config, tmp_path / "student.onnx")
    millions = {part: round(count / 1e6, 2) for part, count in report.parameters.items()}
    assert millions == {
        "stem": 86.43,
        "adapters": 11.54,
        "norms": 0.02,
        "routers": 5.98,
        "heads": 29.53,
    }
    assert round(report.total / 1e6, 1) == 133.5
    assert report.entries == 572
    assert report.notes == ("the routers' noise rows removed: used in training only",)
    assert report.bytes == (tmp_path / "student.onnx").stat().st_size


def test_progress_runs_from_the_first_step_to_the_last(
    tiny_checkpoint: tuple[Path, Path], tmp_path: Path
) -> None:
    steps: dict[str, list[float]] = {}
    convert(
        *tiny_checkpoint,
        tmp_path / "student.onnx",
        progress=lambda what, share: steps.setdefault(what, []).append(share),
    )
    assert list(steps) == ["reading", "writing"]
    for shares in steps.values():
        assert shares[-1] == 1 and shares == sorted(shares) and shares[0] > 0


def test_aligners_are_no_part_of_the_count(tmp_path: Path) -> None:
    plain = make_checkpoint(tmp_path / "plain", width=48, blocks=4, attention_heads=3)
    aligned = make_checkpoint(
        tmp_path / "aligned", width=48, blocks=4, attention_heads=3, aligners=True
    )
    first, second = (convert(*pair, tmp_path / "s.onnx") for pair in (plain, aligned))
    assert first.entries == second.entries and first.parameters == second.parameters
    assert "16 aligner entries dropped: used in distillation only" in second.notes


_MEASURE = """
import pathlib, sys, torch, onnx, pydantic, yaml
import sakedge.convert
def peak():
    status = pathlib.Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024
pathlib.Path("/proc/self/clear_refs").write_text("5")  # the peak starts again
before = peak()
sakedge.convert.convert(*sys.argv[1:])
print(peak() - before)
"""


@pytest.mark.slow
def test_vit_large_converts_within_one_and_a_half_times_its_weights(tmp_path: Path) -> None:
    checkpoint, config = make_checkpoint(
        tmp_path, vit="vit_large", dataset="pascalcontext", input_size=(64, 64), teachers=("a", "b")
    )
    out = tmp_path / "student.onnx"
    arguments = [str(path) for path in (checkpoint, config, out)]
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE, *arguments], check=True, capture_output=True, text=True
    )
    taken = int(done.stdout)
    # The mapped checkpoint counts in full, though the system may drop its pages at any time.
    assert taken < 1.5 * out.stat().st_size, taken / out.stat().st_size
