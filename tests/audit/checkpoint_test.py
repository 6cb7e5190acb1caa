"""Checkpoints and the tree under them, against what the specifications give."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from pathlib import Path

import pytest

from sakedge.audit import AuditLog, Checkpoint, verify, write_checkpoint
from sakedge.audit.merkle import Tree
from sakedge.audit.note import open_note, sign_note
from sakedge.errors import AuditError, OptionError, SignatureError
from sakedge.trust.keys import PrivateKey, PublicKey

# Of RFC 6962's reference implementation: leaves, and the roots of the first 0 … 8 of them.
LEAVES = [
    *("", "00", "10", "2021", "3031", "40414243", "5051525354555657"),
    "606162636465666768696a6b6c6d6e6f",
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]

# The example of c2sp.org/signed-note: its key, as a verifier key, and its note.
KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
SIGNATURE = (
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM="
)
NOTE = f"This is an example message.\n\n— example.com/foo {SIGNATURE}\n"


def test_roots_are_those_of_rfc_6962() -> None:
    tree = Tree()
    roots = [tree.root().hex()]
    for leaf in LEAVES:
        tree.add(bytes.fromhex(leaf))
        roots.append(tree.root().hex())
    assert roots == ROOTS


def _root(leaves: Sequence[bytes]) -> bytes:
    """As RFC 6962 defines it, by recursion."""
    if len(leaves) <= 1:
        return hashlib.sha256(b"\0" + leaves[0] if leaves else b"").digest()
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + _root(leaves[:split]) + _root(leaves[split:])).digest()


def test_a_tree_that_is_continued_from_its_subtrees_has_the_same_root() -> None:
    leaves = [bytes([i]) * i for i in range(70)]
    tree = Tree()
    for i, leaf in enumerate(leaves, start=1):
        tree = Tree.from_hex(tree.size, tree.to_hex())
        tree.add(leaf)
        assert tree.root() == _root(leaves[:i])


@pytest.mark.parametrize(("size", "text"), [(1, ""), (0, "00" * 32), (3, "00" * 32), (1, "0g")])
def test_subtrees_that_are_none_of_a_size_are_refused(size: int, text: str) -> None:
    with pytest.raises(ValueError):
        Tree.from_hex(size, text)


def test_the_example_of_the_specification_verifies() -> None:
    key = PublicKey.from_raw(base64.b64decode(KEY.split("+", 2)[2])[1:])
    text, signers = open_note(NOTE, [key])
    assert text == "This is an example message.\n"
    assert signers == (f"example.com/foo {key.keyid}",)
    with pytest.raises(SignatureError):
        open_note(NOTE.replace("example message", "example massage"), [key])


def test_a_checkpoint_states_the_tree_over_the_lines(log: AuditLog, key: PrivateKey) -> None:
    for i in range(25):
        log.append("load", detail={"i": i})
    note = log.checkpoint(key, origin="plant7/line3/box1")
    files = sorted(log.folder.glob("entries-*"))
    lines = b"".join(path.read_bytes() for path in files).splitlines()
    assert len(files) > 1
    assert note.splitlines()[:4] == [
        "plant7/line3/box1",
        str(len(lines)),
        base64.b64encode(_root(lines)).decode(),
        "",
    ]
    assert note.splitlines()[4].startswith("— plant7/line3/box1 ")
    assert verify(log.folder, [note], [key.public]).ok


def test_a_checkpoint_is_worth_its_key(log: AuditLog, key: PrivateKey) -> None:
    note = log.checkpoint(key)
    with pytest.raises(OptionError, match="worth nothing without the key"):
        verify(log.folder, [note])
    with pytest.raises(SignatureError, match="by none of the keys given"):
        verify(log.folder, [note], [PrivateKey.generate().public])
    size = note.split("\n")[1]
    with pytest.raises(SignatureError):
        verify(log.folder, [note.replace(f"\n{size}\n", f"\n{int(size) - 1}\n")], [key.public])


def test_a_witness_may_sign_too_and_strangers_are_passed_over(
    log: AuditLog, key: PrivateKey
) -> None:
    note, witness = log.checkpoint(key, origin="box"), PrivateKey.generate()
    text = note.partition("\n\n")[0] + "\n"
    both = note + sign_note(text, "witness", witness).partition("\n\n")[2]
    for keys in ([key.public], [witness.public], [witness.public, key.public]):
        (checkpoint,) = verify(log.folder, [both], keys).checkpoints
        assert len(checkpoint.signers) == len(keys)


def test_checkpoints_of_two_logs_are_refused(log: AuditLog, key: PrivateKey) -> None:
    notes = [log.checkpoint(key, origin="box1"), log.checkpoint(key, origin="box2")]
    with pytest.raises(OptionError, match="of several logs"):
        verify(log.folder, notes, [key.public])


@pytest.mark.parametrize("origin", ["", "a b", "a+b", "a\nb", "x" * 257, 3])
def test_an_origin_that_a_note_cannot_have_is_refused(
    log: AuditLog, key: PrivateKey, origin: str
) -> None:
    with pytest.raises(OptionError, match="origin"):
        log.checkpoint(key, origin=origin)


def test_a_checkpoint_is_written_by_size_and_never_over_another_log_s(
    log: AuditLog, key: PrivateKey, tmp_path: Path
) -> None:
    note = log.checkpoint(key, origin="box")
    path = write_checkpoint(tmp_path / "share", note)
    assert path.name == "checkpoint-000000000002.txt"
    assert path.read_text() == note
    assert write_checkpoint(tmp_path / "share", note) == path
    other = Checkpoint("box", 2, b"\0" * 32).sign(key)
    with pytest.raises(AuditError, match="of another log of the same size"):
        write_checkpoint(tmp_path / "share", other)
    assert path.read_text() == note


def test_a_damaged_log_gets_no_checkpoint(log: AuditLog, key: PrivateKey) -> None:
    log.append("load")
    (path,) = log.folder.glob("entries-*")
    path.write_bytes(path.read_bytes().replace(b'"begin"', b'"begun"'))
    with pytest.raises(AuditError, match="line 1"):
        log.checkpoint(key)
