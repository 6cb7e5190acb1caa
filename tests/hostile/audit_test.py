"""Audit logs and checkpoints that were made to harm: each is refused by its own error."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from sakedge.audit import AuditLog, AuditSettings, Checkpoint, entries, verify
from sakedge.audit.entry import MAX_LINE, to_line
from sakedge.audit.note import sign_note
from sakedge.errors import (
    AuditError,
    FileFormatError,
    NewerFormatError,
    SakedgeError,
    SignatureError,
    UnsafePathError,
)
from sakedge.trust.keys import PrivateKey

FIRST = "entries-000000000001.jsonl"
ROOT = "A" * 43 + "="
BEGIN: Mapping[str, Any] = {
    "v": 1,
    "seq": 1,
    "time": "2026-11-26T04:00:00.000000Z",
    "clock_back": False,
    "who": "root",
    "host": "box",
    "pid": 1,
    "action": "begin",
    "subject": "",
    "old": None,
    "new": None,
    "result": "done",
    "detail": {},
    "prev": "0" * 64,
}


def _line(**changed: Any) -> bytes:
    """The first line with some fields changed, under the right hash."""
    return to_line({**BEGIN, **changed})


def _second(**changed: Any) -> bytes:
    """Both lines, the second with some fields changed, under the right hashes."""
    fields = {"seq": 2, "action": "load", "prev": hashlib.sha256(_line()).hexdigest()}
    return _line() + b"\n" + _line(**{**fields, **changed})


def _raw(text: str) -> bytes:
    """A line of any text, with the hash that fits."""
    content = text.encode(errors="surrogatepass")
    return b'%s, "hash": "%s"}' % (content, hashlib.sha256(content).hexdigest().encode())


def _spelt(old: str, new: str) -> bytes:
    return _raw(json.dumps(BEGIN)[:-1].replace(old, new))


LOGS: dict[str, tuple[bytes, type[SakedgeError], str]] = {
    "no JSON": (b"x", AuditError, "it is no entry"),
    "no object": (b"[]", AuditError, "it is no entry"),
    "nothing in it": (b"{}", AuditError, "it is no entry"),
    "a newer format": (_line(v=2), NewerFormatError, "got version 2"),
    "a format of no number": (_line(v="1"), AuditError, "v: "),
    "a field more": (_line(extra=1), AuditError, "extra: "),
    "a field less": (_raw(json.dumps({"v": 1})[:-1]), AuditError, "seq: "),
    "a key twice": (_spelt('"seq": 1', '"seq": 7, "seq": 1'), AuditError, "as sakedge writes"),
    "a space more": (_spelt('"seq": 1', '"seq":  1'), AuditError, "as sakedge writes"),
    "a letter as an escape": (_spelt('"root"', '"r\\u006fot"'), AuditError, "as sakedge writes"),
    "half a surrogate": (_spelt('"root"', '"\\ud800"'), AuditError, "it is no entry"),
    "no UTF-8": (_line().replace(b"root", b"ro\xfft"), AuditError, "it is no entry"),
    "NaN": (_spelt('"detail": {}', '"detail": {"x": NaN}'), AuditError, "it is no entry"),
    "infinity": (_spelt('"detail": {}', '"detail": {"x": 1e999}'), AuditError, "detail.x"),
    "a huge number": (_spelt('"pid": 1', f'"pid": {"9" * 5000}'), AuditError, "it is no entry"),
    "nested deeply": (
        _spelt('"detail": {}', f'"detail": {"[" * 9000}{"]" * 9000}'),
        AuditError,
        "it is no entry",
    ),
    "details in details": (_line(detail={"x": {}}), AuditError, "detail.x"),
    "too many details": (_line(detail={str(i): 0 for i in range(17)}), AuditError, "detail: "),
    "a text that is too long": (_line(subject="x" * 5000), AuditError, "subject: "),
    "a line that is too long": (b"x" * (MAX_LINE + 1), AuditError, "line that is too long"),
    "a time that is none": (_line(time="yesterday"), AuditError, "time: "),
    "a time of other digits": (
        _line(time="\u0662026-11-26T04:00:00.0Z"),
        AuditError,
        "time: ",
    ),
    "an action that is none": (_line(action="BEGIN"), AuditError, "action: "),
    "a result that is none": (_line(result="fine"), AuditError, "result: "),
    "a digest that is none": (_line(prev="0" * 63), AuditError, "prev: "),
    "a first line after another": (_line(prev="1" * 64), AuditError, "does not follow"),
    "no beginning": (_line(action="load"), AuditError, "expected the action begin"),
    "a number that is not the line's": (_line(seq=2), AuditError, "out of order"),
    "a clock that went back first": (_second(clock_back=True), AuditError, "clock_back"),
    "two beginnings": (_second(action="begin"), AuditError, "line 2"),
    "a rotation within a file": (_second(action="rotate"), AuditError, "line 2"),
    "nothing to recover": (
        _second(action="recovered", detail={"lines": 0, "bytes": 0, "sha256": "0" * 64}),
        AuditError,
        "does not account for",
    ),
    "two lines in one": (_line() + _line(), AuditError, "it is no entry"),
    "an end of another system": (_line() + b"\r", AuditError, "it is no entry"),
}


@pytest.mark.parametrize("case", LOGS)
def test_a_log_that_was_made_to_harm_is_refused_where_it_is_wrong(
    tmp_path: Path, case: str
) -> None:
    content, error, part = LOGS[case]
    (tmp_path / FIRST).write_bytes(content + b"\n")
    if error is NewerFormatError:
        with pytest.raises(NewerFormatError, match=part):
            verify(tmp_path)
    else:
        problem = verify(tmp_path).problem
        assert problem is not None
        assert part in problem
    with pytest.raises(error) as caught:
        list(entries(tmp_path))
    assert type(caught.value) is error


def test_what_these_are_made_of_is_right(tmp_path: Path) -> None:
    (tmp_path / FIRST).write_bytes(_second() + b"\n")
    assert verify(tmp_path).ok


def _link(folder: Path) -> None:
    (folder / "elsewhere").write_bytes(_line() + b"\n")
    (folder / FIRST).symlink_to(folder / "elsewhere")


def _pipe(folder: Path) -> None:
    os.mkfifo(folder / FIRST)


def _folder(folder: Path) -> None:
    (folder / FIRST).mkdir()


def _none(folder: Path) -> None:
    (folder / "entries-1.jsonl").write_bytes(_line() + b"\n")


@pytest.mark.skipif(os.name != "posix", reason="makes links and pipes")
@pytest.mark.parametrize(
    ("make", "part"),
    [
        (_link, "no regular file"),
        (_pipe, "no regular file"),
        (_folder, "no regular file"),
        (_none, "holds no audit log"),
    ],
)
def test_a_folder_of_something_else_is_refused(
    tmp_path: Path, make: Callable[[Path], None], part: str
) -> None:
    make(tmp_path)
    with pytest.raises(AuditError, match=part):
        verify(tmp_path)


@pytest.mark.skipif(os.name != "posix", reason="makes links")
def test_a_lock_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    log = AuditLog.open(tmp_path / "audit", AuditSettings(sync="never"))
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    (log.folder / "lock").unlink()
    (log.folder / "lock").symlink_to(victim)
    with pytest.raises(SakedgeError):
        log.append("load")
    assert victim.read_bytes() == b"precious"


NOTE = f"box\n1\n{ROOT}\n"
SIGNED = "\u2014 box " + "A" * 92 + "\n"
NOTES: dict[str, tuple[str | bytes, str]] = {
    "nothing": ("", "a blank line"),
    "no signature": (NOTE, "a blank line"),
    "a blank line and no signature": (f"{NOTE}\n", "a blank line"),
    "no end": (f"{NOTE}\n{SIGNED}"[:-1], "a blank line"),
    "no UTF-8": (b"\xff\n\n\xff\n", "no text in UTF-8"),
    "half a surrogate": ("\ud800", "no text in UTF-8"),
    "control characters": (f"b\x1bx\n\n{SIGNED}", "control characters"),
    "ends of another system": (f"{NOTE}\n{SIGNED}".replace("\n", "\r\n"), "control characters"),
    "a hyphen for a dash": (f"{NOTE}\n{SIGNED.replace(chr(0x2014), '-')}", "malformed"),
    "no base 64": (f"{NOTE}\n\u2014 box !!!!!!!!!!!!\n", "malformed"),
    "base 64 that ends early": (f"{NOTE}\n\u2014 box AAAAAAAAA\n", "malformed"),
    "many signatures": (f"{NOTE}\n{SIGNED * 17}", "more than 16 signatures"),
    "a megabyte": (f"{'x' * (1 << 20)}\n\n{SIGNED}", "more than 65536"),
}


@pytest.mark.parametrize("case", NOTES)
def test_what_is_no_signed_note_is_refused(case: str) -> None:
    note, part = NOTES[case]
    with pytest.raises(AuditError, match=part):
        Checkpoint.read(note, [PrivateKey.generate().public])


@pytest.mark.parametrize("content", ["A" * 92, "A" * 8, "A" * 1024])
def test_a_signature_of_no_key_or_of_another_length_is_none(content: str) -> None:
    with pytest.raises(SignatureError):
        Checkpoint.read(f"{NOTE}\n\u2014 box {content}\n", [PrivateKey.generate().public])


@pytest.mark.parametrize(
    "text",
    [
        "box\n",
        f"box\n-1\n{ROOT}\n",
        f"box\n01\n{ROOT}\n",
        f"box\n{'9' * 16}\n{ROOT}\n",
        f"box\n{'9' * 5000}\n{ROOT}\n",
        f"box\n1\n{ROOT[:-2]}\n",
        f"box\n\u0661\n{ROOT}\n",
        f"\n1\n{ROOT}\n",
        f"box\n1\n{ROOT}\n\nextension\n",
    ],
)
def test_a_signed_text_that_is_no_checkpoint_is_refused(text: str) -> None:
    key = PrivateKey.generate()
    with pytest.raises(FileFormatError, match="no checkpoint, though it is signed"):
        Checkpoint.read(sign_note(text, "box", key), [key.public])


def test_what_a_checkpoint_says_beyond_its_three_lines_is_passed_over() -> None:
    key = PrivateKey.generate()
    note = sign_note(f"{NOTE}more\n", "box", key)
    assert Checkpoint.read(note, [key.public]).size == 1


def test_a_file_that_became_a_link_while_it_was_looked_at_is_not_followed(tmp_path: Path) -> None:
    from sakedge.audit.segments import list_segments, read_lines

    (tmp_path / FIRST).write_bytes(_line() + b"\n")
    (segment,) = list_segments(tmp_path)
    (tmp_path / FIRST).rename(tmp_path / "x")
    (tmp_path / FIRST).symlink_to(tmp_path / "x")
    with pytest.raises(UnsafePathError):
        list(read_lines(segment))
