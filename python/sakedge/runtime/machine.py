"""What this machine is: CPU, its instruction sets, memory, installed versions. Read-only."""

from __future__ import annotations

import os
import platform
import re
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any

from sakedge.backends.onnxruntime.providers import PROVIDERS
from sakedge.backends.registry import third_parties
from sakedge.runtime.threads import Processors, processors

# The ones that matter for matrix arithmetic, as Linux names them: x86, then Arm.
_FEATURES = (
    *("sse4_2", "avx", "f16c", "fma", "avx2", "avx_vnni", "avx512f", "avx512bw", "avx512vl"),
    *("avx512_vnni", "avx512_bf16", "avx512_fp16", "amx_tile", "amx_int8", "amx_bf16"),
    *("asimd", "fphp", "asimdhp", "asimddp", "i8mm", "bf16", "sve", "sve2"),
)

_RUNTIMES = ("openvino", *dict.fromkeys(each.package for each in PROVIDERS.values()))
"""The packages that bring our backends' runtimes; ONNX Runtime comes in several."""


def cpu_model() -> str:
    """The CPU's name, as far as the system reports it."""
    info = _cpuinfo()
    for key in ("model name", "Model", "Hardware"):
        if info.get(key):
            return info[key]
    return platform.processor() or platform.machine() or "unknown"


def cpu_features() -> tuple[str, ...]:
    """Features that matter here and that the system reports; none where it reports nothing."""
    info = _cpuinfo()
    flags = set((info.get("flags") or info.get("Features") or "").split())
    return tuple(feature for feature in _FEATURES if feature in flags)


def memory() -> int | None:
    """Bytes of main memory, or None where the system does not report it."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return None


def resident() -> int | None:
    """Bytes of this process that are in memory now, or None where the system does not report it."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")


def peak_resident() -> int | None:
    """Most bytes of this process that were in memory at once, or None if not reported."""
    own = _own("VmHWM")
    if own is not None or sys.platform == "win32":
        return own
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def anonymous() -> int | None:
    """Bytes in memory now that are this process's own, not a file's; None if not reported."""
    return _own("RssAnon")


def versions() -> dict[str, str]:
    """Installed versions of Python, sakedge and its required or optional packages; imports none.

    That is what sakedge itself requires, its extras included, and packages that provide backends.
    """
    packages = _installed(["sakedge", *_requirements(), *_plugins()])
    return {"python": platform.python_version(), **packages}


def backend_versions() -> dict[str, str]:
    """Installed versions of sakedge and of the packages that bring backends; imports none."""
    return _installed(["sakedge", *_RUNTIMES, *_plugins()])


def describe() -> Mapping[str, Any]:
    """All of it, ready for JSON."""
    usable: Processors = processors()
    return {
        "system": platform.platform(),
        "cpu": cpu_model(),
        "features": list(cpu_features()),
        "processors": {
            "machine": usable.machine,
            "affinity": usable.affinity,
            "quota": usable.quota,
            "usable": usable.usable,
        },
        "memory": memory(),
        "versions": versions(),
    }


def _installed(packages: Sequence[str]) -> dict[str, str]:
    """Version of each package that is installed."""
    found: dict[str, str] = {}
    for package in packages:
        with suppress(PackageNotFoundError):
            found[package] = version(package)
    return found


def _requirements() -> list[str]:
    """Names of the packages that sakedge's own metadata lists; none in a bare source tree."""
    try:
        listed = requires("sakedge") or []
    except PackageNotFoundError:
        return []
    return [re.split(r"[^\w.-]", requirement, maxsplit=1)[0] for requirement in listed]


def _plugins() -> list[str]:
    """Names of the packages that provide third parties' backends."""
    return [entry.dist.name for entry in third_parties().values() if entry.dist is not None]


def _own(key: str) -> int | None:
    """Bytes that /proc/self/status states under a key.

    Its VmHWM is of this program alone; `getrusage` starts with what the program's parent had.
    """
    try:
        lines = Path("/proc/self/status").read_text(errors="replace").splitlines()
    except OSError:
        return None
    for line in lines:
        if line.startswith(f"{key}:"):
            return 1024 * int(line.split()[1])
    return None


def _cpuinfo() -> dict[str, str]:
    """First processor's entries of /proc/cpuinfo."""
    entries: dict[str, str] = {}
    try:
        text = Path("/proc/cpuinfo").read_text(errors="replace")
    except OSError:
        return entries
    for line in text.splitlines():
        key, _, value = line.partition(":")
        entries.setdefault(key.strip(), value.strip())
    return entries
