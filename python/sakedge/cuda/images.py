"""The kernels' images: machine code of some architectures, and the PTX that others compile."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from sakedge.cuda.library import require_module
from sakedge.errors import DeviceError

NAME = "kernels.zip"
"""What `cmake/compile_kernels.py` writes: an image for each architecture, and `images.json`."""

_TEGRA = frozenset({"sm_72", "sm_87", "sm_101", "sm_110"})
"""Machine code of these integrated devices runs on no other device, and no other's on them."""


@dataclass(frozen=True)
class Image:
    """One module of all kernels.

    Attributes:
        name: Its name in the archive, e.g. `sm_87.cubin`.
        driver: The oldest driver that takes it, as the newest CUDA that it knows: 12060 is 12.6.
    """

    name: str
    driver: int

    @property
    def architecture(self) -> str:
        """E.g. `sm_87`."""
        return self.name.partition(".")[0]

    @property
    def is_machine_code(self) -> bool:
        """Whether it is that, and not PTX."""
        return self.name.endswith(".cubin")

    @property
    def capability(self) -> tuple[int, int]:
        """The compute capability that it was compiled for."""
        major, minor = divmod(int(self.architecture.rpartition("_")[2]), 10)
        return major, minor

    def __str__(self) -> str:
        kind = "machine code" if self.is_machine_code else "PTX, compiled by the driver"
        return f"{self.architecture} ({kind})"


def archive() -> Path:
    """Where the images are: beside the compiled module, which was built with them.

    Raises:
        DeviceError: There is no such module.
    """
    require_module()
    from sakedge import _cuda

    return Path(_cuda.__file__).with_name(NAME)


def images() -> tuple[Image, ...]:
    """All images of this build, in the order of the archive.

    Raises:
        DeviceError: There is no archive, or it is damaged.
    """
    try:
        with ZipFile(archive()) as found:
            listed: Mapping[str, Mapping[str, int]] = json.loads(found.read("images.json"))
        return tuple(Image(name, each["driver"]) for name, each in listed.items())
    except (OSError, KeyError, ValueError, BadZipFile) as error:
        raise _damaged(error) from error


def read(image: Image) -> bytes:
    """The bytes of an image.

    Raises:
        DeviceError: The archive is damaged.
    """
    try:
        with ZipFile(archive()) as found:
            return found.read(image.name)
    except (OSError, KeyError, BadZipFile) as error:
        raise _damaged(error) from error


def choose(images: Sequence[Image], capability: tuple[int, int], driver: int) -> Image:
    """The image for a device: machine code of its own or a related architecture, else PTX.

    Machine code runs on devices of the same major capability and of the same or a greater minor
    one, but for those integrated with a CPU; PTX on all that came later.

    Args:
        images: Those that there are.
        capability: The device's compute capability.
        driver: The newest CUDA that the driver knows: 12060 is 12.6.

    Raises:
        DeviceError: None runs on it, or its driver is too old for those that would.
    """
    able = sorted(
        (each for each in images if _runs_on(each, capability)),
        key=lambda each: (each.is_machine_code, each.capability),
        reverse=True,
    )
    at = ".".join(map(str, capability))
    if not able:
        raise DeviceError(
            f"this sakedge has no kernels for devices of compute capability {at}",
            expected=f"one of {', '.join(each.architecture for each in images)}, or newer than PTX",
            remedy="Kernels need compute capability 8.0 or newer",
        )
    found = next((each for each in able if each.driver <= driver), None)
    if found is None:
        raise DeviceError(
            "the NVIDIA driver is too old for this sakedge's kernels",
            expected=f"a driver for CUDA {_version(min(each.driver for each in able))} or newer",
            got=f"one for CUDA {_version(driver)}",
            remedy="Update the driver (on a Jetson: JetPack)",
        )
    return found


def _runs_on(image: Image, capability: tuple[int, int]) -> bool:
    if not image.is_machine_code:
        return image.capability <= capability
    if image.capability == capability:
        return True
    device = f"sm_{capability[0]}{capability[1]}"
    if image.architecture in _TEGRA or device in _TEGRA:
        return False
    return image.capability[0] == capability[0] and image.capability[1] < capability[1]


def _version(cuda: int) -> str:
    return f"{cuda // 1000}.{cuda % 1000 // 10}"


def _damaged(error: Exception) -> DeviceError:
    return DeviceError(
        "the kernels of this sakedge cannot be read",
        expected=f"an archive at {archive()}",
        got=str(error) or type(error).__name__,
        remedy="Install it again",
    )
