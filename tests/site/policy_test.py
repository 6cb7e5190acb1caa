"""Policies: what is malformed allows nothing, and the one of no site everything."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from tests.support.files import without_rights
from tests.support.sites import Place

from sakedge.errors import NewerFormatError, OptionError, PolicyError, StorageError
from sakedge.site import Policy, Site, site

ROLES = {"operator": ["view", "infer"], "engineer": ["view", "infer", "swap", "rollback"]}
USERS = {"mori": "engineer", "*": "operator"}

MALFORMED: dict[str, bytes | dict[str, Any]] = {
    "empty": b"",
    "no json": b"{",
    "not utf-8": b'{"format_version": 1, "\xff": 1}',
    "list": b"[]",
    "no version": {},
    "version of text": {"format_version": "1"},
    "version true": {"format_version": True},
    "version 0": {"format_version": 0},
    "key twice": b'{"format_version": 1, "threshold": 1, "threshold": 2}',
    "deep": b'{"format_version": 1, "roles": ' + b"[" * 5000 + b"]" * 5000 + b"}",
    "large": b" " * (1 << 20) + b'{"format_version": 1}',
    "nan": b'{"format_version": 1, "threshold": NaN}',
    "unknown field": {"format_version": 1, "require_signatures": "dsse"},
    "unknown requirement": {"format_version": 1, "require_signature": "yes"},
    "threshold 0": {"format_version": 1, "threshold": 0},
    "threshold of text": {"format_version": 1, "threshold": "1"},
    "unknown action": {"format_version": 1, "roles": {"a": ["fly"]}, "users": {"b": "a"}},
    "roles without users": {"format_version": 1, "roles": ROLES},
    "users without roles": {"format_version": 1, "users": USERS},
    "unknown role": {"format_version": 1, "roles": ROLES, "users": {"mori": "chief"}},
    "licence of text": {"format_version": 1, "licenses": {"allow": "MIT"}},
    "number as licence": {"format_version": 1, "licenses": {"deny": [7]}},
    "variable": {"format_version": 1, "decryption": {"environment": "A=B"}},
    "audit null field": {"format_version": 1, "audit": {"sync": None}},
    "audit required of text": {"format_version": 1, "audit": {"required": "no"}},
    "audit rotates at once": {"format_version": 1, "audit": {"rotate_bytes": 1}},
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_policy_opens_no_site(name: str, place: Place) -> None:
    content = MALFORMED[name]
    text = content if isinstance(content, bytes) else json.dumps(content).encode()
    (place.folder / "policy.json").write_bytes(text)
    with pytest.raises(PolicyError, match="nothing is allowed"):
        Site.open(place.folder)


def test_a_policy_of_a_newer_format_is_told_apart(place: Place) -> None:
    with pytest.raises(NewerFormatError):
        place.open(format_version=2, anything=1)


def test_a_folder_without_a_policy_is_no_site(place: Place, tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="is no site"):
        Site.open(place.folder)
    with pytest.raises(PolicyError, match="is no site"):
        Site.open(tmp_path / "missing")
    with pytest.raises(OptionError):
        Site.open(7)  # type: ignore[arg-type]


def test_the_machines_own_site_is_taken_if_it_has_a_policy(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site, "DEFAULT", place.folder)
    assert Site.open().folder is None
    assert Site.open().policy == Policy()
    place.open(threshold=2)
    assert Site.open().policy.threshold == 2
    (place.folder / "policy.json").write_text("{")
    with pytest.raises(PolicyError):
        Site.open()


def test_a_policy_that_cannot_be_read_is_no_open_site(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site, "DEFAULT", place.folder)
    place.open()
    with without_rights(place.folder), pytest.raises(StorageError):
        Site.open()


def test_who_may_do_what(place: Place) -> None:
    policy = place.open(roles=ROLES, users=USERS).policy
    assert policy.may("mori", "swap") and not policy.may("mori", "administer")
    assert policy.may("sato", "infer") and not policy.may("sato", "swap")
    policy = place.open(roles=ROLES, users={"mori": "engineer"}).policy
    assert not policy.may("sato", "view")
    assert Policy().may("sato", "administer")


def test_the_policies_of_the_guide_are_policies(place: Place) -> None:
    guide = (Path(__file__).parents[2] / "docs" / "trust.md").read_text()
    shown = re.findall(r"```json\n(.*?)```", guide, re.DOTALL)
    shown += re.findall(r"echo '(.*)' > /etc/sakedge/policy\.json", guide)
    assert len(shown) == 2
    policies = [place.open(**json.loads(text)).policy for text in shown]
    assert [policy.require_signature for policy in policies] == ["both", "dsse"]
    assert policies[0].may("mori", "swap") and not policies[0].may("sato", "swap")
