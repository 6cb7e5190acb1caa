"""Deltas that were damaged or forged: each refused by its own error, before it costs anything."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zstandard
from safetensors.numpy import save_file

from sakedge.errors import (
    DeltaError,
    FileFormatError,
    NewerFormatError,
    TruncatedFileError,
    WrongBaseError,
)
from sakedge.format.delta import diff, patch, patch_file, read_info
from sakedge.format.delta.header import MAGIC, MAX_HEADER, MAX_STEP, MAX_STEPS

START = len(MAGIC) + 4


@dataclass
class Delta:
    """A delta in parts: its header, and what each step takes."""

    header: dict[str, Any]
    payload: list[bytes]

    @classmethod
    def of(cls, content: bytes) -> Delta:
        length = int.from_bytes(content[len(MAGIC) : START], "little")
        header = json.loads(content[START : START + length])
        at, payload = START + length, []
        for step in header["steps"]:
            taken = 0 if step[0] == "copy" else step[-1]
            payload.append(content[at : at + taken])
            at += taken
        assert at == len(content)
        return cls(header, payload)

    def index(self, kind: str) -> int:
        """Number of the first step of a kind."""
        return next(i for i, step in enumerate(self.header["steps"]) if step[0] == kind)

    def step(self, kind: str) -> list[Any]:
        """The first step of a kind."""
        found: list[Any] = self.header["steps"][self.index(kind)]
        return found

    def replace(self, kind: str, packed: bytes) -> None:
        """Gives the first step of a kind something else to take."""
        self.payload[self.index(kind)] = packed
        self.step(kind)[-1] = len(packed)

    def content(self) -> bytes:
        text = json.dumps(self.header).encode()
        return MAGIC + len(text).to_bytes(4, "little") + text + b"".join(self.payload)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The old file; beside it lies `update.sakdelta`, with a step of each kind."""
    folder = tmp_path_factory.mktemp("base")
    rng = np.random.default_rng(0)
    old = {
        "a": rng.standard_normal((64, 64)).astype(np.float32),
        "b": rng.integers(-127, 128, (64, 64), np.int8),
        "c": rng.standard_normal(50).astype(np.float32),
        "d": rng.standard_normal(600).astype(np.float32),
    }
    new = {**old, "a": old["a"] * np.float32(1.0001), "c": rng.standard_normal(60)}
    new["b"] = np.where(rng.random(old["b"].shape) < 0.05, 0, old["b"]).astype(np.int8)
    new["c"] = new["c"].astype(np.float32)
    save_file(old, folder / "old.safetensors")
    save_file(new, folder / "new.safetensors")
    diff(folder / "old.safetensors", folder / "new.safetensors", folder / "update.sakdelta")
    delta = Delta.of((folder / "update.sakdelta").read_bytes())
    kinds = {step[0] for step in delta.header["steps"]}
    assert kinds == {"copy", "difference", "sparse", "fresh"}
    return folder / "old.safetensors"


def _frame(content: bytes, **options: Any) -> bytes:
    parameters = zstandard.ZstdCompressionParameters.from_level(1, **options)
    packed: bytes = zstandard.ZstdCompressor(compression_params=parameters).compress(content)
    return packed


def _refuse(base: Path, tmp_path: Path, content: bytes, error: type, reason: str) -> None:
    """Refused in memory and as a file, alike, and what is there stays."""
    with pytest.raises(error, match=reason) as caught:
        patch(base.read_bytes(), content, "update.sakdelta")
    assert type(caught.value) is error and len(str(caught.value)) < 2500
    (tmp_path / "update.sakdelta").write_bytes(content)
    (tmp_path / "out").write_bytes(b"in use")
    with pytest.raises(error, match=reason):
        patch_file(base, tmp_path / "update.sakdelta", tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == b"in use"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "update.sakdelta"]


def _sound(base: Path) -> bytes:
    return base.with_name("update.sakdelta").read_bytes()


@pytest.mark.parametrize(
    ("spoil", "error", "reason"),
    [
        (lambda c: b"", DeltaError, "no delta"),
        (lambda c: c[:5], DeltaError, "no delta"),
        (lambda c: b"PK" + c[2:], DeltaError, "no delta"),
        (lambda c: c[:10], TruncatedFileError, "ends too early"),
        (lambda c: c[:40], TruncatedFileError, "ends too early"),
        (lambda c: c[:-1], TruncatedFileError, "ends too early"),
        (lambda c: c + b"x", DeltaError, "more than its steps take"),
        (lambda c: c[:8] + b"\xff" * 4 + c[12:], DeltaError, f"more than {MAX_HEADER}"),
        (lambda c: c[:8] + bytes(4) + c[12:], DeltaError, "not JSON"),
        (lambda c: c[:12] + b"[" + c[13:], DeltaError, "not JSON"),
        (lambda c: c.replace(b'"tool"', b'"name"'), DeltaError, "a key twice"),
        (lambda c: c.replace(b'"tool"', b'"food"'), DeltaError, "tool: Field required"),
        (lambda c: c[:-40] + bytes(20) + c[-20:], DeltaError, "damaged"),
    ],
)
def test_damaged_bytes(
    base: Path,
    tmp_path: Path,
    spoil: Callable[[bytes], bytes],
    error: type[FileFormatError],
    reason: str,
) -> None:
    _refuse(base, tmp_path, spoil(_sound(base)), error, reason)


def _set(**fields: Any) -> Callable[[Delta], None]:
    return lambda delta: delta.header.update(fields)


def _part(kind: str, **fields: Any) -> Callable[[Delta], None]:
    return lambda delta: delta.header[kind].update(fields)


def _step(kind: str, at: int, value: Any) -> Callable[[Delta], None]:
    def change(delta: Delta) -> None:
        step = delta.step(kind)
        step[at] = value(step[at]) if callable(value) else value

    return change


