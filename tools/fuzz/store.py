"""Hostile stores: one or two files damaged or contradictory, read, changed and gone back in."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path

from tools.crash_store.packs import make_packs
from tools.fuzz.mutations import dumps, json_bomb, spoil_bytes, spoil_json
from tools.fuzz.targets import Attempt

from sakedge.store import Store

_RUNNING = {
    "format_version": 1,
    "pid": 4711,
    "student": "0" * 64,
    "generation": 2,
    "since": "2026-11-26T04:12:00Z",
    "adapters": {"sam": "0" * 64},
    "refused": {"sam@line3": "no"},
}


def prepare(folder: Path) -> Attempt:
    """Makes a sound store, a copy of which is spoilt in each attempt."""
    (folder / "packs").mkdir()
    packs = make_packs(folder / "packs", versions=2)
    sound, spoilt = folder / "sound", folder / "spoilt"
    store = Store.create(sound)
    for pack in packs:
        store.activate("sam", store.add(pack).version)
    (sound / "running" / "4711-0.json").write_text(dumps(_RUNNING))

    def attempt(rng: random.Random) -> None:
        if spoilt.exists():
            shutil.rmtree(spoilt)
        shutil.copytree(sound, spoilt)
        there = sorted(path for path in spoilt.rglob("*") if path.is_file())
        for path in rng.sample(there, rng.choice([1, 1, 2])):
            ways = _JSON if path.suffix == ".json" else _BYTES
            path.write_bytes(rng.choice(ways)(rng, path.read_bytes()))
        store = Store.open(spoilt)
        store.running()
        acts: tuple[Callable[[], object], ...] = (
            lambda: [store.path(each.digest) for each in store.entries()],
            lambda: store.activate(rng.choice(["sam", "sam@line3"]), rng.choice(["1", "2"])),
            lambda: store.rollback(rng.choice([None, "sam"])),
            lambda: store.deactivate("sam"),
            lambda: store.add(rng.choice(packs)),
            lambda: store.gc(rng.choice([0, 1])),
            store.history,
        )
        for act in rng.sample(acts, 2):
            act()

    return attempt


def _spoil_fields(rng: random.Random, content: bytes) -> bytes:
    fields = json.loads(content)
    spoil_json(rng, fields)
    return dumps(fields).encode(errors="surrogatepass")


def _bomb(rng: random.Random, content: bytes) -> bytes:
    return json_bomb(rng, content.decode()).encode(errors="surrogatepass")


_BYTES: tuple[Callable[[random.Random, bytes], bytes], ...] = (spoil_bytes,)
_JSON = (*_BYTES, _spoil_fields, _spoil_fields, _bomb)
