"""What `auto` takes first: the table of evidence, and the rule where there is none."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import sakedge
from sakedge.backends import registry
from sakedge.decoder import isas
from sakedge.runtime import evidence
from sakedge.runtime.evidence import EVIDENCE, Candidate, cpu_class, rank
from sakedge.runtime.models import MODELS
from sakedge.runtime.precision import STEMS

OURS = tuple(registry.BACKENDS)


def test_the_table_holds_only_what_there_is() -> None:
    known = {name for name, _, _ in isas()} | {"neon", "neon_dot", "neon_i8mm", "neon_bf16"}
    for (cpu, precision), row in EVIDENCE.items():
        assert cpu in known
        assert precision in ("fp32", "bf16", "int8")
        assert {each.model for each in row.order} <= {*MODELS}
        assert {each.backend for each in row.order} <= {*OURS}
        stems = STEMS["int8"] if precision == "int8" else (precision,)
        assert {each.stem for each in row.order} <= {*stems}
        assert "20" in row.found  # the day on which it was measured


def test_the_class_of_a_cpu_is_the_best_instruction_set_that_it_runs_whichever_is_forced() -> None:
    able = [name for name, runs, _ in isas() if runs]
    assert cpu_class() == able[0]
    code = "from sakedge.runtime.evidence import cpu_class; print(cpu_class())"
    environment = {**os.environ, "SAKEDGE_ISA": able[-1]}
    printed = subprocess.run([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE)
    assert printed.stdout.decode().strip() == able[0]


@pytest.mark.parametrize(("cpu", "precision"), EVIDENCE)
def test_on_a_class_with_evidence_the_order_is_its_own_and_nobody_is_left_out(
    cpu: str, precision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evidence, "cpu_class", lambda: cpu)
    row = EVIDENCE[cpu, precision]
    for device in (None, "CPU", "cpu", "CPU.0"):
        found = rank("auto", device, precision, OURS)
        assert found.order[: len(row.order)] == row.order
        stems = STEMS["int8"] if precision == "int8" else (precision,)
        every = [Candidate("host", name, stem) for name in OURS for stem in stems]
        assert sorted(found.order) == sorted(every)
        assert cpu in found.reason
        assert row.found in found.reason


def test_a_class_without_evidence_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence, "cpu_class", lambda: "abacus")
    found = rank("auto", None, "fp32", OURS)
    assert found.order == tuple(Candidate("host", name, "fp32") for name in OURS)
    assert found.reason.startswith("no evidence for fp32 on abacus CPUs: in the order openvino, ")


def test_only_the_backends_that_are_given_are_ranked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence, "cpu_class", lambda: "avx512_bf16")
    found = rank("auto", None, "fp32", ["onnxruntime"])
    assert found.order == (Candidate("host", "onnxruntime", "fp32"),)


@pytest.mark.parametrize(
    ("cpu", "stems"),
    [("avx_vnni", ["int8", "bf16", "fp32"]), ("avx512", ["bf16", "fp32", "int8"])],
)
def test_without_evidence_a_quantised_stem_is_in_int8_where_there_are_instructions_for_it(
    cpu: str, stems: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evidence, "cpu_class", lambda: cpu)
    order = rank("auto", None, "int8", OURS).order
    assert [each.stem for each in order[:: len(OURS)]] == stems
    assert sorted(order) == sorted(Candidate("host", b, stem) for b in OURS for stem in stems)


def test_a_model_that_is_named_borrows_no_evidence_of_another() -> None:
    found = rank("graph", None, "fp32", OURS)
    assert found.order == tuple(Candidate("graph", name, "fp32") for name in OURS)
    assert "no evidence for the graph model" in found.reason


@pytest.mark.parametrize("device", ["GPU", "gpu.1", "NPU", "AUTO", "CUDA"])
def test_elsewhere_the_whole_graph_runs_on_the_device(
    device: str,
) -> None:
    found = rank("auto", device, "fp16", (*OURS, "plant"))
    graphs = tuple(Candidate("graph", name, "fp16") for name in OURS)
    assert found.order == (*graphs, Candidate("host", "plant", "fp16"))
    assert f"no evidence for {device}" in found.reason
    hosts = tuple(Candidate("host", name, "fp16") for name in (*OURS, "plant"))
    assert rank("host", device, "fp16", (*OURS, "plant")).order == hosts


def test_a_student_takes_what_comes_first_and_says_why(tiny_student: Path) -> None:
    found = rank("auto", None, "fp32", OURS)
    with sakedge.load(tiny_student, threads=1) as student:
        told = student.explain()
    assert (told.model, told.backend, told.stem_precision) == found.order[0]
    assert told.backend_reason == f"auto: {found.reason}"
    assert told.model_reason == "auto: on a CPU our decoder is the fastest after the stem"
    assert told.choice_ignored == ""
    assert not {*told.refused} & {*OURS}
    assert told.backend_reason in str(told)
    assert told.model_reason in str(told)


def test_a_device_beyond_the_cpu_runs_the_whole_graph_unless_host_is_named(
    tiny_student: Path,
) -> None:
    """OpenVINO's AUTO is there on every machine; it takes the CPU where there is no other."""
    with sakedge.load(tiny_student, device="AUTO", threads=1) as student:
        told = student.explain()
    assert (told.model, told.backend) == ("graph", "openvino")
    assert told.model_reason == "auto: everything runs on AUTO and nothing waits for our decoder"
    for config in ({"model": "host"}, {"min_weight": 0.1}):
        with sakedge.load(tiny_student, device="AUTO", threads=1, config=config) as student:
            told = student.explain()
        assert (told.model, told.backend) == ("host", "openvino")
        reason = "asked for" if "model" in config else "auto: no other model has min_weight"
        assert told.model_reason == reason


def test_what_is_named_is_told_as_asked_for(tiny_student: Path) -> None:
    options = {"backend": "onnxruntime", "config": {"model": "graph"}}
    with sakedge.load(tiny_student, threads=1, **options) as student:  # type: ignore[arg-type]
        told = student.explain()
    assert (told.model, told.model_reason) == ("graph", "asked for")
    assert (told.backend, told.backend_reason) == ("onnxruntime", "asked for")


def test_a_result_names_model_and_backend(tiny_student: Path) -> None:
    with sakedge.load(tiny_student, backend="onnxruntime", threads=1) as student:
        result = student(np.zeros((*student.input_size, 3), np.uint8))
    assert (result.model, result.backend) == ("host", "onnxruntime")
    assert result.to_dict()["model"] == "host"
    assert result.to_dict()["backend"] == "onnxruntime"
