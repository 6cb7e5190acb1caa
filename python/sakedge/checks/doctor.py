"""Says what this machine can do, and why not more."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sakedge.backends import registry
from sakedge.backends.cache_dir import resolve_cache_dir
from sakedge.checks.doctor_cuda import examine_cuda
from sakedge.checks.findings import Finding, Status
from sakedge.errors import BackendError, SakedgeError
from sakedge.runtime import machine
from sakedge.runtime.choice import FOLDER, SUFFIX
from sakedge.runtime.evidence import rank
from sakedge.runtime.precision import gainful
from sakedge.runtime.threads import processors

EXTRAS = {
    "openvino": ("openvino", "the backend openvino"),
    "video": ("cv2", "videos, cameras and network streams"),
    "evaluate": ("scipy", "`sakedge evaluate`, `advise` and `quantize`"),
    "delta": ("zstandard", "`sakedge adapter diff` and `patch`"),
    "trust": ("cryptography", "signatures, encryption and update repositories"),
    "bundle": ("cyclonedx", "`sakedge bundle make`"),
    "convert": ("torch", "`sakedge convert`"),
}
"""Extra → module that it installs, and its purpose."""


@dataclass(frozen=True)
class Diagnosis:
    """Everything that was found, and the machine that it was found on."""

    findings: tuple[Finding, ...]
    machine: dict[str, Any]

    @property
    def status(self) -> Status:
        """The worst of the findings."""
        order: tuple[Status, ...] = ("failure", "warning", "note")
        return next((s for s in order if any(f.status == s for f in self.findings)), "ok")

    def to_dict(self) -> dict[str, Any]:
        """All of it, ready for JSON."""
        findings = [asdict(finding) for finding in self.findings]
        return {"status": self.status, "findings": findings, "machine": self.machine}


def examine() -> Diagnosis:
    """Looks at everything. Changes nothing."""
    findings = (
        *_cpu(),
        *_decoder(),
        *_threads(),
        *_backends(),
        *examine_cuda(),
        *_cache(),
        *_extras(),
    )
    return Diagnosis(findings, dict(machine.describe()))


def _cpu() -> Iterator[Finding]:
    features = " ".join(machine.cpu_features()) or "the system does not report its features"
    yield Finding("cpu", "ok", f"{machine.cpu_model()}: {features}")
    amount = machine.memory()
    if amount:
        yield Finding("memory", "ok", f"{amount / 2**30:.1f} GiB")


def _decoder() -> Iterator[Finding]:
    try:
        from sakedge.decoder import arithmetics, isa, isas
    except ImportError as error:
        remedy = "Install a wheel for this system, or a C++ compiler, and install sakedge again"
        yield Finding("decoder", "failure", f"the compiled module is missing: {error}", remedy)
        return
    try:
        chosen = isa()
    except SakedgeError as error:
        yield Finding("decoder", "failure", str(error), "Unset SAKEDGE_ISA")
        return
    best = next((name for name, able, _ in isas() if able), chosen)
    if chosen == best:
        yield Finding(
            "decoder", "ok", f"instruction set {chosen}, the best one here that this CPU runs"
        )
    else:
        text = f"instruction set {chosen}, although {best} runs here: SAKEDGE_ISA forces it"
        yield Finding("decoder", "warning", text, "Unset SAKEDGE_ISA")
    gains = gainful()
    for precision, served in arithmetics().items():
        if served.native:
            yield Finding(f"decoder {precision}", "ok", f"{served.isa}, natively")
        elif precision in gains:
            text = f"{served.isa}, emulated, and faster than fp32"
            yield Finding(f"decoder {precision}", "ok", text)
        else:
            text = f"{served.isa}, emulated: right, but not known to be faster than fp32"
            yield Finding(f"decoder {precision}", "note", text, "Use precision='fp32' or 'auto'")
    for name, able, reason in isas():
        if not able:
            yield Finding(f"decoder {name}", "note", reason or "needs a CPU that has it")


def _threads() -> Iterator[Finding]:
    found = processors()
    quota = "no cgroup quota" if found.quota is None else f"a cgroup quota of {found.quota:g}"
    text = (
        f"{found.usable}: the smaller of affinity ({found.affinity} of the machine's "
        f"{found.machine} processors) and {quota}"
    )
    if found.quota is not None and found.quota != int(found.quota) and found.quota < found.affinity:
        yield Finding(
            "threads",
            "note",
            f"{text}; the last thread is throttled for part of each period",
            "Grant a whole number of processors",
        )
    else:
        yield Finding("threads", "ok", text)


def _backends() -> Iterator[Finding]:
    able: list[str] = []
    for name in registry.names():
        support = registry.probe(name)
        if support.ok:
            able.append(name)
        if support.ok:
            yield Finding(f"backend {name}", "ok", support.reason)
        elif name in EXTRAS and find_spec(EXTRAS[name][0]) is None:  # left out, and nothing broken
            yield Finding(f"backend {name}", "note", support.reason)
        else:
            yield Finding(f"backend {name}", "warning", support.reason)
    if able:
        ranking = rank("auto", None, "fp32", able)
        first = ranking.order[0]
        text = f"{first.backend}, {first.model} model (auto: {ranking.reason})"
        yield Finding("backend auto", "ok", text)
    else:
        yield Finding("backend auto", "failure", "no backend can run here")
    yield from _devices()


def _devices() -> Iterator[Finding]:
    """What can be computed on each device that a backend knows, and why not more."""
    runs: dict[str, list[str]] = {}
    refused: dict[str, list[str]] = {}
    for name in registry.names():
        with suppress(BackendError):  # one that cannot be loaded was reported above
            for device, precisions in registry.get(name).devices.items():
                answers = {each: registry.probe(name, device, each) for each in precisions}
                able = [each for each, answer in answers.items() if answer.ok]
                if able:
                    runs.setdefault(device, []).append(f"{', '.join(able)} through {name}")
                reasons = dict.fromkeys(a.reason for a in answers.values() if not a.ok)
                refused.setdefault(device, []).extend(f"{name}: {each}" for each in reasons)
    for device in refused:
        text = "; ".join([*runs.get(device, ()), *refused[device]])
        yield Finding(f"device {device}", "ok" if device in runs else "note", text)


def _cache() -> Iterator[Finding]:
    chosen = resolve_cache_dir()
    folder = chosen.folder
    if folder is None:
        yield Finding("cache", "note", chosen.off, "Set SAKEDGE_CACHE to a folder to start faster")
        return
    try:
        objection, sizes = _unwritable(folder), [p.stat().st_size for p in folder.rglob("*.blob")]
        choices = len([*(folder / FOLDER).glob(f"*{SUFFIX}")])
    except OSError as error:
        objection, sizes, choices = error.strerror or str(error), [], 0
    if objection:
        remedy = "Set SAKEDGE_CACHE to a folder that can be written, or to `off`"
        yield Finding("cache", "warning", f"{folder} cannot be written: {objection}", remedy)
        return
    size = f"{len(sizes)} compiled graphs, {sum(sizes) / 2**20:.1f} MiB; choices: {choices}"
    source = "SAKEDGE_CACHE" if "SAKEDGE_CACHE" in os.environ else "the user's cache folder"
    yield Finding("cache", "ok", f"{folder} ({source}): {size}")


def _unwritable(folder: Path) -> str:
    """Why a folder, or the nearest one above it that exists, cannot be written to, or nothing."""
    above = (folder.absolute(), *folder.absolute().parents)
    existing = next(path for path in above if path.exists())
    if not existing.is_dir():
        return f"{existing} is not a folder"
    return "" if os.access(existing, os.W_OK | os.X_OK) else f"no permission in {existing}"


def _extras() -> Iterator[Finding]:
    for extra, (module, purpose) in EXTRAS.items():
        if find_spec(module) is None:
            yield Finding(
                f"extra {extra}",
                "note",
                f"not installed; needed for {purpose}",
                f"pip install 'sakedge[{extra}]'",
            )
        else:
            yield Finding(f"extra {extra}", "ok", f"installed, for {purpose}")
