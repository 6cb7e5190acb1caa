"""Ways to spoil bytes and JSON, for every target whose inputs are made of them."""

from __future__ import annotations

import json
import math
import random
from typing import Any

NUMBERS: tuple[Any, ...] = (
    *(0, -1, 1, 2, 3, 7, 16, 255, 256, 4096, 65536, 2**31 - 1, 2**31, 2**32, 2**53, 2**63),
    *(-(2**63), 2**64, 10**30, 10**400, 0.5, 1e-300, 1e300, math.nan, math.inf, -math.inf),
    *(None, True, False, "1", "\u0663", [], {}, [[]], {"a": {}}),
)
TEXTS = (
    *("", " ", ".", "..", "../x", "/etc/passwd", "a/b", "a\\b", "C:x", "NUL", "a\0b", "%2e%2e/x"),
    *("\u202e", "\U0001f600", "\ud800", "\x1b[2J", "x" * 3000, "image", "x0", "labels", "scalar"),
)
_LENGTHS = (127, 2**14, 2**21, 2**28, 2**31 - 1, 2**32, 2**35, 2**63, 2**64 - 1)


def spoil_bytes(rng: random.Random, content: bytes) -> bytes:
    """Flips, cuts, repeats, overwrites, moves or lengthens some bytes, mostly near the start."""
    data = bytearray(content)

    def place() -> int:
        return int(len(data) * rng.random() ** rng.choice([1, 4, 8]))

    at, length = place(), rng.randrange(1, 300)
    match rng.randrange(7):
        case 0 | 1:
            for _ in range(rng.choice([1, 1, 1, 2, 8])):
                data[place()] ^= 1 << rng.randrange(8)
        case 2:
            del data[at:]
        case 3:
            data[at:at] = data[at : at + length] * rng.choice([1, 1, 100])
        case 4:
            data[at : at + length % 16] = rng.randbytes(length % 16)
        case 5:
            other = place()
            data[at : at + length] = data[other : other + length]
        case _:
            number = varint(rng.choice(_LENGTHS))
            data[at : at + rng.choice([1, len(number)])] = number
    return bytes(data)


def varint(value: int) -> bytes:
    """A number as protobuf writes it."""
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def spoil_json(rng: random.Random, value: Any) -> None:
    """Replaces, adds, removes or repeats a value somewhere in JSON that is a list or an object."""
    keys = list(value) if isinstance(value, dict) else list(range(len(value)))
    if not keys:
        return
    key = rng.choice(keys)
    inner = value[key]
    if isinstance(inner, dict | list) and inner and rng.random() < 0.8:
        spoil_json(rng, inner)
        return
    match rng.randrange(6):
        case 0:
            value.pop(key)
        case 1 if isinstance(inner, int | float):
            value[key] = inner + rng.choice([1, -1, 16, 1e-7, 1e300])
        case 2:
            value[key] = rng.choice(TEXTS)
        case 3 if isinstance(value, dict):
            value[f"{key}2"] = inner
        case 3:
            value.extend([inner] * rng.choice([1, 1, 5000]))
        case _:
            value[key] = rng.choice(NUMBERS)


def json_bomb(rng: random.Random, text: str) -> str:
    """Spoils an object's JSON as text, in ways that no JSON writer would, or floods it."""
    body = text.strip()[1:-1]
    many = rng.choice([10, 1000, 100_000])
    extra = rng.choice(
        [
            f'"extra":{"[" * many}{"]" * many}',
            '"extra":' + '{"a":' * many + "1" + "}" * many,
            f'"extra":{"9" * many}',
            f'"extra":0.{"9" * many}',
            '"extra":1e999999',
            '"extra":NaN',
            '"extra":"\\ud800"',
            '"format_version":' + rng.choice(["99", "-1", "2.0", "1e0", "9" * many]),
            '"digests":{' + ",".join(f'"{i}":0' for i in range(many)) + "}",
            '"levels":[' + ",".join(['""'] * many) + "]",
            '"tasks":[' + ",".join(["{}"] * many) + "]",
            ",".join(f'"k{i}":{i}' for i in range(many)),
            f'"requires":["{"x" * many}"]',
        ]
    )
    parts = [body, extra] if rng.random() < 0.5 else [extra, body]
    return rng.choice(["{" + ",".join(parts) + "}"] * 9 + [text + text, text[: many % len(text)]])


def dumps(value: Any) -> str:
    """JSON as Python writes it, NaN and half surrogate pairs included."""
    return json.dumps(value)
