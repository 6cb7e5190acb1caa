"""A student at a site: what is asked before adapters change, and what is recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.canary.conftest import write_images
from tests.support.canary import adapter, changed, noisy, random
from tests.support.pictures import picture, same
from tests.support.sites import Place

import sakedge
from sakedge.audit import whoami
from sakedge.errors import (
    AdapterMismatchError,
    AdapterRejectedError,
    EncryptionError,
    OptionError,
    PermissionDeniedError,
    PolicyError,
    SignatureError,
    StorageError,
)
from sakedge.format import write_pack
from sakedge.images import read
from sakedge.measuring.data.base import digest_of_pixels
from sakedge.trust.describing import predicate
from sakedge.trust.encryption import encrypt_gcm
from sakedge.trust.envelope import sign_file
from sakedge.trust.folders import sign_folder
from sakedge.trust.secret_keys import key_file, new_gcm, read_secrets

IMAGE = picture(64, 96)
Load = Callable[..., sakedge.Student]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "site")


@pytest.fixture
def at_site(place: Place, tiny_student: Path) -> Iterator[Load]:
    """Loads the tiny student at a site with a policy."""
    loaded: list[sakedge.Student] = []

    def load(path: Path = tiny_student, **policy: Any) -> sakedge.Student:
        place.open(**policy)
        config = {"site": str(place.folder)}
        student = sakedge.load(path, backend="onnxruntime", tasks=["edge"], config=config)
        loaded.append(student)
        return student

    yield load
    for student in loaded:
        student.close()


def test_an_exchange_and_a_refusal_are_recorded_with_digests(
    at_site: Load, place: Place, packs: list[Path]
) -> None:
    student = at_site(audit={})
    before, own = student.explain(), student(IMAGE)
    pack = student.adapters.swap("sam", packs[0])
    (packs[1]).write_bytes(packs[1].read_bytes()[:-1])
    with pytest.raises(Exception, match="does not end where"):
        student.adapters.swap("sam", packs[1])
    with pytest.raises(AdapterMismatchError):
        student.adapters.swap("dino", packs[0])
    student.adapters.rollback("sam")
    student.adapters.remove("dino")
    student.close()
    log = place.log()
    assert [each.action for each in log] == [
        *("load", "swap", "refuse", "refuse", "rollback", "remove", "unload")
    ]
    load, swap, cut, other, rollback, remove, _ = log
    assert load.new == before.file_digest
    assert (swap.subject, swap.old, swap.new) == (
        "adapters.sam",
        own.digests["adapters.sam"],
        pack.manifest.digest,
    )
    assert (cut.result, cut.detail["action"], cut.detail["error"]) == (
        *("refused", "swap", "TruncatedFileError"),
    )
    assert other.subject == "adapters.dino"
    assert (rollback.old, rollback.new) == (swap.new, swap.old)
    assert (remove.old, remove.new) == (own.digests["adapters.dino"], None)
    assert {each.who for each in log} == {whoami()}


def test_only_signed_files_of_their_own_name_run_where_that_is_required(
    at_site: Load, place: Place, tiny_student: Path, packs: list[Path], tmp_path: Path
) -> None:
    with pytest.raises(SignatureError):
        at_site(require_signature="dsse")
    own = tmp_path / "own.onnx"
    own.write_bytes(tiny_student.read_bytes())
    sign_file(own, place.key, predicate=predicate(own))
    student = at_site(own, require_signature="dsse", audit={})
    before = student(IMAGE)
    with pytest.raises(SignatureError):
        student.adapters.swap("sam", packs[0])
    sign_file(packs[0], place.key, predicate=predicate(packs[0]))
    renamed = tmp_path / "renamed.safetensors"
    renamed.write_bytes(packs[0].read_bytes())
    Path(f"{renamed}.dsse.json").write_bytes(Path(f"{packs[0]}.dsse.json").read_bytes())
    with pytest.raises(SignatureError, match=r"name"):
        student.adapters.swap("sam", renamed)
    assert same(student(IMAGE), before, 0)
    student.adapters.swap("sam", packs[0])
    assert not same(student(IMAGE), before, 0)
    student.adapters.rollback("sam")  # the student's own, which its envelope vouches for
    assert same(student(IMAGE), before, 0)
    assert [each.action for each in place.log()].count("refuse") == 2


def test_a_licence_that_is_not_allowed_is_refused(
    at_site: Load, tiny_student: Path, tmp_path: Path
) -> None:
    student = at_site(licenses={"deny": ["CC-BY-NC-4.0"]})
    before = student(IMAGE)
    pack = adapter(tiny_student, "sam")
    path = tmp_path / "sam.safetensors"
    write_pack(path, pack.manifest.model_copy(update={"license": "CC-BY-NC-4.0"}), pack.tensors)
    with pytest.raises(PolicyError, match="licence"):
        student.adapters.swap("sam", path)
    assert same(student(IMAGE), before, 0)


def test_roles_say_who_may_infer_swap_and_roll_back(at_site: Load, packs: list[Path]) -> None:
    me = whoami().partition(" ")[0]

    def roles(*actions: str) -> dict[str, Any]:
        return {"roles": {"line": list(actions)}, "users": {me: "line"}}

    with pytest.raises(PermissionDeniedError, match="may not infer"):
        at_site(**roles("view"))
    student = at_site(**roles("infer", "swap"))
    student.adapters.swap("sam", packs[0])
    with pytest.raises(PermissionDeniedError, match="may not rollback"):
        student.adapters.rollback("sam")
    watching = at_site(**roles("infer", "rollback"))
    for act in (
        lambda: watching.adapters.swap("sam", packs[0]),
        lambda: watching.adapters.add(packs[0], "sam@a"),
        lambda: watching.adapters.remove("sam"),
    ):
        with pytest.raises(PermissionDeniedError, match="may not swap"):
            act()


def test_what_cannot_be_recorded_is_not_done_where_it_must_be(
    at_site: Load, place: Place, packs: list[Path]
) -> None:
    student = at_site(audit={"rotate_bytes": 4096})
    before = student(IMAGE)
    log = place.folder / "audit"
    log.rename(place.folder / "away")
    log.write_text("in the way")
    with pytest.raises(StorageError, match="must be recorded"):
        student.adapters.swap("sam", packs[0])
    assert same(student(IMAGE), before, 0)
    log.unlink()
    (place.folder / "away").rename(log)
    student.adapters.swap("sam", packs[0])


def test_encrypted_files_run_from_memory(
    at_site: Load, place: Place, tiny_student: Path, packs: list[Path], tmp_path: Path
) -> None:
    key = place.folder / "gcm.key"
    key.write_text(new_gcm())
    key.chmod(0o600)
    (secret,) = read_secrets(key_file(key)).gcm
    policy: dict[str, Any] = {"decryption": {"gcm_key": str(key)}}
    plain = at_site(**policy)
    plain.adapters.swap("sam", packs[0])
    sealed, pack = tmp_path / "sealed.onnx", tmp_path / "sealed.safetensors"
    sealed.write_bytes(encrypt_gcm(tiny_student.read_bytes(), secret))
    pack.write_bytes(encrypt_gcm(packs[0].read_bytes(), secret))
    before = set(tmp_path.rglob("*"))
    student = at_site(sealed, **policy)
    student.adapters.swap("sam", pack)
    assert same(student(IMAGE), plain(IMAGE), 0)
    student.adapters.rollback("sam")
    assert set(tmp_path.rglob("*")) == before
    with pytest.raises(EncryptionError):
        at_site(sealed)


def test_images_are_recorded_by_digest_where_the_policy_asks_for_it(
    at_site: Load, place: Place
) -> None:
    student = at_site(audit={"inferences": True})
    result = student(IMAGE)
    (entry,) = [each for each in place.log() if each.action == "infer"]
    assert entry.old == digest_of_pixels(read(IMAGE))
    assert entry.new == result.values_digest
    assert result.values_digest == student(IMAGE).values_digest
    assert result.values_digest != student(picture(64, 96, 1)).values_digest


@pytest.fixture
def golden(tiny_student: Path, tmp_path: Path) -> Path:
    """Images whose truth is what the student says as it was shipped."""
    root = tmp_path / "golden"
    with sakedge.load(tiny_student, backend="onnxruntime") as shipped:
        write_images(root, shipped, 16)
    return root


def _written(folder: Path, student: Path, name: str, change: Callable[..., Any]) -> Path:
    pack = changed(adapter(student, "sam"), change)
    path = folder / f"{name}.safetensors"
    write_pack(path, pack.manifest, pack.tensors)
    return path


def test_golden_images_decide_and_are_signed_where_that_is_required(
    place: Place, tiny_student: Path, golden: Path, tmp_path: Path
) -> None:
    place.open(audit={})
    good = _written(tmp_path, tiny_student, "good", lambda tensors: tensors)
    bad = _written(tmp_path, tiny_student, "bad", random)
    config = {"site": str(place.folder)}
    with sakedge.load(tiny_student, backend="onnxruntime", config=config) as student:
        before = student(IMAGE)
        with pytest.raises(AdapterRejectedError, match="did not pass") as caught:
            student.adapters.swap("sam", bad, golden=golden)
        assert caught.value.report.tasks
        assert same(student(IMAGE), before, 0)
        student.adapters.swap("sam", good, golden=golden)
        with pytest.raises(AdapterRejectedError):
            student.adapters.add(bad, "sam@bad", golden=golden)
        assert [each.name for each in student.adapters.list()] == ["dino", "sam"]
    refused, swapped, *_ = [each for each in place.log() if each.action in ("refuse", "swap")]
    assert refused.detail["error"] == "AdapterRejectedError"
    assert "golden" in swapped.detail
    place.open(require_signature="dsse")
    for file in (tiny_student, good):
        own = tmp_path / file.name
        if not own.exists():
            own.write_bytes(file.read_bytes())
        sign_file(own, place.key, predicate=predicate(own))
    with sakedge.load(
        tmp_path / tiny_student.name, backend="onnxruntime", config=config
    ) as student:
        with pytest.raises(SignatureError):
            student.adapters.swap("sam", good, golden=golden)
        sign_folder(golden, place.key)
        student.adapters.swap("sam", good, golden=golden)


def test_a_watch_puts_back_what_was_there(
    place: Place, tiny_student: Path, golden: Path, tmp_path: Path
) -> None:
    place.open(audit={})
    fine = _written(tmp_path, tiny_student, "fine", noisy(1e-4))
    config = {"site": str(place.folder)}
    with sakedge.load(tiny_student, backend="onnxruntime", config=config) as student:
        shipped = student(IMAGE).digests
        for wrong in ("yes", 7):
            with pytest.raises(OptionError, match="no watch"):
                student.adapters.swap("sam", fine, golden=golden, watch=wrong)
        with pytest.raises(OptionError, match="golden"):
            student.adapters.swap("sam", fine, watch=True)
        assert student(IMAGE).digests == shipped
        student.adapters.swap("sam", fine, golden=golden, watch=sakedge.Watch(every=1000))
        watching = student.watching
        assert watching is not None
        live = student(IMAGE)
        assert live.digests != shipped
        # As on images for which the routers find no use for the adapter, unlike on golden ones.
        routing = {
            task: replace(each, weights=np.zeros_like(each.weights))
            for task, each in live.routing.items()
        }
        for _ in range(60):
            watching.observe(read(IMAGE), replace(live, routing=routing))
        seen = watching.wait(30)
        assert seen.state == "undone", seen
        assert student(IMAGE).digests == shipped
        assert "sam" not in student.adapters.changes or student.adapters.list()[1].pack == ""
    actions = [(each.action, each.result) for each in place.log()]
    assert ("rollback", "done") in actions
    assert ("watch", "failed") in actions
    (undone,) = [each for each in place.log() if each.action == "rollback"]
    assert undone.detail["by"] == "the watch"
