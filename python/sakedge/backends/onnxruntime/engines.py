"""The compiled graphs that a provider keeps in files of its own, as entries of our cache.

Providers name these files by the graph, not by its weights, and trust what lies in the folder. So
each graph gets a new folder of this process, filled from an entry that was checked; what the
provider adds to it becomes the entry.
"""

from __future__ import annotations

import io
import shutil
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import Any

from sakedge.backends import cache
from sakedge.backends.base import CompileOptions
from sakedge.backends.onnxruntime.library import onnxruntime
from sakedge.backends.onnxruntime.providers import Device
from sakedge.format import Subgraph

_AT_ONCE = 16 << 20
_Stamps = set[tuple[str, int, int]]


class Engines:
    """One graph's entry.

    Attributes:
        state: What happened to it: `off` or why it is, `hit`, `stored`, or `none` with the reason.
    """

    def __init__(
        self,
        subgraph: Subgraph,
        device: Device,
        providers: dict[str, dict[str, str]],
        options: CompileOptions,
    ) -> None:
        self._options = device.provider.cache
        self._provider = device.provider.name
        self._providers = providers
        self._folder: Path | None = None
        if not self._options:
            self.state = f"none: {device.provider.uncached}"
        elif options.cache_dir is None:
            self.state = options.cache_off
        else:
            self.state = ""
            self._folder = options.cache_dir / f"onnxruntime-{device.kind.lower()}"
            self._key = cache.cache_key(
                graph=subgraph.digest,
                version=str(onnxruntime().__version__),
                device=device.name,
                config=[providers, dict(options.config)],
            )

    def compiled(self, create: Callable[[dict[str, dict[str, str]]], Any]) -> Any:
        """A session, made with the entry's files where there are any.

        Args:
            create: Makes it with the providers' options that it is given.
        """
        folder = self._folder
        if folder is None:
            return create(self._providers)
        try:
            temporary = TemporaryDirectory(prefix="sakedge-", ignore_cleanup_errors=True)
        except OSError as error:
            self.state = f"none: {error}"
            return create(self._providers)
        with temporary as name:
            place = Path(name) / "engines"
            place.mkdir()
            inside = {key: value.format(folder=place) for key, value in self._options.items()}
            given = self._providers | {self._provider: inside | self._providers[self._provider]}
            found = self._unpack(folder, place)
            try:
                session = create(given)
            except Exception:
                if not found:
                    raise
                # Intact, but not for this driver: as if there were none.
                shutil.rmtree(place)
                place.mkdir()
                found = set()
                session = create(given)
            self._store(folder, place, found)
            return session

    def _unpack(self, folder: Path, place: Path) -> _Stamps:
        entry = cache.open_entry(folder, self._key)
        if entry is not None:
            # On a full disk the provider refuses what is cut off, or compiles what is missing.
            with suppress(OSError), zipfile.ZipFile(io.BytesIO(entry.blob)) as files:
                files.extractall(place)
        return _stamps(place)

    def _store(self, folder: Path, place: Path, found: _Stamps) -> None:
        # Files that it did not take are of another version of it.
        new = sorted(name for name, *_ in _stamps(place) - found)
        if not new:
            self.state = "hit" if found else "none: the provider kept nothing"
            return
        try:
            with TemporaryFile() as file:
                with zipfile.ZipFile(file, "w") as files:
                    for name in new:
                        files.write(place / name, name)
                file.seek(0)
                problem = cache.store_pieces(folder, self._key, _pieces(file))
        except OSError as error:
            problem = str(error)
        self.state = f"none: {problem}" if problem else "stored"


def _stamps(place: Path) -> _Stamps:
    found = ((path.name, path.stat()) for path in place.iterdir())
    return {(name, status.st_size, status.st_mtime_ns) for name, status in found}


def _pieces(file: Any) -> Iterator[bytes]:
    while piece := file.read(_AT_ONCE):
        yield piece
