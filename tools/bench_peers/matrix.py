"""What is measured: the headline, and around it one thing changed at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, get_args

from tools.bench_peers.exported import exported_student
from tools.bench_peers.quantise import (
    int8_student,
    nncf_export,
    nncf_student,
    static_export,
    static_student,
)
from tools.bench_peers.students import ADAPTERS, FURTHER, NYUD, PASCAL, Spec, student

from sakedge.backends import registry
from sakedge.peers import Contestant
from sakedge.peers.compare import stock_peers

PRECISIONS = ("fp32", "bf16", "int8")
_OURS = "sakedge.peers.runners:ours"
_RUNNERS = "tools.bench_peers.runners"
_TORCH_ROUNDS = 2
"""Its compilation takes far longer than running, even with a warm cache."""

Peers = Literal["all", "stock", "best", "none"]
PEERS: tuple[Peers, ...] = get_args(Peers)


@dataclass(frozen=True)
class Case:
    """One student under one load.

    Attributes:
        name: Of the row.
        spec: The student.
        peers: `all` of them, the `stock` runtimes, the `best` of the headline, or `none`; all but
            the last on the student's file and on the exported graph.
        batch: Images in one call.
        rounds: Of fresh processes.
        variants: Ours once more, with other options of `sakedge.load`, by name.
    """

    name: str
    spec: Spec
    peers: Peers
    batch: int = 1
    rounds: int = 2
    variants: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def as_quick(self) -> "Case":
        """The same with a tiny stand-in and one round."""
        return replace(self, spec=self.spec.as_quick(), rounds=1)


_BASE = Spec("vit_base", (512, 512))
_SMALL = Spec("vit_small", (512, 512))
HEADLINE = "headline"
FEWER = {f"sakedge with {n}": {"adapters": list(ADAPTERS[:n])} for n in (3, 1)}
"""Adapters loaded, of a student's six."""
TOGETHER = "sakedge, together"
FLOAT_STEM = "sakedge, float stem"
"""Ours in int8 with its stem in the next higher precision, from the same file."""
_BATCHED = {TOGETHER: {"config": {"max_batch": 4}}}

CASES: tuple[Case, ...] = (
    Case(HEADLINE, _BASE, "all", rounds=5),
    Case("vit_small-384", Spec("vit_small", (384, 384)), "stock", rounds=3),
    Case("vit_small-512", _SMALL, "stock", rounds=3),
    Case("vit_base-384", Spec("vit_base", (384, 384)), "best"),
    Case("vit_base-nyud", Spec("vit_base", (448, 576), tasks=NYUD), "best"),
    Case("demo", Spec(None, (256, 256)), "stock", rounds=3),
    Case("adapters-1", replace(_BASE, adapters=1), "best"),
    Case("adapters-6", replace(_BASE, adapters=6), "best"),
    Case("adapters", replace(_BASE, adapters=6), "none", rounds=3, variants=FEWER),
    Case("tasks-1", replace(_BASE, tasks=PASCAL[:1]), "best"),
    Case("tasks-3", replace(_BASE, tasks=PASCAL[:3]), "best"),
    Case("tasks-8", replace(_BASE, tasks=PASCAL + FURTHER), "best"),
    Case("batch-4", _BASE, "none", batch=4, variants=_BATCHED),
    Case("vit_small-512-batch-4", _SMALL, "stock", batch=4, variants=_BATCHED),
)


def contestants(case: Case, precision: str, rivals: Sequence[str]) -> list[Contestant]:
    """Ours, its variants, then the peers; makes everything that they run.

    Args:
        case: The row.
        precision: Of all of them.
        rivals: Names of the headline's fastest peers at this precision, on the file and on the
            exported graph; empty if not measured yet, then every stock runtime runs.
    """
    ours = _ours(case.spec, precision)
    variants = [
        replace(ours, name=name, options={**ours.options, **options})
        for name, options in case.variants.items()
    ]
    if precision == "int8" and case.peers != "none":
        options = {**ours.options, "config": {"stem": rests()[0]}}
        variants.append(replace(ours, name=FLOAT_STEM, options=options))
    peers = _peers(case, precision)
    if case.peers == "best" and rivals:
        peers = [each for each in peers if each.name in rivals]
    return [ours, *variants, *peers]


def rests() -> tuple[str, ...]:
    """Precisions for what stays in floats in OpenVINO, as far as the CPU supports them."""
    return ("bf16", "fp32") if registry.probe("openvino", "CPU", "bf16").ok else ("fp32",)


def _ours(spec: Spec, precision: str) -> Contestant:
    if precision != "int8":
        return Contestant("sakedge", precision, _OURS)
    options = {"file": str(int8_student(student(spec), spec.folder))}
    return Contestant("sakedge", precision, f"{_RUNNERS}:ours_int8", options)


def _peers(case: Case, precision: str) -> Sequence[Contestant]:
    if case.peers == "none":
        return []
    path, folder = student(case.spec), case.spec.folder
    if precision != "int8":
        compiled = Contestant(
            "torch.compile", precision, f"{_RUNNERS}:torch_compile", {}, _TORCH_ROUNDS
        )
        stock = stock_peers(precision, exported_student(path, folder))
        return [*stock, *([compiled] if case.peers == "all" else [])]
    if case.name.startswith(("adapters", "tasks")):
        return []  # quantising each whole graph takes minutes, for rows that are about ours
    ours = int8_student(path, folder)
    return [
        *_quantised("openvino", "openvino", nncf_student(path, folder)),
        *_quantised("onnxruntime", "onnxruntime", static_student(path, folder)),
        *_quantised("openvino, our file", "openvino", ours),
        *_quantised("onnxruntime, our file", "onnxruntime", ours),
        *_quantised("openvino, exported", "openvino", nncf_export(path, folder)),
        *_quantised("onnxruntime, exported", "onnxruntime", static_export(path, folder)),
    ]


def _quantised(name: str, runtime: str, model: Path) -> list[Contestant]:
    """A quantised graph with the rest at each precision that the CPU has in that runtime."""
    return [
        Contestant(
            f"{name}, rest {rest}",
            "int8",
            f"{_RUNNERS}:stock_int8",
            {"runtime": runtime, "model": str(model), "rest": rest},
            exported=name.endswith("exported"),
        )
        for rest in (rests() if runtime == "openvino" else ("fp32",))
    ]
