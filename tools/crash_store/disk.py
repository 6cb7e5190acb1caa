"""A disk that may lose what was not synced.

The bytes of a file are durable once the file was synced, a name once its folder was. Before, each
change of a name may be there or not, whatever became of those before it; a renaming is there as a
whole or not at all. Of bytes that were not synced none may be there, half of them, zeros in their
place, or all.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from tools.crash_store.trace import Call

Tree = Mapping[str, bytes | None]
"""Path → content; None for a folder."""


def read_tree(folder: Path) -> dict[str, bytes | None]:
    """Everything in a folder."""
    return {
        str(each.relative_to(folder)): None if each.is_dir() else each.read_bytes()
        for each in sorted(folder.rglob("*"))
    }


def write_tree(folder: Path, tree: Tree) -> None:
    """Makes a folder with this in it."""
    folder.mkdir()
    for path, content in sorted(tree.items()):
        if content is None:
            (folder / path).mkdir()
        else:
            (folder / path).write_bytes(content)


@dataclass
class _File:
    durable: bytes = b""
    data: bytes = b""

    def states(self) -> tuple[bytes, ...]:
        """What may be found: nothing of what was not synced, half, zeros, all."""
        start = len(self.durable) if self.data.startswith(self.durable) else 0
        half = start + (len(self.data) - start) // 2
        zeros = self.data[:start] + bytes(len(self.data) - start)
        return self.durable, self.data[:half], zeros, self.data


@dataclass
class _Folder:
    durable: dict[str, _File | _Folder] = field(default_factory=dict)
    names: dict[str, _File | _Folder] = field(default_factory=dict)
    pending: list[dict[str, _File | _Folder | None]] = field(default_factory=list)

    def change(self, names: dict[str, _File | _Folder | None]) -> None:
        self.names = _changed(self.names, names)
        self.pending.append(names)


class Disk:
    """A disk with a folder on it, all of it durable; None if there is no folder yet."""

    def __init__(self, tree: Tree | None) -> None:
        self._root = _Folder()
        if tree is None:
            return
        self._root.durable["."] = _Folder()
        self._root.names = dict(self._root.durable)
        for path, content in sorted(tree.items()):
            parent, name = self._parent(path)
            made = _Folder() if content is None else _File(content, content)
            parent.durable[name] = made
            parent.names[name] = made

    def apply(self, call: Call) -> None:
        """Does what a call did."""
        if call.path == "..":  # of what lies outside, only the folder's own name matters
            self._root.durable, self._root.pending = dict(self._root.names), []
            return
        parent, name = self._parent(call.path)
        there = parent.names.get(name)
        if call.name == "create":
            if there is None:
                parent.change({name: _File()})
        elif call.name == "mkdir":
            parent.change({name: _Folder()})
        elif call.name in ("unlink", "rmdir"):
            parent.change({name: None})
        elif call.name == "rename":
            assert there is not None
            onto, new = self._parent(call.other)
            assert onto is parent, "the store renames within a folder"
            parent.change({name: None, new: there})
        elif call.name == "sync" and isinstance(there, _Folder):
            there.durable, there.pending = dict(there.names), []
        else:
            assert isinstance(there, _File), call
            if call.name == "sync":
                there.durable = there.data
            elif call.name == "truncate":
                there.data = there.data[: call.size]
            else:
                assert call.name == "write"
                there.data += call.data

    def crashes(self, chance: random.Random, most: int) -> Iterator[Tree | None]:
        """What may be found after a loss of power now; None is no folder at all.

        Args:
            chance: Chooses among them where there are more than `most`.
            most: How many combinations of changed names are tried.
        """
        pending = [
            (id(folder), i) for folder in self._folders() for i in range(len(folder.pending))
        ]
        if 1 << len(pending) <= most:
            kept = itertools.product((False, True), repeat=len(pending))
        else:
            some = [tuple(chance.random() < 0.5 for _ in pending) for _ in range(most - 2)]
            kept = iter([(False,) * len(pending), (True,) * len(pending), *some])
        for choice in kept:
            there = {key for key, is_kept in zip(pending, choice, strict=True) if is_kept}
            for fate in range(4):
                root = self._found(self._root, there, fate)
                yield (
                    None
                    if "." not in root
                    else {
                        path.removeprefix("./"): content
                        for path, content in root.items()
                        if path != "."
                    }
                )

    def _found(self, folder: _Folder, kept: set[tuple[int, int]], fate: int) -> Tree:
        names = folder.durable
        for i, change in enumerate(folder.pending):
            if (id(folder), i) in kept:
                names = _changed(names, change)
        tree: dict[str, bytes | None] = {}
        for name, there in names.items():
            if isinstance(there, _File):
                tree[name] = there.states()[fate]
            else:
                tree[name] = None
                inner = self._found(there, kept, fate)
                tree.update({f"{name}/{path}": content for path, content in inner.items()})
        return tree

    def _folders(self) -> Iterator[_Folder]:
        level = [self._root]
        while level:
            folder = level.pop()
            yield folder
            # What a change has removed may be there again after the loss.
            inner = {id(each): each for each in (*folder.durable.values(), *folder.names.values())}
            for change in folder.pending:
                inner.update({id(each): each for each in change.values() if each is not None})
            level += [each for each in inner.values() if isinstance(each, _Folder)]

    def _parent(self, path: str) -> tuple[_Folder, str]:
        """The folder that a path lies in, and its name there."""
        folder, parts = self._root, PurePosixPath(path).parts
        if not parts:
            return folder, "."
        for part in (".", *parts[:-1]):
            inner = folder.names[part]
            assert isinstance(inner, _Folder)
            folder = inner
        return folder, parts[-1]


def _changed(
    names: Mapping[str, _File | _Folder], change: Mapping[str, _File | _Folder | None]
) -> dict[str, _File | _Folder]:
    changed = {name: there for name, there in names.items() if change.get(name, there) is not None}
    return changed | {name: there for name, there in change.items() if there is not None}
