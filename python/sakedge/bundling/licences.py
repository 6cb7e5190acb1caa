"""The licences of everything in a bundle: what each package states, and its texts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.message import Message
from pathlib import Path, PurePosixPath

from sakedge.bundling.wheel import Wheel
from sakedge.text import visible

_TEXT = re.compile(
    r"(un)?licen[cs]e|copying|notice|copyright|third[-_]?party[-_]?notices?|.*third-party-programs",
    re.IGNORECASE,
)
_CODE = (".py", ".pyc", ".pyi", ".so", ".h", ".c")
_CLASSIFIER = "License :: "
_LONGEST = 100
INDEX = "README.md"


@dataclass(frozen=True)
class Licence:
    """What is known of one thing in a bundle.

    Attributes:
        name: Of the package or file.
        version: Its version; empty if it has none.
        stated: The licence as it states it; empty if it states none.
        texts: Where its texts are in the bundle's `licences/`.
    """

    name: str
    version: str
    stated: str
    texts: tuple[str, ...] = ()


def stated(metadata: Message) -> str:
    """The licence of a package as its metadata state it, on one line."""
    expression = metadata.get("License-Expression")
    field = " ".join(str(metadata.get("License") or "").split())
    classifiers = [
        each.rpartition(" :: ")[2]
        for each in metadata.get_all("Classifier") or ()
        if each.startswith(_CLASSIFIER)
    ]
    # Some put the whole text into the field: then the classifiers say it shorter.
    is_text = len(field) > _LONGEST or field in ("", "UNKNOWN")
    return str(expression or ("; ".join(classifiers) if is_text else field))


def texts_in(wheel: Wheel) -> dict[str, bytes]:
    """The texts of licences in a wheel, each once: path in it → content."""
    found: dict[bytes, str] = {}
    for name in filter(_is_text, wheel.names):
        found.setdefault(wheel.read_file(name), name)
    return {name: content for content, name in found.items()}


def write_licences(
    wheels: Sequence[Wheel], files: Mapping[str, str], folder: Path
) -> list[Licence]:
    """Writes all texts and a table of them.

    Args:
        wheels: The packages.
        files: Student and packs, by name → licence as they state it.
        folder: Where to.

    Returns:
        What the table says.
    """
    found = []
    for wheel in wheels:
        own = f"{wheel.name}-{wheel.version}"
        texts = texts_in(wheel)
        for name, content in texts.items():
            target = folder / own / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        paths = tuple(f"{own}/{name}" for name in texts)
        found.append(Licence(wheel.name, wheel.version, stated(wheel.metadata), paths))
    found += [Licence(name, "", licence) for name, licence in files.items()]
    folder.mkdir(exist_ok=True)
    (folder / INDEX).write_text(_table(found))
    return found


def _table(licences: Sequence[Licence]) -> str:
    rows = [
        f"| {_cell(each.name)} | {_cell(each.version)} | {_cell(each.stated) or 'none stated'} "
        f"| {'<br>'.join(map(_cell, each.texts)) or 'no text in it'} |\n"
        for each in licences
    ]
    head = "# Licences of what is in this bundle\n\nAs each package or file states them.\n\n"
    return f"{head}| what | version | licence | texts |\n|---|---|---|---|\n{''.join(rows)}"


def _cell(text: str) -> str:
    return visible(" ".join(text.split())).replace("|", "\\|")


def _is_text(name: str) -> bool:
    path = PurePosixPath(name)
    is_listed = ".dist-info/licenses/" in name or ".dist-info/license_files/" in name
    is_named = _TEXT.match(path.name) is not None and path.suffix not in _CODE
    return is_listed or is_named
