"""The code blocks of a page, and what a comment before one says of it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")])
CODE = ("python", "console", "sh")
"""The languages whose blocks are run."""

_FENCE = re.compile(r"^( *)```(\S*)\n(.*?)^\1```$", re.M | re.S)
_MARK = re.compile(r"<!-- (not run|exit code|long): ((?:(?!-->).)*) -->\s*\Z", re.S)
_SHELL = re.compile(r"^(\$ |sakedge |python3? |make |pip |sudo |cmake )", re.M)


@dataclass(frozen=True)
class Block:
    """A block.

    Attributes:
        page: The page.
        line: Of the page, where it begins.
        language: What it says it is.
        text: What is in it.
        mark: `not run`, `long`, `exit code` or nothing.
        reason: What the mark says.
    """

    page: Path
    line: int
    language: str
    text: str
    mark: str
    reason: str

    @property
    def place(self) -> str:
        """For messages."""
        return f"{self.page.name}:{self.line}"

    @property
    def looks_like_shell(self) -> bool:
        """Whether a reader would type it."""
        return bool(_SHELL.search(self.text))

    def commands(self) -> Iterator[tuple[str, list[str]]]:
        """Each command, and the lines that it is said to print.

        In a `console` block a command begins with `$ ` and what follows is its output; in one of
        `sh` every line is a command. One that ends with a backslash goes on.
        """
        command, printed = "", list[str]()
        goes_on = False
        for line in self.text.splitlines():
            is_command = self.language == "sh" or line.startswith("$ ")
            if goes_on:
                command += line.strip()
            elif is_command and line.strip():
                if command:
                    yield command, printed
                command, printed = line.removeprefix("$ "), []
            elif line.strip():
                printed.append(line)
            goes_on = command.endswith("\\") and (goes_on or is_command)
            command = command.removesuffix("\\") if goes_on else command
        if command:
            yield command, printed


def blocks(page: Path) -> list[Block]:
    """All blocks of a page."""
    text = page.read_text()
    found = []
    for match in _FENCE.finditer(text):
        before = text[: match.start()]
        mark = _MARK.search(before)
        kind, reason = (mark[1], " ".join(mark[2].split())) if mark else ("", "")
        line = before.count("\n") + 1
        found.append(Block(page, line, match[2], match[3], kind, reason))
    return found


def words(command: str) -> list[str]:
    """A command's words, without its comment."""
    return shlex.split(command, comments=True)
