"""What is installed: versions, and digests of what came in wheels."""

from __future__ import annotations

import hashlib
from importlib.metadata import PackageNotFoundError, distribution

from sakedge.benchmarking.hardware.sysfs import Gaps
from sakedge.benchmarking.record import Software
from sakedge.runtime import machine


def read_software(gaps: Gaps) -> Software:
    """Versions, and the wheels of sakedge and of the runtimes.

    Args:
        gaps: Gets the reason of each digest that is missing.
    """
    wheels: dict[str, str] = {}
    for name in [*machine.backend_versions(), "numpy"]:
        found = wheel_digest(name)
        if found is None:
            gaps.note(f"software.wheels.{name}", "it was not installed from a wheel with hashes")
        else:
            wheels[name] = found
    return Software(versions=machine.versions(), wheels=wheels)


def wheel_digest(package: str) -> str | None:
    """SHA-256 over the names and hashes of the files that a package's wheel brought.

    What an installer adds, such as scripts with this machine's paths, is left out: whoever
    installed the same wheel gets the same digest. None for an editable or a missing package.
    """
    try:
        files = distribution(package).files or []
    except PackageNotFoundError:
        return None
    lines = sorted(
        f"{path.as_posix()} {path.hash.mode}={path.hash.value}"
        for path in files
        if path.hash is not None and ".." not in path.parts and not _is_installers(path.parts)
    )
    is_editable = any(path.name == "direct_url.json" for path in files) and not any(
        path.suffix == ".py" and len(path.parts) > 1 for path in files
    )
    if not lines or is_editable:
        return None
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _is_installers(parts: tuple[str, ...]) -> bool:
    added = ("INSTALLER", "REQUESTED", "RECORD", "direct_url.json")
    return parts[0].endswith(".dist-info") and parts[-1] in added
