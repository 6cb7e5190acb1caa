"""What `precision` means for the stem and for the decoder."""

from __future__ import annotations

from pathlib import Path

import pytest

import sakedge
from sakedge.backends import registry
from sakedge.checks.verify import TOLERANCES, verify
from sakedge.decoder import arithmetics
from sakedge.errors import BackendError, OptionError, UnknownBackendError
from sakedge.runtime.precision import choose_precision, choose_stem, native

EVERYTHING = ("fp32", "bf16", "int8")


@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16", "int8"])
def test_what_is_asked_for_is_done_whatever_is_native_or_recorded(precision: str) -> None:
    decided = choose_precision(precision, ("fp32",), recorded=())
    assert (decided.precision, decided.reason) == (precision, "asked for")


@pytest.mark.parametrize(
    ("native", "recorded", "chosen"),
    [
        (EVERYTHING, (), "fp32"),
        (EVERYTHING, ("int8",), "int8"),
        (EVERYTHING, ("bf16", "int8"), "int8"),
        (EVERYTHING, ("bf16",), "bf16"),
        (("fp32", "bf16"), ("int8",), "fp32"),
        (("fp32", "bf16"), ("bf16", "int8"), "bf16"),
        (("fp32",), ("bf16", "int8"), "fp32"),
    ],
)
def test_auto_is_the_fastest_that_is_both_native_and_recorded(
    native: tuple[str, ...], recorded: tuple[str, ...], chosen: str
) -> None:
    assert choose_precision("auto", native, recorded).precision == chosen


def test_auto_says_what_the_hardware_could_do_and_how_to_ask_for_it() -> None:
    reason = choose_precision("auto", EVERYTHING, ()).reason
    assert reason == (
        "auto: the file records no quality at bf16 or int8, which this CPU runs natively; "
        "precision='bf16' or 'int8' takes it"
    )
    assert "no lower precision" in choose_precision("auto", ("fp32",), ()).reason


def test_an_unknown_precision_lists_those_that_there_are() -> None:
    with pytest.raises(OptionError, match="auto, fp32, bf16, fp16, int8"):
        choose_precision("int4", EVERYTHING, ())


def test_the_decoder_computes_in_fp32_behind_an_fp16_stem() -> None:
    decided = choose_precision("fp16", EVERYTHING, ())
    assert (decided.stems, decided.decoder) == (("fp16",), "fp32")


def test_the_stem_of_int8_is_the_best_that_the_backend_has() -> None:
    stems = choose_precision("int8", EVERYTHING, ()).stems
    assert choose_stem(stems, "onnxruntime", None)[2] == "fp32"
    best = "bf16" if registry.probe("openvino", "CPU", "bf16").ok else "fp32"
    assert choose_stem(stems, "openvino", "CPU")[2] == best


def test_a_stem_that_no_precision_fits_is_refused() -> None:
    stems = choose_precision("int8", EVERYTHING, ()).stems
    with pytest.raises(BackendError, match="NPU"):
        choose_stem(stems, "onnxruntime", "NPU")
    with pytest.raises(UnknownBackendError):
        choose_stem(stems, "tensorrt", None)


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
