"""Hostile audit logs and checkpoints: damaged, or forged under hashes that fit."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path

from tools.fuzz.mutations import dumps, json_bomb, spoil_bytes, spoil_json
from tools.fuzz.targets import Attempt

from sakedge.audit import AuditLog, AuditSettings, Checkpoint, entries, verify
from sakedge.audit.export import export
from sakedge.audit.note import sign_note
from sakedge.errors import SakedgeError
from sakedge.trust.keys import PrivateKey

_SETTINGS = AuditSettings(sync="never", rotate_bytes=4096)


def prepare(folder: Path) -> Attempt:
    """Makes a sound log of two files and a checkpoint of it, and puts hostile ones in its place."""
    log, key = AuditLog.open(folder / "audit", _SETTINGS), PrivateKey.generate()
    while len(list(log.folder.glob("entries-*"))) < 2:
        log.append("swap", subject="adapters.sam", old="a" * 64, detail={"ms": 1.5, "n": 3})
    note = log.checkpoint(key, origin="box")
    sound = {path.name: path.read_bytes() for path in log.folder.glob("entries-*")}

    def attempt(rng: random.Random) -> None:
        if rng.random() < 0.2:
            _spoiled_checkpoint(rng, note, key)
            return
        for name, content in sound.items():
            path = log.folder / name
            path.unlink(missing_ok=True)
            path.write_bytes(content)
        path = log.folder / rng.choice(sorted(sound))
        path.write_bytes(rng.choice(_WAYS)(rng, path.read_bytes()))
        try:
            _read(rng, log, note, key)
        finally:
            for left in log.folder.glob("entries-*"):
                left.unlink()
            shutil.rmtree(folder / "copy", ignore_errors=True)

    return attempt


def _read(rng: random.Random, log: AuditLog, note: str, key: PrivateKey) -> None:
    verdict = verify(log.folder, [note], [key.public], archived=rng.random() < 0.5)
    assert len(str(verdict.problem)) + len(str(verdict.torn)) < 5000
    try:
        log.append("load")
    except SakedgeError:
        assert verdict.problem is not None
        raise
    if verdict.problem is None:
        after = verify(log.folder, [note], [key.public], archived=True)
        assert after.ok, after.problem
    export(log.folder, log.folder.parent / "copy")
    list(entries(log.folder))


def _spoiled_checkpoint(rng: random.Random, note: str, key: PrivateKey) -> None:
    if rng.random() < 0.5:
        Checkpoint.read(spoil_bytes(rng, note.encode()), [key.public])
        return
    text = note.partition("\n\n")[0].encode() + b"\n"
    spoilt = spoil_bytes(rng, text).decode(errors="replace")
    Checkpoint.read(sign_note(spoilt, "box", key), [key.public])


def _spoil_line(rng: random.Random, content: bytes) -> bytes:
    """Other fields in one line, under its own hash; now and then those after it fit too."""
    lines = content.splitlines()
    at = rng.randrange(len(lines))
    fields = json.loads(lines[at])
    if rng.random() < 0.3:
        text = json_bomb(rng, dumps(fields))
    else:
        spoil_json(rng, fields)
        text = dumps(fields)
    lines[at] = _with_hash(text.encode(errors="surrogatepass"))
    if rng.random() < 0.5:
        for i in range(at + 1, len(lines)):
            following = json.loads(lines[i])
            following["prev"] = hashlib.sha256(lines[i - 1]).hexdigest()
            lines[i] = _with_hash(dumps(following).encode())
    return b"\n".join(lines) + b"\n"


def _with_hash(text: bytes) -> bytes:
    content = text.rpartition(b', "hash"')[0] or text.removesuffix(b"}")
    return b'%s, "hash": "%s"}' % (content, hashlib.sha256(content).hexdigest().encode())


def _reorder(rng: random.Random, content: bytes) -> bytes:
    lines = content.splitlines(keepends=True)
    match rng.randrange(3):
        case 0:
            rng.shuffle(lines)
        case 1:
            del lines[rng.randrange(len(lines)) :]
        case _:
            lines.insert(rng.randrange(len(lines)), rng.choice(lines))
    return b"".join(lines)


def _tear(rng: random.Random, content: bytes) -> bytes:
    rest = rng.choice([b"", b"\0" * 5000, b"\n", b"{\n" * 70, b"x" * 70_000])
    return content[: rng.randrange(len(content))] + rest


_WAYS: tuple[Callable[[random.Random, bytes], bytes], ...] = (
    *(spoil_bytes, _spoil_line, _spoil_line, _reorder, _tear),
)
