"""Reads PTX: entries, their registers and statements."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

# Text between commas that are not inside brackets.
_OPERAND = re.compile(r"(?:[^,{\[]|\{[^}]*\}|\[[^\]]*\])+")


@dataclass(frozen=True)
class Statement:
    """An instruction, or a label where `opcode` is empty."""

    opcode: str
    operands: tuple[str, ...] = ()
    guard: str = ""  # a predicate, perhaps with "!" before it
    label: str = ""


@dataclass
class Entry:
    """A kernel: `registers` and `locals` (type or bytes) by name."""

    name: str
    param_bytes: int
    threads: int
    registers: dict[str, str] = field(default_factory=dict)
    locals: dict[str, int] = field(default_factory=dict)
    tables: dict[str, list[str]] = field(default_factory=dict)  # labels that brx.idx goes to
    statements: list[Statement] = field(default_factory=list)


@dataclass(frozen=True)
class Variable:
    """A constant in global memory."""

    type: str
    values: tuple[str, ...]


@dataclass
class Module:
    """What a PTX file defines."""

    entries: list[Entry]
    variables: dict[str, Variable]
    shared: set[str]  # names for the start of shared memory


def parse(text: str) -> Module:
    """Reads a PTX file.

    Raises:
        ValueError: It defines what is not known: functions, static shared memory, ….
    """
    text = re.sub(r"//[^\n]*|/\*.*?\*/", "", text, flags=re.DOTALL)
    module = Module([], {}, set(re.findall(r"\.extern\s+\.shared[^;]*?(\w+)\[\];", text)))
    outside = []
    end = 0
    for head in re.finditer(r"\.visible\s+\.entry\s+(\w+)\s*\((.*?)\)(.*?)\{", text, re.DOTALL):
        outside.append(text[end : head.start()])
        end = _closing(text, head.end())
        module.entries.append(_entry(head[1], head[2], head[3], text[head.end() : end - 1]))
    outside.append(text[end:])
    _variables("".join(outside), module.variables)
    return module


def _closing(text: str, at: int) -> int:
    depth = 1
    for brace in re.compile(r"[{}]").finditer(text, at):
        depth += 1 if brace[0] == "{" else -1
        if depth == 0:
            return brace.end()
    raise ValueError("PTX ends inside a kernel")


def _variables(text: str, found: dict[str, Variable]) -> None:
    text = re.sub(r"\.(version|target|address_size)[^\n]*|\.extern\s+\.shared[^;]*;", "", text)
    pattern = (
        r"(?:\.visible\s+)?\.(?:global|const)\s+(?:\.align\s+\d+\s+)?\.(\w+)\s+([$\w]+)(?:\[\d+\])?"
        r"\s*=\s*\{?([^;{}]*)\}?;"
    )
    for match in re.finditer(pattern, text):
        found[match[2]] = Variable(match[1], tuple(v.strip() for v in match[3].split(",")))
    if rest := re.sub(pattern, "", text).strip():
        raise ValueError(f"unknown directive: {rest[:200]}")


def _entry(name: str, params: str, directives: str, body: str) -> Entry:
    param = re.fullmatch(r"\s*\.param\s+\.align\s+\d+\s+\.b8\s+(\w+)\[(\d+)\]\s*", params)
    threads = re.search(r"\.(?:maxntid|reqntid)\s+(\d+)", directives)
    if param is None or threads is None:
        raise ValueError(f"{name}: expected one struct and .maxntid, got ({params}) {directives}")
    entry = Entry(name, int(param[2]), int(threads[1]))
    entry.registers[param[1]] = "param"
    for text in body.split(";"):
        _statement(text.strip(), entry)
    return entry


def _statement(text: str, entry: Entry) -> None:
    while True:
        text = text.lstrip("{} \t\n")  # scopes: names of registers are unique all the same
        label = re.match(r"([$%\w]+):(?!:)\s*", text)
        if label is None:
            break
        text = text[label.end() :]
        targets = re.fullmatch(r"\.branchtargets\s+(.*)", text, re.DOTALL)
        if targets:
            entry.tables[label[1]] = [t.strip() for t in targets[1].split(",")]
            return
        entry.statements.append(Statement("", label=label[1]))
    if not text:
        return
    if text.startswith("."):
        _directive(text, entry)
        return
    guard = ""
    if match := re.match(r"@(!?[%\w]+)\s+", text):
        guard, text = match[1], text[match.end() :]
    opcode, _, rest = re.sub(r"\s+", " ", text).partition(" ")
    operands = tuple(o.strip() for o in _OPERAND.findall(rest))
    entry.statements.append(Statement(opcode, operands, guard))


def _directive(text: str, entry: Entry) -> None:
    if re.match(r"\.(pragma|loc)\b", text):
        return
    if match := re.fullmatch(r"\.reg\s+\.(\w+)\s+(.*)", text, re.DOTALL):
        for name in match[2].split(","):
            many = re.fullmatch(r"\s*([%\w]+?)<(\d+)>\s*", name)
            names = [f"{many[1]}{i}" for i in range(int(many[2]))] if many else [name.strip()]
            entry.registers |= dict.fromkeys(names, match[1])
        return
    if match := re.fullmatch(r"\.local\s+\.align\s+\d+\s+\.b8\s+(\w+)\[(\d+)\]", text):
        entry.locals[match[1]] = int(match[2])
        return
    raise ValueError(f"{entry.name}: unknown directive: {text}")
