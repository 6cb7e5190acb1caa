"""Hostile choices: damaged or contradictory, pinned and found in the cache."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

from tools.fuzz.mutations import dumps, json_bomb, spoil_bytes, spoil_json
from tools.fuzz.targets import Attempt

from sakedge.backends.cache_dir import CacheDir
from sakedge.runtime import machine
from sakedge.runtime.choice import (
    Choice,
    Measured,
    Setting,
    find_choice,
    read_choice,
    store_choice,
)
from sakedge.text import to_json


def prepare(folder: Path) -> Attempt:
    """Makes a sound choice, and puts hostile ones in its place."""
    setting = Setting.here("0" * 64, None, "fp32", 1)
    sound = Choice(
        model="host",
        backend="onnxruntime",
        setting=setting,
        versions=machine.backend_versions(),
        date="2026-11-25",
        measured=(
            Measured(model="host", backend="onnxruntime", ms=1.5, peak=1 << 27, error=1e-6),
            Measured(model="host", backend="openvino", refused="not installed"),
        ),
    )
    content = to_json(sound.to_dict(), indent=2).encode()
    stored = store_choice(folder, sound)
    assert find_choice(CacheDir(folder), setting) == (sound, "")

    def attempt(rng: random.Random) -> None:
        stored.write_bytes(rng.choice(_WAYS)(rng, content))
        found, ignored = find_choice(CacheDir(folder), setting)
        assert (found is None) == bool(ignored)
        assert len(ignored) < _LONGEST
        assert found is None or len(f"{found.figures} {found.date}") < _LONGEST
        read_choice(stored)

    return attempt


_LONGEST = 5000
"""Characters of what is told of a choice."""


def _spoil_fields(rng: random.Random, content: bytes) -> bytes:
    fields = json.loads(content)
    spoil_json(rng, fields)
    return dumps(fields).encode(errors="surrogatepass")


def _bomb(rng: random.Random, content: bytes) -> bytes:
    return json_bomb(rng, content.decode()).encode(errors="surrogatepass")


_WAYS: tuple[Callable[[random.Random, bytes], bytes], ...] = (
    *(spoil_bytes, _spoil_fields, _spoil_fields, _bomb),
)
