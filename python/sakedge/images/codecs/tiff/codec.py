"""Opening a TIFF file: what Pillow decodes as it is, and what is decoded here."""

from __future__ import annotations

import io
import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sakedge.images.blob import Blob
from sakedge.images.codecs.base import Encoded, Unsupported
from sakedge.images.codecs.tiff import tags as t
from sakedge.images.codecs.tiff.layout import (
    NONE,
    Layout,
    PlainTiff,
    plane_of,
    rewritten,
    short_field,
)
from sakedge.images.codecs.tiff.samples import Kind
from sakedge.images.codecs.tiff.tags import Tags
from sakedge.images.pillow import pixels_of

MAGICS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

_BAND = 1 << 20
"""Samples that are converted at once."""
_MOST_CHANNELS = 1 << 12

_FAX, _JPEG, _WEBP = (2, 3, 4), 7, 50001  # compressions that know what pixels are
_LOSSLESS = (NONE, 5, 8, 32773, 32946, 34925, 50000)
_PREDICTING = (5, 8, 32946, 34925, 50000)
_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE, _CMYK, _YCBCR, _LAB = 0, 1, 2, 3, 5, 6, 8
_CHANNELS = {_RGB: 3, _CMYK: 4, _YCBCR: 3, _LAB: 3}
_ASSOCIATED_ALPHA = 1
_INK_IS_CMYK = 1


class _Image(NamedTuple):
    blob: Blob
    tags: Tags
    size: tuple[int, int]
    photometric: int
    channels: int
    planar: bool
    kind: Kind

    @property
    def colors(self) -> int:
        """Samples that make the colour: grey, an index, or three and four of them."""
        return _CHANNELS.get(self.photometric, 1)

    @property
    def alpha(self) -> bool:
        """Whether colours were multiplied by an alpha that follows them."""
        extra = self.tags.integer(t.EXTRA_SAMPLES, 0)
        return extra == _ASSOCIATED_ALPHA and self.channels > self.colors

    def row_bytes(self, width: int) -> int:
        """Bytes of a row of so many columns in one plane."""
        return math.ceil(width * self.in_plane * self.kind.bits / 8)

    @property
    def in_plane(self) -> int:
        """Samples of a pixel that lie side by side."""
        return 1 if self.planar else self.channels


def open_tiff(blob: Blob) -> Encoded:
    """Reads the first directory of a TIFF file."""
    tags = Tags.read(blob)
    image = _image(blob, tags)
    layout = Layout.of(tags, image.size, image.channels if image.planar else 1, blob.size)
    orientation = tags.integer(t.ORIENTATION, 1)
    orientation = orientation if 1 <= orientation <= 8 else 1
    compression = tags.integer(t.COMPRESSION, NONE)
    chunk_row = image.row_bytes(layout.width)
    padded = layout.down * layout.height * layout.across * chunk_row
    if compression in _LOSSLESS and image.photometric in (0, 1, 2, 3):
        needed = image.colors + image.alpha if image.planar else 1
        itemsize = np.dtype(image.kind.shown).itemsize
        shown = image.size[0] * image.size[1] * (3 if image.colors == 3 else 1) * itemsize
        return Encoded(
            image.size,
            max(padded * needed, shown),
            lambda: _decode(image, layout, needed),
            orientation,
        )
    _check_for_pillow(image, compression, sum(layout.counts))
    height, width = image.size
    return Encoded(
        image.size,
        max(height * width, layout.width * layout.height * image.channels),
        lambda: _by_pillow(image, layout),
        orientation,
    )


def _image(blob: Blob, tags: Tags) -> _Image:
    size = (tags.integer(t.HEIGHT, 0), tags.integer(t.WIDTH, 0))
    if min(size) < 1:
        raise ValueError("it has no size")
    channels = tags.integer(t.SAMPLES, 1)
    if not 1 <= channels <= _MOST_CHANNELS:
        raise Unsupported(f"TIFF of {channels} samples per pixel")
    photometric = tags.integer(t.PHOTOMETRIC, _RGB if channels >= 3 else _BLACK_IS_ZERO)
    if channels < _CHANNELS.get(photometric, 1):
        raise ValueError(f"{channels} samples per pixel are too few for its colours")
    bits, forms = set(tags.integers(t.BITS)) or {1}, set(tags.integers(t.SAMPLE_FORMAT)) or {1}
    if len(bits) > 1 or len(forms) > 1:
        raise Unsupported("TIFF whose samples differ in kind")
    compression = tags.integer(t.COMPRESSION, NONE)
    form = forms.pop()
    kind = Kind(
        bits=bits.pop(),
        form=1 if form == 4 else form,  # undefined
        order=tags.order,
        predictor=tags.integer(t.PREDICTOR, 1) if compression in _PREDICTING else 1,
        span=None,
    )
    kind = kind._replace(span=_span(tags, kind))
    planar = tags.integer(t.PLANAR, 1) == 2 and channels > 1
    return _Image(blob, tags, size, photometric, channels, planar, kind)


