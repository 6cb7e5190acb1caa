"""Wheels for bundles that install within seconds: this Python's own pip, and a stand-in program.

The stand-in is called sakedge, prints its version, and does for its installation what it is told:
with it the installer itself is put to the test, whose every byte is the real one.
"""

from __future__ import annotations

import base64
import hashlib
import platform
import sys
import zipfile
from collections.abc import Mapping
from importlib.metadata import distribution
from pathlib import Path

from sakedge.bundling.contents import Contents, gather
from sakedge.bundling.lock import write_lock
from sakedge.bundling.make import Ask, Made, make_bundle
from sakedge.bundling.resolving import lock_of
from sakedge.bundling.targets import Target
from sakedge.bundling.wheel import wheels_in
from sakedge.trust.keys import PrivateKey

ROOT = Path(__file__).parents[2]
TARGET = "here"
HERE = Target(
    python="{}.{}".format(*sys.version_info[:2]),
    machine="aarch64" if platform.machine() == "aarch64" else "x86_64",
    glibc="2.17",
)
_SETTLING = """
import sys
if {fails!r} and sys.argv[1] == "try":
    sys.exit("the stand-in fails its trial")
print("  stand-in {version}:", *sys.argv[1:2])
"""


def make_wheel(folder: Path, name: str, version: str, files: Mapping[str, bytes]) -> Path:
    """Writes a pure wheel.

    Args:
        folder: Where to.
        name: Of the package.
        version: Its version.
        files: Path → content, without the metadata.
    """
    info = f"{name}-{version}.dist-info"
    every = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        "License-Expression: Apache-2.0\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: standins\nRoot-Is-Purelib: true\n"
        b"Tag: py3-none-any\n",
        f"{info}/licenses/LICENSE": b"Apache-2.0, see https://www.apache.org/licenses\n",
    }
    every.setdefault(f"{info}/entry_points.txt", f"[console_scripts]\n{name} = {name}:x\n".encode())
    return _write(folder, f"{name}-{version}-py3-none-any.whl", info, every)


def rewheel(name: str, folder: Path) -> Path:
    """Writes the wheel that an installed pure package came from, as far as its files tell."""
    found = distribution(name)
    files = {
        str(path): Path(str(path.locate())).read_bytes()
        for path in found.files or ()
        if ".." not in path.parts and path.suffix != ".pyc"
    }
    info = next(each.split("/")[0] for each in files if ".dist-info/" in each)
    for passing in ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json"):
        files.pop(f"{info}/{passing}", None)
    return _write(folder, f"{name}-{found.version}-py3-none-any.whl", info, files)


def make_program(folder: Path, version: str, *, fails: bool = False) -> Path:
    """Writes the stand-in's wheel."""
    says = f"print('stand-in {version}')\n".encode()
    settling = _SETTLING.format(version=version, fails=fails).encode()
    return make_wheel(
        folder,
        "sakedge",
        version,
        {
            "sakedge/__init__.py": f'__version__ = "{version}"\n\n\ndef x(): ...\n'.encode(),
            "sakedge/__main__.py": says,
            "sakedge/bundling/__init__.py": b"",
            "sakedge/bundling/settling.py": settling,
        },
    )


def make_small_bundle(
    output: Path,
    scratch: Path,
    student: Path,
    version: str = "1.0",
    *,
    fails: bool = False,
    keys: tuple[PrivateKey, ...] = (),
    contents: Contents | None = None,
) -> Made:
    """Makes a bundle of the stand-in for this machine, without a network.

    Args:
        output: Where to.
        scratch: A folder for the wheels and the lock.
        student: A student.
        version: Of the stand-in.
        fails: Whether it fails its trial.
        keys: Who signs.
        contents: What goes into it; None is the student alone.
    """
    wheels = scratch / f"wheels-{version}"
    if not wheels.is_dir():
        wheels.mkdir(parents=True)
        make_program(wheels, version, fails=fails)
        rewheel("pip", wheels)
    lock = scratch / f"lock-{version}.txt"
    lock.write_bytes(write_lock(TARGET, lock_of(wheels_in(wheels), HERE)))
    ask = Ask(TARGET, HERE, wheels, lock=lock, keys=keys)
    return make_bundle(contents or gather(student), output, ask, lambda step, share: None)


def _write(folder: Path, name: str, info: str, files: Mapping[str, bytes]) -> Path:
    rows = [f"{path},sha256={_encoded(files[path])},{len(files[path])}\n" for path in files]
    record = "".join((*rows, f"{info}/RECORD,,\n")).encode()
    path = folder / name
    with zipfile.ZipFile(path, "w") as archive:
        for each, content in sorted({**files, f"{info}/RECORD": record}.items()):
            archive.writestr(zipfile.ZipInfo(each, (1980, 1, 1, 0, 0, 0)), content)
    return path


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
