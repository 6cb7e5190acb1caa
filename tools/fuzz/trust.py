"""Hostile envelopes, keys, policies and encrypted files, and files that they do not fit."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tools.fuzz.mutations import dumps, json_bomb, spoil_bytes, spoil_json
from tools.fuzz.targets import Attempt

from sakedge.site import Site
from sakedge.trust.dsse import Sealed
from sakedge.trust.envelope import sign_file
from sakedge.trust.folders import sign_folder
from sakedge.trust.keyring import Revocation, revoke
from sakedge.trust.keys import PrivateKey, PublicKey

_POLICY = {
    "format_version": 1,
    "require_signature": "dsse",
    "threshold": 1,
    "licenses": {"allow": ["MIT"], "deny": ["GPL-3.0-only"]},
    "roles": {"operator": ["view", "infer"]},
    "users": {"*": "operator"},
    "decryption": {"age_identity": "line.age", "gcm_key": "line.gcm"},
}

# Fixed ones, so that an attempt is the same wherever it is repeated.
_IDENTITY = "AGE-SECRET-KEY-1J5UFYXTFCYVTUXDJXW52MF23QELMSDVQDTZ7LJC5FKS47427EX2SATWAW0"
_SECRET = "SAKEDGE-GCM-KEY-1 878aca896d20f054d8cbb500f06a2c2962a24b5465754203b8b18864743a5c82"
_SEALED_BY_AGE = (
    "YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IFgyNTUxOSBzSndac2Q4MHBDWVc5cU94dnh3d1hHNVNKU2lDeW1ZQTlh"
    "SXIzdEpEM3lBCkZRazA0ekZxc25YaXY2YzNlakV2TlpLU2Y3UEwyUUhkNzJmNlhBNUt5b0kKLT4gZlNday1ncmVh"
    "c2UgOicgcQpBMEZ5dkEKLS0tIEFMcUt2WWs4WGxVN0lBUUdROFlFUDBnZDE4L2ltbDIyQWE2OXlqb3VrdVUK17K6"
    "zY4G0hg/ruHrTHmzzvssC9pQZb9SvwYVpcJRmfQBGe+PdcifgvinOtYKNxvYJFhtv9vCoTboityr"
)
_SEALED_BY_GCM = (
    "c2FrZWRnZS1nY20gMQrUl4vkhhVXOhWsgiOim1uzaFi15VT0GwbB+6f8hpEDxHvSKl3/RgGs5RI+XSWIU20cAAAA"
    "AAAAAI8Xup0XkE4vykKYx6O3l8UX9YRRqxChJMu6crPc9UoOAotPeJpybm6cy5LE"
)


def prepare(folder: Path) -> Attempt:
    """Makes a site, a signed and encrypted file, and a signed folder; spoils one of their files."""
    key = PrivateKey(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
    site = folder / "site"
    (site / "keys").mkdir(parents=True)
    key.public.write(site / "keys" / "line.pub")
    revoke(site / "keys", "0" * 64, Revocation(since="2026-11-26T00:00:00Z"))
    key.write(folder / "line.key")
    (site / "policy.json").write_text(dumps(_POLICY))
    (site / "line.age").write_text(_IDENTITY)
    (site / "line.gcm").write_text(_SECRET)
    golden = folder / "golden"
    golden.mkdir()
    (golden / "a.png").write_bytes(b"a")
    sign_folder(golden, key)
    pack = folder / "sam.safetensors"
    sealed = [base64.b64decode(text) for text in (_SEALED_BY_AGE, _SEALED_BY_GCM)]

    def use() -> None:
        opened = Site.open(site)
        opened.admit_folder(golden)
        admitted = opened.admit(pack, "pack")
        assert admitted.signers == ((key.keyid,) if opened.policy.requires("dsse") else ())
        opened.check_license("MIT", "sam")
        opened.allow("infer")
        PrivateKey.read(folder / "line.key")
        PublicKey.read(site / "keys" / "line.pub")

    def attempt(rng: random.Random) -> None:
        content = rng.choice(sealed)
        if rng.random() < 0.3:  # signed after it was spoilt
            content = spoil_bytes(rng, content) or b"\0"
        pack.write_bytes(content)
        envelope = sign_file(pack, key, predicate={"kind": "pack", "name": "sam"})
        some = [envelope, envelope, golden / "folder.dsse.json", pack, folder / "line.key"]
        some += [p for p in sorted(site.rglob("*")) if p.is_file()]
        target = rng.choice(some)
        sound = target.read_bytes()
        way = rng.choice(_WAYS if target.suffix == ".json" else (spoil_bytes,))
        target.write_bytes(way(rng, sound))
        if target.suffixes[-2:] == [".dsse", ".json"] and rng.random() < 0.5:
            target.write_bytes(_resigned(rng, key, sound))
        try:
            use()
        finally:
            target.write_bytes(sound)

    return attempt


def _resigned(rng: random.Random, key: PrivateKey, envelope: bytes) -> bytes:
    """Another statement, with a sound signature."""
    payload = base64.b64decode(json.loads(envelope)["payload"])
    payload = rng.choice(_WAYS)(rng, payload)
    signature = key.sign(Sealed(payload, {}).signed)
    return dumps(Sealed(payload, {signature: key.keyid}).to_json()).encode()


def _spoil_fields(rng: random.Random, content: bytes) -> bytes:
    fields: dict[str, Any] = json.loads(content)
    spoil_json(rng, fields)
    return dumps(fields).encode(errors="surrogatepass")


def _bomb(rng: random.Random, content: bytes) -> bytes:
    return json_bomb(rng, content.decode()).encode(errors="surrogatepass")


_WAYS: tuple[Callable[[random.Random, bytes], bytes], ...] = (
    *(spoil_bytes, _spoil_fields, _spoil_fields, _bomb),
)
