"""The Merkle tree of RFC 6962, kept as the roots of its complete subtrees."""

from __future__ import annotations

import hashlib

MAX_SIZE = 1 << 53
_DIGEST = 32


class Tree:
    """A tree that grows leaf by leaf.

    Attributes:
        size: Number of leaves.
    """

    def __init__(self) -> None:
        self.size = 0
        self._roots: list[bytes] = []  # of the complete subtrees, the largest first

    def add(self, content: bytes) -> None:
        """Adds a leaf."""
        digest = hashlib.sha256(b"\0" + content).digest()
        # Each 1 at the end of the size is a subtree that this leaf makes twice as large.
        complete = self.size
        while complete & 1:
            digest = _node(self._roots.pop(), digest)
            complete >>= 1
        self._roots.append(digest)
        self.size += 1

    def root(self) -> bytes:
        """The hash over all leaves."""
        if not self._roots:
            return hashlib.sha256().digest()
        digest = self._roots[-1]
        for root in reversed(self._roots[:-1]):
            digest = _node(root, digest)
        return digest

    def to_hex(self) -> str:
        """The roots of its complete subtrees, the largest first."""
        return b"".join(self._roots).hex()

    @classmethod
    def from_hex(cls, size: int, text: str) -> Tree:
        """The tree of a size, of whose subtrees the roots are known.

        Raises:
            ValueError: They are no such roots.
        """
        roots = bytes.fromhex(text)
        if not 0 <= size < MAX_SIZE or len(roots) != _DIGEST * size.bit_count():
            raise ValueError(f"no tree of {size} leaves")
        tree = cls()
        tree.size = size
        tree._roots = [roots[i : i + _DIGEST] for i in range(0, len(roots), _DIGEST)]
        return tree


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()
