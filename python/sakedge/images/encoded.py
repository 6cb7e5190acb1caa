"""From an encoded image to pixels: format, header, limits and pixels, in this order."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from sakedge.errors import ImageError
from sakedge.images.blob import Blob
from sakedge.images.checks import decoding
from sakedge.images.formats import NAMES, find_format
from sakedge.images.limits import Limits
from sakedge.images.orientation import upright, upright_size


def decode(blob: Blob, limits: Limits) -> NDArray[Any]:
    """Decodes an image to grey [H, W] or RGB [H, W, 3], upright.

    Raises:
        ImageError: It is empty, no image, damaged, of a kind that is not read, or too large.
        StorageError: It cannot be read.
    """
    name = blob.name
    with decoding(name):
        found = find_format(blob)
        if found is None:
            raise ImageError(
                f"{name} is not an image" if blob.size else f"{name} is empty",
                expected=f"an image: {NAMES}",
                got="something else" if blob.size else "0 bytes",
            )
        if found.name != "TIFF":  # of which only the first page is read
            limits.check_encoded(blob.size, name)
        encoded = found.open(blob)
        size = upright_size(encoded.size, encoded.orientation)
        limits.check(size, name, encoded.memory)
        return upright(encoded.decode(), encoded.orientation)
