"""A wheel as it lies: what it is, for which machines, and what it becomes when it is installed."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from email.parser import HeaderParser
from functools import cached_property
from pathlib import Path, PurePosixPath

from sakedge.bundling.installer.listing import digest_of, is_safe_path
from sakedge.bundling.library import needed
from sakedge.errors import BundleError

_SCRIPTS = "scripts"
"""What pip makes of these is not kept: `sakedge` is the one command."""


@dataclass(frozen=True)
class Wheel:
    """A wheel.

    Attributes:
        path: Its file.
        name: Of its package, normalised.
        version: Of its package.
        tags: What it runs on, as `cp312-cp312-manylinux_2_28_x86_64`.
    """

    path: Path
    name: str
    version: str
    tags: frozenset[str]

    @classmethod
    def read(cls, path: Path) -> Wheel:
        """Reads what a wheel's name says.

        Raises:
            BundleError: It is no wheel's name, or the file is no archive.
        """
        with needed("reading wheels"):
            from packaging.utils import InvalidWheelFilename, parse_wheel_filename
        try:
            name, version, _, tags = parse_wheel_filename(path.name)
        except InvalidWheelFilename as error:
            raise BundleError(f"{path} is no wheel: {error}") from None
        if not zipfile.is_zipfile(path):
            raise BundleError(f"{path} is damaged: it is no archive", remedy="Get it again")
        return cls(path, str(name), str(version), frozenset(map(str, tags)))

    @cached_property
    def sha256(self) -> str:
        """Of its file."""
        with self.path.open("rb") as file:
            return digest_of(file)

    @cached_property
    def metadata(self) -> Message:
        """What the package says of itself."""
        with zipfile.ZipFile(self.path) as archive:
            return HeaderParser().parsestr(
                archive.read(f"{self._info}/METADATA").decode(errors="replace")
            )

    @cached_property
    def names(self) -> tuple[str, ...]:
        """All files in it, in order.

        Raises:
            BundleError: One of them would leave its folder.
        """
        with zipfile.ZipFile(self.path) as archive:
            names = tuple(sorted(each for each in archive.namelist() if not each.endswith("/")))
        for name in names:
            if not is_safe_path(name):
                raise BundleError(f"{self.path.name} holds {name!r}, which is no safe name")
        return names

    @cached_property
    def has_cuda(self) -> bool:
        """Whether it is a wheel of sakedge with the CUDA backend."""
        files = map(PurePosixPath, self.names)
        return any(f.name.startswith("_cuda.") and f.suffix == ".so" for f in files)

    def read_file(self, name: str) -> bytes:
        """One of its files."""
        with zipfile.ZipFile(self.path) as archive:
            return archive.read(name)

    def installed(self, python: str) -> Iterator[tuple[str, str, int]]:
        """The files that it becomes in an environment.

        Args:
            python: Version of its Python.

        Yields:
            Path from the environment's folder, SHA-256, bytes.

        Raises:
            BundleError: It brings a kind of file that is not known here.
        """
        with zipfile.ZipFile(self.path) as archive:
            for name in self.names:
                target = self._target(name, python)
                if target is not None:
                    content = archive.read(name)
                    yield target, hashlib.sha256(content).hexdigest(), len(content)

    @property
    def _info(self) -> str:
        """The folder of its metadata."""
        found = {name.split("/")[0] for name in self.names if ".dist-info/" in name}
        infos = [each for each in found if each.endswith(".dist-info")]
        if len(infos) != 1:
            raise BundleError(f"{self.path.name} is damaged: it has no metadata, or twice")
        return infos[0]

    def _target(self, name: str, python: str) -> str | None:
        packages = f"lib/python{python}/site-packages"
        first, _, rest = name.partition("/")
        if not first.endswith(".data"):
            return f"{packages}/{name}"
        kind, _, rest = rest.partition("/")
        places = {"purelib": packages, "platlib": packages, "data": ""}
        if kind == _SCRIPTS:
            return None
        if kind == "headers":
            return f"include/site/python{python}/{first.split('-')[0]}/{rest}"
        if kind not in places:
            raise BundleError(f"{self.path.name} brings {kind}, which cannot be installed")
        return f"{places[kind]}/{rest}".lstrip("/")


def wheels_in(folder: Path) -> list[Wheel]:
    """The wheels in a folder and in those in it, as `dist/cuda`.

    Raises:
        BundleError: There are none, or one is damaged.
    """
    found = [Wheel.read(path) for path in sorted(folder.rglob("*.whl"))]
    if not found:
        raise BundleError(
            f"there are no wheels in {folder}", remedy="Make them: `make wheels`, or `make wheel`"
        )
    return found
