"""What `auto` tries first, by class of CPU, and what was measured there.

`load` never measures: two identical boxes would compute different bits. It follows this table,
whose figures `tools/measure_backends.py --stems` prints; `sakedge benchmark --choose` measures one
student on one machine and overrides it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sakedge.backends import registry
from sakedge.decoder import isas


class Candidate(NamedTuple):
    """A model in a backend, and the precision of its stem there."""

    model: str
    backend: str
    stem: str


@dataclass(frozen=True)
class Evidence:
    """What was measured on one class of CPUs at one precision.

    Attributes:
        order: The candidates, the fastest first. On a CPU those of the host model: it is as fast as
            any runtime on the exported graph and takes less memory (docs/performance.md).
        found: The figures, the CPU and the date.
    """

    order: tuple[Candidate, ...]
    found: str


def _host(*pairs: tuple[str, str]) -> tuple[Candidate, ...]:
    """The host model with each stem, as backend and precision."""
    return tuple(Candidate("host", backend, stem) for backend, stem in pairs)


EVIDENCE: Mapping[tuple[str, str], Evidence] = {
    ("avx2", "fp32"): Evidence(
        _host(("onnxruntime", "fp32"), ("openvino", "fp32")),
        "onnxruntime's stem takes 0.94 to 0.98 of openvino's time from ViT-Tiny to ViT-B "
        "(two Zen 3 cores, 2026-11-25)",
    ),
    ("avx512_bf16", "fp32"): Evidence(
        _host(("openvino", "fp32"), ("onnxruntime", "fp32")),
        "onnxruntime's stem takes 1.01 to 1.20 times openvino's time from ViT-Tiny to ViT-B "
        "(two Zen 4 cores, 2026-11-24)",
    ),
    ("avx512_bf16", "bf16"): Evidence(
        _host(("openvino", "bf16")),
        "only openvino has bf16: 0.55 times its time at fp32 for ViT-B "
        "(two Zen 4 cores, 2026-11-24)",
    ),
    ("avx2", "int8"): Evidence(
        _host(
            ("onnxruntime", "int8"),
            ("onnxruntime", "fp32"),
            ("openvino", "fp32"),
            ("openvino", "int8"),
        ),
        "onnxruntime's stem takes 0.70 to 0.77 of openvino's time at fp32 in int8 and 0.96 to 1.02 "
        "in fp32, openvino's 1.02 to 1.17 in int8, from the demo student to ViT-B "
        "(two Zen 3 cores, time of the processor, 2026-11-26)",
    ),
}
"""(CPU class, precision) → what was measured there.

At fp32 and bf16 of the stem in floats. At int8 of a quantised stem, which may also run in floats:
its candidates are at several precisions of the stem. That a class is listed at int8 says besides
that int8 is no slower there than fp32.
"""

_FLOATS_FIRST = ("avx512", "avx2", "neon", "generic")
"""Classes without an instruction for products of int8: there a runtime may emulate them, so that
without evidence a quantised stem runs in floats, which is never slower than fp32 is."""


@dataclass(frozen=True)
class Ranking:
    """The candidates in the order in which `auto` tries them.

    Attributes:
        order: The candidates.
        reason: Why in this order.
    """

    order: tuple[Candidate, ...]
    reason: str


def cpu_class() -> str:
    """The class of this CPU: the best of the decoder's instruction sets that it runs.

    It stands for what the CPU has, whatever SAKEDGE_ISA makes the decoder use.
    """
    return next(name for name, able, _ in isas() if able)


def is_cpu(device: str | None) -> bool:
    """Whether a device is the CPU, which None is to every backend of ours."""
    return device is None or device.upper().partition(".")[0] == "CPU"


def is_as_fast(precision: str) -> bool:
    """Whether it was measured that this class of CPUs is no slower at a precision than at fp32."""
    return (cpu_class(), precision) in EVIDENCE


def rank(model: str, device: str | None, precision: str, backends: Sequence[str]) -> Ranking:
    """Ranks the candidates for a device and a precision.

    Args:
        model: A model's name, or `auto`: the host model on a CPU; elsewhere the graph model, for
            the decoder would have to wait for features, but the host model for third parties.
        device: As for `sakedge.load`.
        precision: `fp32`, `bf16` or `fp16` of a stem in floats; `int8` of a quantised stem, whose
            candidates may also run it in floats.
        backends: Names of backends, in their order where there is no evidence.
    """
    usual = [
        Candidate(_usual_model(device, name) if model == "auto" else model, name, stem)
        for stem in (_usual_stems(device) if precision == "int8" else (precision,))
        for name in backends
    ]
    otherwise = f"in the order {', '.join(registry.BACKENDS)}, third parties"
    if not is_cpu(device):
        return Ranking(tuple(usual), f"no evidence for {device}: {otherwise}")
    cpu = cpu_class()
    evidence = EVIDENCE.get((cpu, precision), Evidence((), ""))
    known = [
        each
        for each in evidence.order
        if model in ("auto", each.model) and each.backend in backends
    ]
    if not known:
        what = precision if model == "auto" else f"the {model} model at {precision}"
        return Ranking(tuple(usual), f"no evidence for {what} on {cpu} CPUs: {otherwise}")
    order = tuple(dict.fromkeys([*known, *usual]))
    return Ranking(order, f"on {cpu} CPUs {evidence.found}")


def _usual_stems(device: str | None) -> tuple[str, ...]:
    """Precisions of a quantised stem, in their order where there is no evidence."""
    floats = ("bf16", "fp32")
    floats_first = is_cpu(device) and cpu_class() in _FLOATS_FIRST
    return (*floats, "int8") if floats_first else ("int8", *floats)


def _usual_model(device: str | None, backend: str) -> str:
    return "host" if is_cpu(device) or backend not in registry.BACKENDS else "graph"
