"""Builds the emulated driver, and makes it the one of this process or of another."""

from __future__ import annotations

import ctypes
import functools
import hashlib
from collections.abc import Mapping
from pathlib import Path

from tests.support import cmake

BUILT = cmake.ROOT / "build" / "emulated-driver"
FOLDER = BUILT / "tests" / "cuda" / "driver"


@functools.cache
def build(target: str = "sakedge_emulated_driver") -> Path:
    """Builds the driver, or a program that is tested with it; returns its folder."""
    _configure()
    cmake.build(BUILT, target)
    return FOLDER


@functools.cache
def _configure() -> None:
    cmake.configure(
        BUILT,
        "-DCMAKE_BUILD_TYPE=Debug",
        "-DSAKEDGE_CUDA=ON",
        "-DSAKEDGE_WERROR=ON",
        "-DSAKEDGE_CUDA=ON",
        "-DSAKEDGE_PYTHON=OFF",
        "-DSAKEDGE_TESTS=ON",
    )


def environment(modules: Mapping[bytes, Path], **settings: object) -> dict[str, str]:
    """What gives another process the driver.

    Args:
        modules: Images that `cuModuleLoadData` is to take, and the library (of
            `tests.cuda.emulator`) that each was translated to.
        settings: By their names in settings.h, in small letters.
    """
    named = {f"EMULATED_CUDA_{name.upper()}": str(value) for name, value in settings.items()}
    return {"LD_LIBRARY_PATH": str(build()), "EMULATED_CUDA_MODULES": _listed(modules), **named}


def _listed(modules: Mapping[bytes, Path]) -> str:
    entries = []
    for image, library in modules.items():
        file = BUILT / "images" / hashlib.sha256(image).hexdigest()[:24]
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(image.rstrip(b"\0"))
        entries.append(f"{file}={library}")
    return ":".join(entries)


class Driver:
    """The driver of this process, from the time that this is made, before anything looks for one.

    A library that is loaded already is what `dlopen("libcuda.so.1")` finds.
    """

    def __init__(self, modules: Mapping[bytes, Path], **settings: object) -> None:
        self._library = ctypes.CDLL(str(build() / "libcuda.so.1"))
        self._library.emulated_findings.restype = ctypes.c_char_p
        self._set("MODULES", _listed(modules))
        self.set(**settings)
        self.reset()

    def set(self, **settings: object) -> None:
        """Changes settings, by their names in settings.h in small letters; None: the default."""
        for name, value in settings.items():
            self._set(name.upper(), None if value is None else str(value))

    def reset(self) -> None:
        """Makes everything as if the process had just started, except for settings.

        Nothing that was made by the driver may be used any more, nor destroyed.
        """
        self._library.emulated_reset()
        self.findings()

    def findings(self) -> list[str]:
        """What the driver's callers and kernels did wrong since this was last asked."""
        found: bytes = self._library.emulated_findings()
        return found.decode().splitlines()

    def _set(self, name: str, value: str | None) -> None:
        text = None if value is None else value.encode()
        if not self._library.emulated_set(name.encode(), text):
            raise ValueError(f"there is no setting {name}: see settings.h")
