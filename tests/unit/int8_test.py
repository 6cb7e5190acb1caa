"""An int8 student in the backends: which stem runs, why, and as what."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import sakedge
from sakedge.backends import registry
from sakedge.checks.choose import candidates_for
from sakedge.checks.verify import verify
from sakedge.errors import OptionError
from sakedge.format import StudentFile
from sakedge.runtime import evidence
from sakedge.runtime.choice import Choice, Setting
from sakedge.runtime.evidence import EVIDENCE, Candidate, rank
from sakedge.runtime.models import CHOOSABLE
from sakedge.runtime.precision import STEMS

OURS = tuple(registry.BACKENDS)


Logits = dict[str, NDArray[np.float32]]


def logits(student: sakedge.Student) -> Logits:
    image = np.random.default_rng(0).integers(0, 256, (*student.input_size, 3), dtype=np.uint8)
    found = student(image, logits=True)
    return {task: found[task].logits for task in student.tasks}  # type: ignore[misc]


def largest_error(ours: Logits, theirs: Logits) -> float:
    return max(float(np.abs(ours[t] - theirs[t]).max() / np.ptp(theirs[t])) for t in theirs)


@pytest.mark.parametrize("name", OURS)
def test_the_stem_of_a_named_backend_is_the_one_that_is_no_slower(
    name: str, int8_student: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On AVX2 ONNX Runtime gains by int8 and OpenVINO loses; with VNNI both gain."""
    on_avx2 = {"onnxruntime": "int8", "openvino": "fp32"}[name]
    for cpu, stem in (("avx2", on_avx2), ("avx_vnni", "int8")):
        monkeypatch.setattr(evidence, "cpu_class", lambda cpu=cpu: cpu)
        with sakedge.load(int8_student, precision="int8", backend=name, threads=1) as student:
            told = student.explain()
        assert (told.stem_precision, told.decoder_precision) == (stem, "int8")
        assert f"on {cpu} CPUs" in told.stem_reason
        assert ("from the file's int8 weights" in told.stem_reason) == (stem == "fp32")
        assert told.stem_reason in str(told)


def test_auto_takes_the_first_pair_of_backend_and_stem(
    int8_student: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evidence, "cpu_class", lambda: "avx2")
    with sakedge.load(int8_student, precision="int8", threads=1) as student:
        told = student.explain()
    assert ("host", told.backend, told.stem_precision) == EVIDENCE["avx2", "int8"].order[0]
    assert told.backend_reason == f"auto: on avx2 CPUs {EVIDENCE['avx2', 'int8'].found}"


@pytest.mark.parametrize("model", ["host", "graph"])
@pytest.mark.parametrize("name", OURS)
def test_a_stem_in_floats_computes_from_the_same_weights(
    name: str, model: str, int8_student: Path
) -> None:
    """Without rounded inputs: not what the file says, but as near as those are fine."""
    found = {}
    for stem in ("int8", "fp32"):
        config = {"stem": stem, "model": model}
        with sakedge.load(
            int8_student, precision="int8", backend=name, threads=1, config=config
        ) as student:
            told = student.explain()
            found[stem] = logits(student)
        assert (told.stem_precision, told.session["precision"]) == (stem, "fp32")
        assert told.stem_reason.endswith("asked for")
    assert 1e-4 < largest_error(found["int8"], found["fp32"]) < 5e-2


def test_in_fp32_nothing_is_rounded_and_all_runtimes_and_models_agree(int8_student: Path) -> None:
    found = []
    for name in OURS:
        for model in ("host", "graph"):
            with sakedge.load(
                int8_student, precision="fp32", backend=name, threads=1, config={"model": model}
            ) as student:
                assert student.explain().stem_precision == "fp32"
                found.append(logits(student))
    for each in found[1:]:
        assert largest_error(each, found[0]) < 1e-4


def test_a_stem_that_the_precision_has_not_is_refused(int8_student: Path) -> None:
    with pytest.raises(OptionError, match=r"config\['stem'\] at fp32"):
        sakedge.load(int8_student, precision="fp32", config={"stem": "int8"})
    with pytest.raises(OptionError, match=r"config\['stem'\]"):
        sakedge.load(int8_student, config={"stem": "int4"})


@pytest.mark.parametrize("precision", ["int8", "fp32"])
def test_verify_compares_int8_with_the_file_and_fp32_with_its_weights_in_floats(
    precision: str, int8_student: Path
) -> None:
    found = verify(int8_student, precision=precision, threads=1)
    assert found.agrees
    assert {each.backend for each in found.comparisons} == {*OURS}
    assert found.reference == ("the file" if precision == "int8" else "its weights in floats")
    largest = max(each.error for each in found.comparisons)
    # Nearer than the bound, which is for outliers that random weights have not.
    assert 1e-3 < largest < 2e-2 if precision == "int8" else largest < 1e-5


def test_choose_measures_every_stem_in_every_backend() -> None:
    stems = STEMS["int8"]
    found = candidates_for(None, stems)
    every = [Candidate(model, name, s) for model in CHOOSABLE for name in OURS for s in stems]
    assert sorted(found) == sorted(c for c in every if registry.probe(c.backend, None, c.stem).ok)
    assert found[0] == rank("auto", None, "int8", OURS).order[0]


@pytest.mark.parametrize(("backend", "stem"), [("onnxruntime", "fp32"), ("openvino", "int8")])
def test_a_choice_that_is_pinned_pins_the_stem(
    backend: str, stem: str, int8_student: Path, tmp_path: Path
) -> None:
    """Neither is what evidence would take on AVX2."""
    with StudentFile.open(int8_student) as file:
        setting = Setting.here(file.content_digest, None, "int8", 1)
    choice = Choice(
        model="host",
        backend=backend,
        stem=stem,
        setting=setting,
        versions={},
        date="2026-11-26",
        measured=(),
    )
    path = tmp_path / "choice.json"
    path.write_text(json.dumps(choice.to_dict()))
    options: dict[str, Any] = {"threads": 1, "config": {"choice": path}}
    with sakedge.load(int8_student, precision="int8", **options) as student:
        told = student.explain()
    assert (told.backend, told.stem_precision) == (backend, stem)
    assert f"pinned by {path}" in told.stem_reason
    with sakedge.load(int8_student, precision="fp32", **options) as student:
        assert (student.explain().backend, student.explain().stem_precision) == (backend, "fp32")
