"""Images in the memory of a CUDA device, as DLPack lends them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakedge.errors import ImageError, shown
from sakedge.images.limits import Limits

_CUDA = 2
"""kDLCUDA in DLPack."""


class DevicePixels:
    """RGB uint8 [H, W, 3] in the memory of a device; whoever lends it keeps it as it is meanwhile.

    Attributes:
        shape: Height, width and 3.
        host: A copy on the host, which the model that runs the image leaves for its result.
    """

    dtype = np.dtype(np.uint8)

    def __init__(self, owner: Any, shape: tuple[int, int, int]) -> None:
        self._owner = owner
        self.shape = shape
        self.host: NDArray[np.uint8] | None = None

    def lend(self, stream: int) -> object:
        """The image as a DLPack capsule.

        Args:
            stream: The CUDA stream that will read it, for which it is then ready.

        Raises:
            ImageError: Its owner does not lend it.
        """
        try:
            return self._owner.__dlpack__(stream=stream)
        except Exception as error:  # of the owner's own class
            raise ImageError(
                "the image on the device is not lent", expected="a DLPack capsule", got=shown(error)
            ) from error


def is_on_device(image: object) -> bool:
    """Whether this is an array that lies on a CUDA device."""
    try:
        kind, _ = image.__dlpack_device__()  # type: ignore[attr-defined]
        return int(kind) == _CUDA
    except Exception:  # attributes can be anybody's code
        return False


def from_device(image: Any, limits: Limits) -> DevicePixels:
    """An array on a device as pixels; nothing is copied.

    Raises:
        ImageError: Its shape, type or size are not those of an image on a device.
    """
    try:
        shape = tuple(int(side) for side in image.shape)
        dtype = str(image.dtype).rpartition(".")[2]  # torch's are called torch.uint8
    except Exception as error:  # of the owner's own class
        raise ImageError(
            "the array on the device has no shape or type", expected="both", got=shown(error)
        ) from error
    if len(shape) != 3 or shape[2] != 3 or dtype != "uint8":
        raise ImageError(
            "not an image on a device",
            expected="RGB uint8 of height x width x 3",
            got=f"{dtype} of shape {' x '.join(map(str, shape))}",
            remedy="Convert it there, or copy it to the host",
        )
    limits.check(shape[:2], "the array on the device")
    return DevicePixels(image, (shape[0], shape[1], 3))
