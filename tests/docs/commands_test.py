"""Every command that a page names exists, with the options that it is given, run here or not."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import typer
from tests.docs.blocks import PAGES, ROOT, blocks

from sakedge.cli.app import build

NAMED = [*PAGES, *(ROOT / name for name in ("SECURITY.md", "ARCHITECTURE.md", "CHANGELOG.md"))]
PLACEHOLDER = "VERB"

_INLINE = re.compile(r"`((?:[\w./]+/)?(?:sakedge|python3?) [^`]+)`")
_OPTION = re.compile(r"(--?[A-Za-z][\w-]*)(?:=|$)")


def _commands(text: str, shell: list[str]) -> Iterator[list[str]]:
    prose = re.sub(r"```.*?```", "", text, flags=re.S)
    for command in (*shell, *(" ".join(each.split()) for each in _INLINE.findall(prose))):
        yield shlex.split(command, comments=True)


def _options(words: list[str]) -> Iterator[str]:
    for word in words:
        match = _OPTION.match(word)
        if match:
            yield match[1]


@cache
def _sakedge() -> Any:
    return typer.main.get_command(build())


def _verb(words: list[str]) -> Iterator[str]:
    """What is wrong with a command line of sakedge."""
    node = _sakedge()
    rest = words[1:]
    while hasattr(node, "commands") and rest and not rest[0].startswith("-"):
        name = rest[0].split("|")[0].rstrip(",;")
        if name not in node.commands:
            if name != PLACEHOLDER:
                yield f"no verb {name}"
            return
        node, rest = node.commands[name], rest[1:]
    known = {"-h", "--help"} | {
        option for each in node.params for option in (*each.opts, *each.secondary_opts)
    }
    # Of a group that is named without a verb the option may be any verb's.
    for verb in getattr(node, "commands", {}).values():
        known |= {option for each in verb.params for option in (*each.opts, *each.secondary_opts)}
    yield from (f"no option {each}" for each in _options(rest) if each not in known)


def _tool(module: str, rest: list[str]) -> Iterator[str]:
    """What is wrong with a call of a module of ours, by what its sources name."""
    path = ROOT / module.replace(".", "/")
    files = [*path.rglob("*.py")] if path.is_dir() else [path.with_suffix(".py")]
    if not files or not files[0].is_file():
        yield f"no module {module}"
        return
    sources = "".join(each.read_text() for each in files)
    yield from (f"no option {each}" for each in _options(rest) if f'"{each}"' not in sources)


def _wrong(words: list[str]) -> Iterator[str]:
    for at, word in enumerate(words):
        begins = at == 0 or words[at - 1] in ("sudo", "&&", "|") or "=" in words[at - 1]
        if begins and word.rsplit("/", 1)[-1] == "sakedge":
            yield from _verb(words[at:])
        if word == "-m" and words[at + 1].startswith("tools"):
            yield from _tool(words[at + 1], words[at + 2 :])
        if re.fullmatch(r"tools/\w+\.py", word):
            yield from _tool(word.removesuffix(".py"), words[at + 1 :])


@pytest.mark.parametrize("page", NAMED, ids=lambda page: page.name)
def test_commands_and_their_options_exist(page: Any) -> None:
    shell = [
        command
        for block in blocks(page)
        if block.language in ("sh", "console")
        for command, _ in block.commands()
    ]
    wrong = [
        f"{' '.join(words)}: {each}"
        for words in _commands(page.read_text(), shell)
        for each in _wrong(words)
    ]
    assert wrong == []


@pytest.mark.parametrize(
    "command",
    [
        "sakedge fly student.onnx",
        "sudo /opt/sakedge/bin/sakedge predict student.onnx --fast",
        "sakedge adapter swap sam",
        "python -m tools.absent",
        "python -m tools.fuzz image --sideways 1",
        "python tools/measure_memory.py --sideways",
    ],
)
def test_a_command_that_is_not_there_is_found(command: str) -> None:
    assert [*_wrong(command.split())]
