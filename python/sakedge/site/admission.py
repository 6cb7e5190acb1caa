"""A file that the site admits: read once, checked as it lies, decrypted to memory."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal, get_args

from sakedge.files.mapped import MappedFile

Kind = Literal["pack", "delta", "student", "cache"]
KINDS: tuple[Kind, ...] = get_args(Kind)
MAX_BYTES = 4 << 30
"""Of what is read into memory: a pack, a delta, compiled graphs."""


@dataclass(frozen=True)
class Admitted:
    """A file that may be used. Use `content`: what lies at `path` may be another file by now.

    Attributes:
        path: Where it was found.
        stored: Its bytes as they lie.
        content: What it holds: the same, or decrypted.
        signers: Ids of the trusted keys that signed it, where the policy asks for signatures.
        file: Of a student, what it holds as a file.
    """

    path: Path
    stored: memoryview
    content: memoryview
    signers: tuple[str, ...] = ()
    file: MappedFile | None = None

    @property
    def encrypted(self) -> bool:
        """Whether it lies encrypted."""
        return self.content is not self.stored

    @cached_property
    def sha256(self) -> str:
        """Of its bytes as they lie."""
        return hashlib.sha256(self.stored).hexdigest()
