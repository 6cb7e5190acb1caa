"""Hostile bundles: their list, manifest, envelope and keys, spoilt or signed by a thief."""

from __future__ import annotations

import base64
import json
import random
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tools.fuzz.mutations import dumps, spoil_bytes, spoil_json
from tools.fuzz.targets import Attempt

from sakedge.bundling.installer.checking import LISTING, check_bundle, require_whole
from sakedge.bundling.installer.envelope import NAME as ENVELOPE
from sakedge.bundling.installer.keys import read_trust
from sakedge.bundling.installer.listing import digest_of, write_listing
from sakedge.bundling.installer.manifest import NAME as MANIFEST
from sakedge.bundling.installer.manifest import Manifest
from sakedge.bundling.installer.walk import found_in
from sakedge.errors import SakedgeError
from sakedge.trust.folders import sign_folder
from sakedge.trust.keys import PrivateKey

_MANIFEST = Manifest("jetson-jp6", "0.1.0", "3.10", "aarch64", "2.35", True, 1, ("student/s.onnx",))
_POLICY = {"format_version": 1, "require_signature": "dsse", "threshold": 1}


def prepare(folder: Path) -> Attempt:
    """Makes a small signed bundle and a site; spoils one of their files, or all that vouch."""
    key = PrivateKey(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
    site, bundle = folder / "site", folder / "bundle"
    for each in (site / "keys", bundle / "student", bundle / "signers"):
        each.mkdir(parents=True)
    key.public.write(site / "keys" / "line.pub")
    key.public.write(bundle / "signers" / "line.pub")
    (site / "policy.json").write_text(json.dumps(_POLICY))
    revoked = {"format_version": 1, "revoked": {"0" * 64: {"since": "x"}}}
    (site / "keys" / "revoked.json").write_text(json.dumps(revoked))
    (bundle / "student" / "s.onnx").write_bytes(b"student")
    (bundle / MANIFEST).write_bytes(_MANIFEST.write())
    _seal(bundle, key)
    files = [folder / name for name in found_in(folder)]
    good = {path: path.read_bytes() for path in files}

    def attempt(rng: random.Random) -> None:
        for path, content in good.items():
            path.write_bytes(content)
        path = rng.choice(files)
        # A policy may be spoilt into one that requires less; a bundle never into another one.
        is_of_the_bundle = path.is_relative_to(bundle)
        path.write_bytes(_spoilt(rng, path, good[path]))
        if is_of_the_bundle and rng.random() < 0.4:
            _reseal(rng, bundle)
        changed = any(each.read_bytes() != good[each] for each in files if bundle in each.parents)
        found = check_bundle(bundle, read_trust(site, ()))
        require_whole(found, bundle)
        assert not (changed and found.trusted), f"{path} was changed, and is vouched for"

    return attempt


def _spoilt(rng: random.Random, path: Path, content: bytes) -> bytes:
    if path.name == ENVELOPE and rng.random() < 0.5:
        fields = json.loads(content)
        payload = json.loads(base64.b64decode(fields["payload"]))
        spoil_json(rng, payload)
        fields["payload"] = base64.b64encode(_encoded(payload)).decode()
        return json.dumps(fields, indent=2).encode()
    if path.suffix == ".json" and rng.random() < 0.5:
        fields = json.loads(content)
        spoil_json(rng, fields)
        return _encoded(fields)
    return spoil_bytes(rng, content)


def _encoded(fields: object) -> bytes:
    return dumps(fields).encode(errors="surrogatepass")


def _reseal(rng: random.Random, bundle: Path) -> None:
    """What somebody without the key can do: a new list, and signatures of his own."""
    thief = PrivateKey(Ed25519PrivateKey.from_private_bytes(rng.randbytes(32)))
    (bundle / "signers" / "line.pub").write_bytes(thief.public.pem)
    try:
        _seal(bundle, thief)
    except SakedgeError:  # an envelope that nobody can add to
        return


def _seal(bundle: Path, key: PrivateKey) -> None:
    files = {}
    for name in found_in(bundle):
        if name not in (LISTING, ENVELOPE):
            with (bundle / name).open("rb") as file:
                files[name] = digest_of(file)
    (bundle / LISTING).write_bytes(write_listing(files))
    sign_folder(bundle, key)
