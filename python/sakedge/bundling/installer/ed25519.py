"""Ed25519 signatures, checked and never made, with plain integers (RFC 8032, section 5.1.7).

A box has no library for it before something was installed, and nothing is installed before the
signature was checked. All that is handled here is public, so no time needs to be constant.
"""

from __future__ import annotations

import hashlib

KEY_BYTES = 32
SIGNATURE_BYTES = 64

_P = 2**255 - 19
_ORDER = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, -1, _P) % _P
_ROOT_OF_MINUS_ONE = pow(2, (_P - 1) // 4, _P)

_Point = tuple[int, int, int, int]
"""X, Y, Z and T with x = X/Z, y = Y/Z, xy = T/Z."""


def is_signature(key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the owner of a key signed a message.

    Encodings that are not the one canonical form of a number or a point are refused.

    Args:
        key: The public key, 32 bytes.
        message: What was signed.
        signature: 64 bytes.
    """
    if len(key) != KEY_BYTES or len(signature) != SIGNATURE_BYTES:
        return False
    owner = _decoded(key)
    commitment, scalar = signature[:32], int.from_bytes(signature[32:], "little")
    if owner is None or scalar >= _ORDER:
        return False
    digest = hashlib.sha512(commitment + key + message).digest()
    challenge = int.from_bytes(digest, "little") % _ORDER
    x, y, z, t = owner
    expected = _sum(_times(scalar, _BASE), _times(challenge, (_P - x, y, z, _P - t)))
    # Compared as bytes, so that the commitment too has to be in its canonical form.
    return _encoded(expected) == commitment


def _sum(a: _Point, b: _Point) -> _Point:
    """The complete addition of the twisted Edwards curve: it also doubles."""
    low, high = (a[1] - a[0]) * (b[1] - b[0]) % _P, (a[1] + a[0]) * (b[1] + b[0]) % _P
    c, d = 2 * a[3] * b[3] * _D % _P, 2 * a[2] * b[2] % _P
    e, f, g, h = high - low, d - c, d + c, high + low
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _times(scalar: int, point: _Point) -> _Point:
    result: _Point = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            result = _sum(result, point)
        point = _sum(point, point)
        scalar >>= 1
    return result


def _root(y: int, odd: int) -> int | None:
    """The x of a point with this y, by whether it is odd; None if there is none."""
    square = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if x * x % _P != square:
        x = x * _ROOT_OF_MINUS_ONE % _P
    if x * x % _P != square or (x == 0 and odd):
        return None
    return _P - x if x & 1 != odd else x


def _decoded(text: bytes) -> _Point | None:
    number = int.from_bytes(text, "little")
    y, odd = number & ((1 << 255) - 1), number >> 255
    x = _root(y, odd) if y < _P else None
    return None if x is None else (x, y, 1, x * y % _P)


def _encoded(point: _Point) -> bytes:
    inverse = pow(point[2], -1, _P)
    x, y = point[0] * inverse % _P, point[1] * inverse % _P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def _base() -> _Point:
    y = 4 * pow(5, -1, _P) % _P
    x = _root(y, 0)
    assert x is not None
    return x, y, 1, x * y % _P


_BASE = _base()
