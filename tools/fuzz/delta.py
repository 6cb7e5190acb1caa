"""Hostile deltas: damaged, contradictory, or with steps and frames that claim too much."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import zstandard
from tools.fuzz.mutations import NUMBERS, dumps, json_bomb, spoil_bytes, spoil_json
from tools.fuzz.targets import Attempt
from tools.fuzz.tiny import write_tiny

from sakedge.errors import SakedgeError
from sakedge.format import StudentFile, extract_part, write_pack
from sakedge.format.delta import diff, patch, patch_file, read_info
from sakedge.format.delta.header import MAGIC

_START = len(MAGIC) + 4
Parts = tuple[dict[str, Any], list[bytes]]
"""A delta's header, and what each step takes; nothing for a copy."""


def prepare(folder: Path) -> Attempt:
    """Makes deltas between packs of each storage, and between two students."""
    write_tiny(folder / "old.onnx")
    write_tiny(folder / "new.onnx", seed=1)
    files = [folder / "old.onnx", folder / "new.onnx"]
    for student in ("old", "new"):
        with StudentFile.open(folder / f"{student}.onnx") as file:
            for storage in ("fp32", "fp16", "int8"):
                part = extract_part(file, "adapters.sam", version=student, storage=storage)
                files.append(folder / f"{student}.{storage}.safetensors")
                write_pack(files[-1], part.manifest, part.tensors)
    pairs = [(files[0], files[1]), *zip(files[2:5], files[5:8], strict=True), (files[2], files[4])]
    deltas = []
    for old, new in pairs:
        diff(old, new, folder / "sound.sakdelta")
        deltas.append((old, (folder / "sound.sakdelta").read_bytes()))
    path, out = folder / "update.sakdelta", folder / "out"

    def attempt(rng: random.Random) -> None:
        old, content = rng.choice(deltas)
        if rng.random() < 0.05:
            old = rng.choice(files)
        delta = rng.choice(_WAYS)(rng, content)
        try:
            stated = read_info(delta)
            made = patch(old.read_bytes(), delta)
            assert hashlib.sha256(made).hexdigest() == stated.new.sha256
            assert len(made) == stated.new.bytes
        finally:
            path.write_bytes(delta)
            out.write_bytes(b"as it was")
            try:
                patch_file(old, path, out)
            except SakedgeError:
                assert out.read_bytes() == b"as it was"

    return attempt


def _spoil_header(rng: random.Random, content: bytes) -> bytes:
    header, payload = _parts(content)
    if rng.random() < 0.3:
        text = json_bomb(rng, dumps(header)).encode(errors="surrogatepass")
        return MAGIC + len(text).to_bytes(4, "little") + text + b"".join(payload)
    spoil_json(rng, header)
    return _joined((header, payload))


def _spoil_steps(rng: random.Random, content: bytes) -> bytes:
    """Numbers of steps that are wrong, and now and then add up all the same."""
    header, payload = _parts(content)
    steps = header["steps"]
    for _ in range(rng.choice([1, 1, 2])):
        i = rng.randrange(len(steps))
        match rng.randrange(5):
            case 0:
                at = rng.randrange(len(steps[i]))
                steps[i][at] = rng.choice((*NUMBERS, "copy", "difference", "fresh"))
            case 1:  # one byte, or a lot, goes from one step to the next
                amount = rng.choice([1, 4, 4096])
                steps[i][1] -= amount
                steps[(i + 1) % len(steps)][1] += amount
            case 2:
                steps[i][2] = rng.choice([0, 1, steps[i][2] + 4, header["old"]["bytes"] - 1])
            case 3:
                j = rng.randrange(len(steps))
                steps[i], steps[j] = steps[j], steps[i]
                payload[i], payload[j] = payload[j], payload[i]
            case _:
                times = rng.choice([2, 2, 1000])
                steps[i : i + 1] = [list(steps[i]) for _ in range(times)]
                payload[i : i + 1] = [payload[i]] * times
    if rng.random() < 0.5:
        with_lengths = [step[1] for step in steps if isinstance(step[1], int)]
        header["new"]["bytes"] = sum(with_lengths)
    return _joined((header, payload))


def _spoil_frames(rng: random.Random, content: bytes) -> bytes:
    """Frames that hold something else: more, less, with a checksum, of another dictionary."""
    header, payload = _parts(content)
    taking = [i for i, step in enumerate(header["steps"]) if step[0] != "copy"]
    i = rng.choice(taking)
    length = header["steps"][i][1]
    body = rng.choice([bytes(length), rng.randbytes(min(length, 999)), bytes(rng.choice(_SIZES))])
    options: dict[str, Any] = {
        "write_content_size": rng.random() < 0.7,
        "write_checksum": rng.random() < 0.3,
        "window_log": rng.choice([10, 20, 27]),
    }
    if rng.random() < 0.2:
        options["format"] = zstandard.FORMAT_ZSTD1_MAGICLESS
    known = zstandard.ZstdCompressionDict(rng.randbytes(99))
    frame = zstandard.ZstdCompressor(
        compression_params=zstandard.ZstdCompressionParameters.from_level(3, **options),
        dict_data=known if rng.random() < 0.2 else None,
    ).compress(body)
    frame = rng.choice([frame, frame + frame, spoil_bytes(rng, frame), payload[i] + b"more", b"?"])
    payload[i] = frame or b"?"
    header["steps"][i][-1] = len(payload[i])
    return _joined((header, payload))


_SIZES = (0, 1, 1 << 22, 1 << 24)
_WAYS: tuple[Callable[[random.Random, bytes], bytes], ...] = (
    *(spoil_bytes, _spoil_header, _spoil_steps, _spoil_steps, _spoil_frames, _spoil_frames),
)


def _parts(content: bytes) -> Parts:
    length = int.from_bytes(content[len(MAGIC) : _START], "little")
    header = json.loads(content[_START : _START + length])
    at, payload = _START + length, []
    for step in header["steps"]:
        taken = 0 if step[0] == "copy" else step[-1]
        payload.append(content[at : at + taken])
        at += taken
    return header, payload


def _joined(parts: Parts) -> bytes:
    header, payload = parts
    text = dumps(header).encode(errors="surrogatepass")
    return MAGIC + len(text).to_bytes(4, "little") + text + b"".join(payload)
