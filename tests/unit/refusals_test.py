"""Refusals: whoever is refused is told what would have been right, or what to do."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import sakedge
from sakedge import errors

SOURCES = sorted(Path(sakedge.__file__).parent.rglob("*.py"))

# Where a file is damaged its error says how, and docs/troubleshoot.md what to do, type by type.
ABOUT_FILES = (
    errors.FileFormatError,
    errors.StorageError,
    errors.CheckpointError,
    errors.DatasetError,
)


def _is_refusal(name: str) -> bool:
    kind = getattr(errors, name, None)
    ours = isinstance(kind, type) and issubclass(kind, errors.SakedgeError)
    return ours and not issubclass(kind, ABOUT_FILES)  # type: ignore[arg-type]


def _silent(text: str) -> Iterator[int]:
    """Lines that refuse without a word of what was expected or what to do."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            given = {each.arg for each in node.keywords}  # None: `**` passes on what another said
            if _is_refusal(name) and not given & {"expected", "remedy", None}:
                yield node.lineno


@pytest.mark.parametrize("word", ["", ", got='1'"])
def test_a_refusal_that_says_no_more_is_found(word: str) -> None:
    assert [*_silent(f"raise OptionError('cannot be'{word})")] == [1]
    assert [*_silent(f"raise errors.BackendError('cannot run'{word})")] == [1]
    assert [*_silent(f"raise OptionError('cannot be'{word}, remedy='Leave it out')")] == []
    assert [*_silent(f"raise ManifestError('is damaged'{word})")] == []


def test_a_refusal_says_what_was_expected_or_what_to_do() -> None:
    silent = [f"{path}:{line}" for path in SOURCES for line in _silent(path.read_text())]
    assert silent == []
