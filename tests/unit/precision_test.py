"""What `precision` means for the stem and for the decoder."""

from __future__ import annotations

from pathlib import Path

import pytest

import sakedge
from sakedge.backends import registry
from sakedge.checks.tolerances import TOLERANCES
from sakedge.checks.verify import verify
from sakedge.decoder import arithmetics
from sakedge.errors import BackendError, OptionError, UnknownBackendError
from sakedge.runtime import evidence
from sakedge.runtime import precision as precision_module
from sakedge.runtime.evidence import Evidence, cpu_class
from sakedge.runtime.precision import choose_precision, gainful, native

BOTH = ("int8", "bf16")


@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16", "int8"])
def test_what_is_asked_for_is_done_whatever_is_gained_or_recorded(precision: str) -> None:
    decided = choose_precision(precision, (), recorded=())
    assert (decided.precision, decided.reason) == (precision, "asked for")


@pytest.mark.parametrize(
    ("gainful", "recorded", "chosen"),
    [
        (BOTH, (), "fp32"),
        (BOTH, ("int8",), "int8"),
        (BOTH, ("bf16", "int8"), "int8"),
        (BOTH, ("bf16",), "bf16"),
        (("bf16",), ("int8",), "fp32"),
        (("bf16",), ("bf16", "int8"), "bf16"),
        ((), ("bf16", "int8"), "fp32"),
    ],
)
def test_auto_is_the_fastest_that_is_both_gainful_and_recorded(
    gainful: tuple[str, ...], recorded: tuple[str, ...], chosen: str
) -> None:
    assert choose_precision("auto", gainful, recorded).precision == chosen


def test_auto_says_what_the_hardware_could_do_and_how_to_ask_for_it() -> None:
    reason = choose_precision("auto", BOTH, ()).reason
    assert reason == (
        "auto: the file records no quality at bf16 or int8, by which this CPU gains; "
        "precision='bf16' or 'int8' takes it"
    )
    assert "no lower precision" in choose_precision("auto", (), ()).reason


def test_a_cpu_gains_by_what_it_has_instructions_for_and_by_what_was_measured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lower = {each for each in native() if each != "fp32"}
    assert lower <= {*gainful()} <= {"int8", "bf16"}
    monkeypatch.setattr(evidence, "EVIDENCE", {(cpu_class(), "int8"): Evidence((), "")})
    assert {*gainful()} == lower | {"int8"}
    monkeypatch.setattr(precision_module, "isa", lambda: "forced")
    assert {*gainful()} == lower


def test_an_unknown_precision_lists_those_that_there_are() -> None:
    with pytest.raises(OptionError, match="auto, fp32, bf16, fp16, int8"):
        choose_precision("int4", BOTH, ())


def test_the_decoder_computes_in_fp32_behind_an_fp16_stem() -> None:
    decided = choose_precision("fp16", BOTH, ())
    assert (decided.stems(quantised=True), decided.decoder) == (("fp16",), "fp32")


def test_only_a_quantised_stem_may_be_in_int8() -> None:
    decided = choose_precision("int8", BOTH, ())
    assert decided.stems(quantised=True) == ("int8", "bf16", "fp32")
    assert decided.stems(quantised=False) == ("bf16", "fp32")


def test_at_int8_a_stem_in_floats_is_the_best_that_the_backend_has(tiny_student: Path) -> None:
    with sakedge.load(tiny_student, precision="int8", backend="onnxruntime") as student:
        told = student.explain()
    assert told.stem_precision == "fp32"
    assert "fp32 (the file's stem is in floats)" in str(told)
    best = "bf16" if registry.probe("openvino", "CPU", "bf16").ok else "fp32"
    with sakedge.load(tiny_student, precision="int8", backend="openvino") as student:
        assert student.explain().stem_precision == best


def test_a_stem_that_no_precision_fits_is_refused(tiny_student: Path) -> None:
    with pytest.raises(BackendError, match="NPU"):
        sakedge.load(tiny_student, precision="int8", backend="onnxruntime", device="NPU")
    with pytest.raises(UnknownBackendError):
        sakedge.load(tiny_student, precision="int8", backend="tensorrt")
    with pytest.raises(OptionError, match=r"stem.* bf16, fp32; got 'int8'"):
        sakedge.load(tiny_student, precision="int8", config={"stem": "int8"})


@pytest.mark.parametrize("precision", ["fp32", "bf16", "int8"])
def test_explain_tells_stem_and_decoder_apart(tiny_student: Path, precision: str) -> None:
    if precision == "bf16" and not registry.probe("openvino", "CPU", "bf16").ok:
        pytest.skip("no backend has bf16 on this CPU")
    with sakedge.load(tiny_student, precision=precision, threads=1) as student:
        told = student.explain()
    assert (told.precision, told.precision_reason) == (precision, "asked for")
    assert told.stem_precision == told.session["precision"]
    assert told.decoder_precision == precision
    assert told.isa == arithmetics()[precision].isa == told.to_dict()["isa"]
    assert told.native == native()
    assert f"{precision} on {told.isa}" in str(told)
    assert ("emulate" in str(told)) == (precision not in native())


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_verify_holds_each_precision_to_its_own_tolerance(
    tiny_student: Path, precision: str
) -> None:
    found = verify(tiny_student, backend="onnxruntime", precision=precision)
    assert found.agrees
    assert (found.precision, found.tolerance) == (precision, TOLERANCES[precision])
    assert all(0 < c.rms_error < c.error for c in found.comparisons)
    if precision == "int8":
        assert not verify(tiny_student, precision=precision, tolerance=1e-4).agrees
