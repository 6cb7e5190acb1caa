"""The Python environment of a version: PEP 405 by hand, so that every byte of it is known.

Debian's python3 has no ensurepip, and a box may lack the module venv. What makes an environment is
a line of text and a link.
"""

from __future__ import annotations

from pathlib import Path

_LINKS = {"bin/python": "python3", "lib64": "lib"}


def settings(python: Path) -> bytes:
    """What `pyvenv.cfg` holds, for the Python that it is based on."""
    return f"home = {python.parent}\ninclude-system-site-packages = false\n".encode()


def links(python: Path) -> dict[str, str]:
    """The links of an environment: path → where to."""
    return {"bin/python3": str(python), **_LINKS}


def make_environment(folder: Path, python: Path, version: str) -> None:
    """Makes an environment without any package.

    Raises:
        OSError: It cannot be written.
    """
    (folder / "bin").mkdir(parents=True)
    (folder / "lib" / f"python{version}" / "site-packages").mkdir(parents=True)
    (folder / "pyvenv.cfg").write_bytes(settings(python))
    for path, target in links(python).items():
        (folder / path).symlink_to(target)
