"""Hostile update repositories: damaged, or spoilt and signed again; and states of their boxes."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tools.fuzz.mutations import dumps, json_bomb, spoil_bytes, spoil_json
from tools.fuzz.resign import Fields, metadata_path, resign
from tools.fuzz.targets import Attempt

from sakedge.errors import SakedgeError
from sakedge.trust.tuf.client import Client
from sakedge.trust.tuf.looking import look
from sakedge.trust.tuf.publisher import Publisher

_ROLES = ("timestamp", "snapshot", "targets", "root")


def prepare(folder: Path) -> Attempt:
    """Makes a sound repository, and a box that has seen it; each attempt begins with copies."""
    sound, keys = folder / "sound", folder / "keys"
    office = Publisher.init(sound, keys)
    for name in ("a.bin", "b.bin"):
        (folder / name).write_bytes(name.encode())
    office.publish([folder / "a.bin", folder / "b.bin"])
    root = (keys / "root.json").read_bytes()
    Client(root, folder / "seen").refresh(sound)
    office.rotate("root")
    office.publish([folder / "a.bin"])
    repository, state = folder / "repository", folder / "state"

    def attempt(rng: random.Random) -> None:
        for made, of in ((repository, sound), (state, folder / "seen")):
            shutil.rmtree(made, ignore_errors=True)
            shutil.copytree(of, made)
        anchor = root
        match rng.randrange(8):
            case 0:
                _edit(rng, state / "trusted.json")
            case 1:
                anchor = _edited(rng, root)
            case 2:
                _edit(rng, rng.choice(list((repository / "targets").iterdir())))
            case 3 | 4:
                _edit(rng, metadata_path(repository, rng.choice(_ROLES)))
            case _:
                _resign(rng, repository, keys)
        with suppress(SakedgeError):  # what the box then finds may be another
            look(repository)
        box = Client(anchor, state)
        try:
            box.refresh(repository)
        finally:
            assert len(box.targets(may_be_expired=True)) < 10
        for name in box.targets():
            content = box.fetch(repository, name)
            assert box.check(name, content).length == len(content)

    return attempt


def _resign(rng: random.Random, repository: Path, keys: Path) -> None:
    def spoil(fields: Fields) -> None:
        for _ in range(rng.choice([1, 1, 3])):
            spoil_json(rng, fields)

    # What is spoilt so far that it cannot be named any more is left with what named it before.
    with suppress(KeyError, TypeError, AttributeError, UnicodeEncodeError):
        resign(repository, keys, rng.choice(_ROLES), spoil)


def _edit(rng: random.Random, path: Path) -> None:
    path.write_bytes(_edited(rng, path.read_bytes()))


def _edited(rng: random.Random, content: bytes) -> bytes:
    way: Callable[[random.Random, bytes], bytes] = rng.choice((spoil_bytes, _fields, _bomb))
    return way(rng, content) if content.startswith(b"{") else spoil_bytes(rng, content)


def _fields(rng: random.Random, content: bytes) -> bytes:
    fields = json.loads(content)
    spoil_json(rng, fields)
    return dumps(fields).encode(errors="surrogatepass")


def _bomb(rng: random.Random, content: bytes) -> bytes:
    return json_bomb(rng, content.decode()).encode(errors="surrogatepass")
