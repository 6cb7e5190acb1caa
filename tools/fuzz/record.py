"""Hostile records of benchmarks: damaged or contradictory, shown and compared with a sound one."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

from tools.fuzz.mutations import dumps, json_bomb, spoil_bytes, spoil_json
from tools.fuzz.targets import Attempt

from sakedge.benchmarking import compare, read_record
from sakedge.benchmarking.comparison import sentence
from sakedge.benchmarking.report import glance
from sakedge.benchmarking.report.page import render_comparison, render_record

_SOUND = Path(__file__).parents[2] / "docs/hardware/sapphire-rapids/vit_base-512-int8.json"
_DRAWN = 0.02
"""Share of the records that are accepted of which pages are made: those take half a second."""


def prepare(folder: Path) -> Attempt:
    """Puts hostile records in the place of a sound one."""
    content = _SOUND.read_bytes()
    sound = read_record(_SOUND)
    path = folder / "record.json"

    def attempt(rng: random.Random) -> None:
        path.write_bytes(rng.choice(_WAYS)(rng, content))
        found = read_record(path)
        assert (found.results is None) == (not found.rounds)
        glance.answers(found)
        compared = compare(sound, found, anyway=True)
        assert all(len(sentence(row)) < 200 for row in compared.rows)
        if rng.random() < _DRAWN:
            assert "<script" not in render_record(found)
            assert "<script" not in render_comparison(compared, ("a.json", "b.json"))

    return attempt


def _spoil_fields(rng: random.Random, content: bytes) -> bytes:
    fields = json.loads(content)
    spoil_json(rng, fields)
    return dumps(fields).encode(errors="surrogatepass")


def _bomb(rng: random.Random, content: bytes) -> bytes:
    return json_bomb(rng, content.decode()).encode(errors="surrogatepass")


_WAYS: tuple[Callable[[random.Random, bytes], bytes], ...] = (
    *(spoil_bytes, _spoil_fields, _spoil_fields, _spoil_fields, _bomb),
)