def _packed(kind: str, make: Callable[[int], bytes]) -> Callable[[Delta], None]:
    """What a step of a kind takes, made from the length that is wanted there."""

    def change(delta: Delta) -> None:
        step = delta.step(kind)
        delta.replace(kind, make(2 * step[3] if kind == "sparse" else step[1]))

    return change


@pytest.mark.parametrize(
    ("change", "error", "reason"),
    [
        (_set(format_version=2), NewerFormatError, "version 2"),
        (_set(format_version=0), DeltaError, "format_version"),
        (_set(format_version="1"), DeltaError, "format_version"),
        (_set(name="../passwd"), DeltaError, "no name of a file"),
        (_set(name="CON"), DeltaError, "no name of a file"),
        (_set(name="a\n.st"), DeltaError, "no name of a file"),
        (_set(name="x" * 257), DeltaError, "name"),
        (_set(more=1), DeltaError, "more: Extra inputs"),
        (_set(steps=[]), DeltaError, "steps"),
        (_set(steps={}), DeltaError, "steps"),
        (_set(steps=[["copy", 5, 0]] * 3), DeltaError, "the steps make 15 bytes of"),
        (_part("old", sha256="0" * 64), WrongBaseError, "made for another file"),
        (_part("old", sha256="0" * 63), DeltaError, "old"),
        (_part("old", bytes=1 << 30), WrongBaseError, "made for another file"),
        (_part("old", bytes=True), DeltaError, "old"),
        (_part("new", sha256="0" * 64), DeltaError, "does not make the file"),
        (_part("new", bytes=5), DeltaError, "the steps make"),
        (_part("new", bytes=1 << 40), DeltaError, "new"),
        (_part("new", bytes=1 << 30), DeltaError, "a file of 1073741824 bytes from one of"),
        (_step("copy", 0, "move"), DeltaError, "steps"),
        (_step("copy", 2, 1 << 30), DeltaError, "refers to byte"),
        (_step("copy", 2, -1), DeltaError, "steps"),
        (_step("copy", 2, 1.0), DeltaError, "steps"),
        (_step("copy", 2, lambda at: at + 4), DeltaError, "does not make the file"),
        (_step("difference", 2, 1 << 30), DeltaError, "refers to byte"),
        (_step("difference", 3, 8), DeltaError, "steps"),
        (_step("difference", 3, 2), DeltaError, "does not make the file"),
        (_step("difference", 1, MAX_STEP + 4), DeltaError, "steps"),
        (_step("difference", 1, lambda length: length + 1), DeltaError, "no words of 4"),
        (_step("difference", 4, 0), DeltaError, "steps"),
        (_step("difference", 4, lambda packed: packed + 9), TruncatedFileError, "ends too early"),
        (_step("difference", 4, lambda packed: packed - 9), DeltaError, "more than its steps"),
        (_step("fresh", 3, 1 << 22), DeltaError, "refers to byte"),
        (_step("fresh", 3, (1 << 22) + 1), DeltaError, "steps"),
        (_step("sparse", 3, 0), DeltaError, "steps"),
        (_step("sparse", 3, lambda pairs: pairs + 1), DeltaError, "bytes in it"),
        (_packed("difference", lambda n: b"no frame at all"), DeltaError, "damaged"),
        (_packed("difference", lambda n: _frame(bytes(n + 1))), DeltaError, "bytes in it"),
        (_packed("difference", lambda n: _frame(bytes(n - 1))), DeltaError, "bytes in it"),
        (_packed("difference", lambda n: _frame(bytes(n))), DeltaError, "does not make the file"),
        (_packed("difference", lambda n: _frame(bytes(n)) * 2), DeltaError, "damaged"),
        (_packed("difference", lambda n: _frame(bytes(n)) + b"x"), DeltaError, "damaged"),
        (
            _packed("difference", lambda n: _frame(bytes(n), write_content_size=False)),
            DeltaError,
            "bytes in it",
        ),
        (_packed("sparse", lambda n: _frame(b"\xff" * n)), DeltaError, "beyond its end"),
    ],
)
def test_contradictory_headers_and_frames(
    base: Path,
    tmp_path: Path,
    change: Callable[[Delta], None],
    error: type[FileFormatError],
    reason: str,
) -> None:
    delta = Delta.of(_sound(base))
    change(delta)
    _refuse(base, tmp_path, delta.content(), error, reason)


def test_a_frame_that_claims_more_than_its_step_is_not_unpacked(base: Path) -> None:
    delta = Delta.of(_sound(base))
    delta.replace("difference", _frame(bytes(1 << 28)))  # 25 kB that become 256 MB
    content, old = delta.content(), base.read_bytes()
    tracemalloc.start()
    with pytest.raises(DeltaError, match="bytes in it"):
        patch(old, content)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 23


def test_more_steps_than_any_delta_needs_are_not_read(base: Path) -> None:
    delta = Delta.of(_sound(base))
    length = delta.header["old"]["bytes"]
    delta.header["steps"], delta.payload = [["copy", length, 0]] * (MAX_STEPS + 1), []
    with pytest.raises(DeltaError, match=f"steps: .* at most {MAX_STEPS}"):
        read_info(delta.content())


def test_what_a_changed_step_would_make_is_never_given_out(base: Path) -> None:
    """Whatever a header is changed to, bytes of another digest than it states do not come out."""
    content = _sound(base)
    made = 0
    for at in range(START, len(content), 7):
        changed = bytearray(content)
        changed[at] ^= 1
        try:
            result = patch(base.read_bytes(), bytes(changed))
        except FileFormatError:
            continue
        made += 1  # the tool's or the file's name changed
        assert result == base.with_name("new.safetensors").read_bytes()
    assert made < 10
