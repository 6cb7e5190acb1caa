"""What Python finds instead of the images that ship: one that the emulated driver knows."""

from __future__ import annotations

import functools
import json
import tempfile
import zipfile
from pathlib import Path

from tests.cuda.student.machine import emulated, image

from sakedge.cuda import images


@functools.cache
def _archive() -> Path:
    path = Path(tempfile.mkdtemp(prefix="sakedge-images-")) / images.NAME
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("images.json", json.dumps({"compute_80.ptx": {"driver": 12060}}))
        archive.writestr("compute_80.ptx", image())
    return path


def start(**settings: object) -> None:
    """The machine as after the start of a process, with these settings of `driver/settings.h`."""
    images.archive = _archive
    emulated().reset()
    emulated().set(**{"lose_at": None, "memory": None, "version": None, "minor": None} | settings)
