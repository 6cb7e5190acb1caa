"""WebP: the chunks of its picture, or of the first frame of an animation."""

from __future__ import annotations

import struct

from PIL import features
from PIL.WebPImagePlugin import WebPImageFile

from sakedge.images.blob import Blob
from sakedge.images.codecs.base import Encoded, Unsupported, by_pillow
from sakedge.images.orientation import orientation_in

_CANVAS, _LOSSY, _LOSSLESS, _FRAME = b"VP8X", b"VP8 ", b"VP8L", b"ANMF"
_PICTURE = (_CANVAS, b"ANIM", b"ALPH", _LOSSY, _LOSSLESS, _FRAME)
_ANIMATION_AND_ALPHA = 0x12


def is_webp(head: bytes) -> bool:
    """Whether a file begins as WebP does."""
    return head[:4] == b"RIFF" and head[8:12] == b"WEBP"


def open_webp(blob: Blob) -> Encoded:
    """Reads the chunks of a WebP file."""
    if not features.check("webp"):
        raise Unsupported("WebP, for which this Pillow was built without a decoder")
    chunks: list[bytes] = []
    size = (0, 0)
    orientation, complete = 1, False
    data = blob.read()
    at = 12
    while at + 8 <= len(data):
        kind, length = struct.unpack_from("<4sI", data, at)
        body = data[at + 8 : at + 8 + length]
        at += 8 + length + length % 2
        if kind == b"EXIF":
            orientation = orientation_in(body)
        elif kind in _PICTURE and not complete:
            if len(body) < length:
                raise ValueError("its pixels end too early")
            if not chunks:
                size = _size(kind, body)
            if kind == _CANVAS:
                body = bytes([body[0] & _ANIMATION_AND_ALPHA]) + body[1:]
            chunks.append(struct.pack("<4sI", kind, length) + body + bytes(length % 2))
            complete = kind in (_LOSSY, _LOSSLESS, _FRAME)
    if not complete:
        raise ValueError("it has no picture")
    picture = b"WEBP" + b"".join(chunks)
    whole = struct.pack("<4sI", b"RIFF", len(picture)) + picture
    # Pillow's plugin makes its canvas when it is opened, which is not before the size is judged.
    return Encoded(
        size,
        size[0] * size[1],
        lambda: by_pillow(WebPImageFile, whole).decode(),
        orientation,
    )


def _size(kind: bytes, body: bytes) -> tuple[int, int]:
    """Height and width, of the canvas or of a picture without one."""
    if kind == _CANVAS:
        return int.from_bytes(body[7:10], "little") + 1, int.from_bytes(body[4:7], "little") + 1
    if kind == _LOSSY:
        width, height = struct.unpack_from("<HH", body, 6)
        return height & 0x3FFF, width & 0x3FFF
    (bits,) = struct.unpack_from("<I", body, 1)
    return (bits >> 14 & 0x3FFF) + 1, (bits & 0x3FFF) + 1