def _span(tags: Tags, kind: Kind) -> tuple[float, float] | None:
    """Black and white as declared, where that is another range than that of the bits."""
    white = next(iter(tags.numbers(t.WHITE)), math.nan)
    black = next(iter(tags.numbers(t.BLACK)), 0.0)
    if not (math.isfinite(black) and math.isfinite(white) and black < white):
        return None
    return None if (black, white) == (0, 2**kind.bits - 1) else (float(black), float(white))


def _check_for_pillow(image: _Image, compression: int, stored: int) -> None:
    """Refuses what Pillow cannot decode or would decode to wrong colours, of `stored` bytes."""
    photometric, bits = image.photometric, image.kind.bits
    if photometric not in range(9) or photometric in (4, 7):
        raise Unsupported(f"TIFF of photometric interpretation {photometric}")
    if compression not in (*_LOSSLESS, *_FAX, _JPEG, _WEBP):
        raise Unsupported(f"TIFF of compression {compression}")
    if image.kind.form != 1 or not (bits in (1, 8) or (bits == 16 and photometric == _CMYK)):
        raise Unsupported(f"TIFF of {bits}-bit samples in these colours or this compression")
    if image.tags.integer(t.INK_SET, _INK_IS_CMYK) != _INK_IS_CMYK and photometric == _CMYK:
        raise Unsupported("TIFF of inks other than CMYK")
    # Old writers leave out that nothing is subsampled, which is not what is then to be assumed.
    whole = stored >= image.size[0] * image.size[1] * image.channels
    if photometric == _YCBCR and compression == NONE and not whole:
        raise Unsupported("TIFF of uncompressed subsampled YCbCr")


def _by_pillow(image: _Image, layout: Layout) -> NDArray[Any]:
    height, row = image.size[0], image.row_bytes(layout.width)
    tags = image.tags
    plain = image.photometric == _YCBCR and tags.integer(t.COMPRESSION, NONE) == NONE
    if plain:  # Pillow before 11 takes it for four samples, so it is given as RGB
        tags = Tags(tags.order, {**tags.fields, t.PHOTOMETRIC: short_field(_RGB, tags.order)})
    found = PlainTiff(io.BytesIO(rewritten(image.blob, tags, layout, height, row)))
    if plain:
        return pixels_of(Image.merge("YCbCr", found.split()), image.blob.name)
    return pixels_of(found, image.blob.name)


def _decode(image: _Image, layout: Layout, planes: int) -> NDArray[Any]:
    height, width = image.size
    row = image.row_bytes(layout.width)
    raw = [plane_of(image.blob, image.tags, layout, p, height, row) for p in range(planes)]
    count = layout.width * image.in_plane
    colors = 3 if image.photometric in (_RGB, _PALETTE) else 1
    shown = np.uint8 if image.photometric == _PALETTE else image.kind.shown
    out = np.empty((height, width, colors), shown)
    palette = _palette(image) if image.photometric == _PALETTE else None
    rows = max(1, _BAND // (layout.across * count))
    for top in range(0, height, rows):
        band = slice(top, min(height, top + rows))
        samples = np.concatenate(
            [
                image.kind.unpack(plane[band], count, image.in_plane).reshape(
                    band.stop - top, -1, image.in_plane
                )[:, :width]
                for plane in raw
            ],
            axis=-1,
        )
        if palette is not None:
            out[band] = palette[samples[..., 0]]
        else:
            out[band] = _colors(image, samples)
    return out if colors == 3 else out[..., 0]


def _colors(image: _Image, samples: NDArray[Any]) -> NDArray[Any]:
    """Samples [rows, columns, channels] as grey or RGB, black 0 and white as their type has it."""
    pixels = image.kind.scaled(samples[..., : image.colors])
    white = image.kind.white
    if image.alpha:
        alpha = image.kind.scaled(samples[..., image.colors : image.colors + 1])
        quotient = pixels.astype(np.float64) * white / np.maximum(alpha, np.finfo(np.float32).tiny)
        pixels = np.minimum(quotient, white).astype(pixels.dtype)
    if image.photometric == _WHITE_IS_ZERO:
        pixels = pixels.dtype.type(white) - pixels
    return pixels


def _palette(image: _Image) -> NDArray[np.uint8]:
    """Colours by index, uint8 [indices, 3]."""
    if image.kind.bits > 16 or image.kind.form != 1:
        raise Unsupported("TIFF of a palette with such indices")
    values: NDArray[np.int64] = np.array(image.tags.integers(t.COLOR_MAP), np.int64)
    if len(values) != 3 << image.kind.bits:
        raise ValueError("its palette has another number of colours than its bits")
    if values.max() > 255:  # old writers stored 8 bits
        values >>= 8
    colors: NDArray[np.uint8] = values.reshape(3, -1).T.astype(np.uint8)
    return colors
