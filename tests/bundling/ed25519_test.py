"""Signatures are checked as the library that made them checks them, and more strictly."""

from __future__ import annotations

import random

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from sakedge.bundling.installer.ed25519 import is_signature

ORDER = 2**252 + 27742317777372353535851937790883648493
PRIME = 2**255 - 19

# RFC 8032, section 7.1: public key, message, signature.
VECTORS = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b4"
        "6bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d"
        "8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6"
        "594a7c15e9716ed28dc027beceea1ec40a",
    ),
]


def theirs(key: bytes, message: bytes, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


@pytest.mark.parametrize(("key", "message", "signature"), VECTORS)
def test_the_vectors_of_the_standard(key: str, message: str, signature: str) -> None:
    given = [bytes.fromhex(each) for each in (key, message, signature)]
    assert is_signature(*given)
    assert theirs(*given)


@pytest.fixture(scope="module")
def signed() -> tuple[bytes, bytes, bytes]:
    private, message = Ed25519PrivateKey.from_private_bytes(bytes(range(32))), b"a bundle"
    return private.public_key().public_bytes_raw(), message, private.sign(message)


def test_signatures_of_the_library_are_good_for_any_key_and_length() -> None:
    rng = random.Random(1)
    for length in (0, 1, 63, 64, 65, 1000):
        private = Ed25519PrivateKey.from_private_bytes(rng.randbytes(32))
        message = rng.randbytes(length)
        key, signature = private.public_key().public_bytes_raw(), private.sign(message)
        assert is_signature(key, message, signature)
        assert not is_signature(key, message + b"\0", signature)


def test_no_bit_of_key_message_or_signature_can_change(signed: tuple[bytes, bytes, bytes]) -> None:
    rng = random.Random(2)
    assert is_signature(*signed)
    for part in range(3):
        for _ in range(12):
            changed = [bytearray(each) for each in signed]
            bit = rng.randrange(8 * len(changed[part]))
            changed[part][bit // 8] ^= 1 << bit % 8
            given = [bytes(each) for each in changed]
            assert not is_signature(*given)
            assert not theirs(*given)


def test_a_scalar_beyond_the_order_is_refused(signed: tuple[bytes, bytes, bytes]) -> None:
    """Otherwise anybody could make a second signature out of one."""
    key, message, signature = signed
    scalar = int.from_bytes(signature[32:], "little") + ORDER
    other = signature[:32] + scalar.to_bytes(32, "little")
    assert not is_signature(key, message, other)
    assert not theirs(key, message, other)


@pytest.mark.parametrize(
    "key",
    [
        (PRIME + 1).to_bytes(32, "little"),  # y = 1, not in its canonical form
        PRIME.to_bytes(32, "little"),
        b"\xff" * 32,
        (2).to_bytes(32, "little"),  # on no point
        (1 | 1 << 255).to_bytes(32, "little"),  # x = 0, said to be odd
    ],
)
def test_a_key_that_is_no_canonical_point_has_signed_nothing(
    key: bytes, signed: tuple[bytes, bytes, bytes]
) -> None:
    neutral = (1).to_bytes(32, "little") + bytes(32)  # what a key of order one would sign by
    assert not is_signature(key, b"m", neutral)
    assert not is_signature(key, signed[1], signed[2])


def test_a_commitment_in_another_form_is_refused() -> None:
    """With the key y = 1 every S = 0 and R = (0, 1) fits, so only R's form decides."""
    neutral = (1).to_bytes(32, "little")
    assert is_signature(neutral, b"m", neutral + bytes(32))
    for other in ((PRIME + 1).to_bytes(32, "little"), (1 | 1 << 255).to_bytes(32, "little")):
        assert not is_signature(neutral, b"m", other + bytes(32))


@pytest.mark.parametrize("lengths", [(31, 64), (33, 64), (32, 63), (32, 65), (0, 0)])
def test_other_lengths_are_refused(lengths: tuple[int, int]) -> None:
    assert not is_signature(bytes(lengths[0]), b"", bytes(lengths[1]))
