"""The page on troubleshooting has a row for all that `doctor` can find, and for every error."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import sakedge
from sakedge import errors
from sakedge.checks.doctor import examine

PAGE = (Path(__file__).parents[2] / "docs" / "troubleshoot.md").read_text()
CHECKS = sorted((Path(sakedge.__file__).parent / "checks").glob("doctor*.py"))
MARKS = {"ok": "ok", "note": "note", "WARN": "warning", "FAIL": "failure"}
STATUSES = set(MARKS.values())


def _rows(section: str) -> list[list[str]]:
    part = PAGE.split(f"## {section}\n", 1)[1].split("\n## ", 1)[0]
    rows = [re.split(r"(?<!\\) \| ", line.strip("| ")) for line in part.splitlines() if "|" in line]
    return [[cell.strip().strip("`") for cell in row] for row in rows[2:]]


def _explained() -> set[tuple[str, str]]:
    return {(row[0], MARKS[row[1]]) for row in _rows("What `doctor` finds")}


def _texts(node: ast.expr, function: ast.AST) -> set[str]:
    """What an expression may be, with `…` for what is not known here."""
    if isinstance(node, ast.Constant):
        return {str(node.value)}
    if isinstance(node, ast.JoinedStr):
        known = (
            part.value if isinstance(part, ast.Constant) else _name(part) for part in node.values
        )
        return {"".join(map(str, known))}
    if isinstance(node, ast.IfExp):
        return _texts(node.body, function) | _texts(node.orelse, function)
    assert isinstance(node, ast.Name), ast.dump(node)
    found: set[str] = set()
    for each in ast.walk(function):
        if isinstance(each, ast.Assign | ast.AnnAssign) and each.value is not None:
            targets = each.targets if isinstance(each, ast.Assign) else [each.target]
            if any(isinstance(to, ast.Name) and to.id == node.id for to in targets):
                found |= _texts(each.value, function)
    return found


def _name(part: ast.expr) -> str:
    assert isinstance(part, ast.FormattedValue)
    return "CUDA" if isinstance(part.value, ast.Name) and part.value.id == "NAME" else "…"


def _findable() -> Iterator[tuple[str, str]]:
    """Topic and status of each finding that the sources can make."""
    for path in CHECKS:
        for function in ast.parse(path.read_text()).body:
            if not isinstance(function, ast.FunctionDef) or function.name == "_missing":
                continue
            for call in ast.walk(function):
                named = isinstance(call, ast.Call) and isinstance(call.func, ast.Name)
                if named and call.func.id in ("Finding", "_missing"):  # type: ignore[union-attr]
                    topic, status = call.args[:2]  # type: ignore[union-attr]
                    for text in _texts(topic, function):
                        for each in _texts(status, function) & STATUSES:
                            yield text, each


def test_every_finding_is_explained_and_no_other() -> None:
    findable = set(_findable())
    assert len(findable) > 20
    assert findable == _explained()


def test_what_doctor_finds_here_is_among_them() -> None:
    explained = _explained()
    for finding in examine().findings:
        topics = [finding.topic, re.sub(r" \S+$", " …", finding.topic)]
        topics.append(re.sub(r"\.\d+$", ".…", finding.topic))
        assert any((topic, finding.status) in explained for topic in topics), finding


def test_every_error_is_explained_and_no_other() -> None:
    ours = {
        name
        for name, each in vars(errors).items()
        if isinstance(each, type) and issubclass(each, errors.SakedgeError)
    }
    listed = [row[0] for row in _rows("Errors by type")]
    assert len(listed) == len(set(listed))
    assert set(listed) == ours - {"SakedgeError"}
