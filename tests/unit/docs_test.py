"""The documents: citations name a page and a section that exist."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

CODE = ("python", "csrc", "tools", "tests")
CPP = (".h", ".cpp", ".def")
# A page, written as a path or as a link, perhaps with an anchor, and the section cited of it.
CITATION = re.compile(r"([\w./-]+\.md)(?:#[\w-]+)?[`)]*(?:,? section (\d+(?:\.\d+)*))?")


def _documents() -> list[Path]:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    return sorted([*pages, *(path for folder in CODE for path in (ROOT / folder).rglob("*.md"))])


def _sources() -> list[Path]:
    files = (path for folder in CODE for path in (ROOT / folder).rglob("*"))
    return sorted(path for path in files if path.suffix in {".py", ".pyi", *CPP})


def _python_prose(text: str) -> Iterator[str]:
    """Every comment, then every docstring, those of attributes included."""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.string.lstrip("#")
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield str(node.value.value)


def _prose(path: Path) -> str:
    """What a file says to its readers, as one line, since a citation may be broken across lines."""
    text = path.read_text()
    if path.suffix in {".py", ".pyi"}:
        text = " ".join(_python_prose(text))
    elif path.suffix in CPP:
        text = " ".join(re.findall(r"//(.*)", text))
    return " ".join(text.split())


def _dangling(prose: str, folder: Path) -> list[str]:
    """Citations of a page or section that does not exist; paths are from the root or `folder`."""
    dangling = []
    for page, section in CITATION.findall(prose):
        found = next((at / page for at in (ROOT, folder) if (at / page).is_file()), None)
        sections = re.findall(r"^#+ (\d+(?:\.\d+)*)", found.read_text(), re.M) if found else []
        if found is None or (section and section not in sections):
            dangling.append(f"{page}, section {section}" if section else page)
    return dangling


@pytest.mark.parametrize(
    "path", [*_documents(), *_sources()], ids=lambda p: str(p.relative_to(ROOT))
)
def test_cited_pages_and_sections_exist(path: Path) -> None:
    assert _dangling(_prose(path), path.parent) == []


@pytest.mark.parametrize(
    "citation",
    [
        "docs/absent.md",
        "`absent.md`, section 1",
        "docs/model.md, section 99",
        "docs/model.md section 2.99",
        "([The model](model.md), section 99)",
        "[Performance](absent.md#kernels)",
    ],
)
def test_a_citation_of_nothing_is_found(citation: str) -> None:
    assert len(_dangling(f"See {citation}.", ROOT / "docs")) == 1


def test_a_citation_is_read_from_comments_and_docstrings(tmp_path: Path) -> None:
    python, cpp = tmp_path / "a.py", tmp_path / "a.h"
    python.write_text('x = 1  # docs/a.md,\n# section 1\n"""docs/b.md"""\ny = "docs/c.md"\n')
    cpp.write_text("// docs/a.md,\n// section 1\nint x;  // docs/b.md\n")
    for path in (python, cpp):
        assert _dangling(_prose(path), tmp_path) == ["docs/a.md, section 1", "docs/b.md"]
