"""The files that verbs write: under which names, and never over an input."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sakedge.errors import OptionError
from sakedge.files.atomic import atomic_write, draft, make_folder, storage_error
from sakedge.files.names import Names
from sakedge.files.targets import check_target, followed, refuse_inputs
from sakedge.text import to_json

if TYPE_CHECKING:
    from sakedge.result import Result


def check_output(output: Path | None, inputs: Iterable[Path]) -> None:
    """Finds out before any work whether a verb could write its one file.

    Raises:
        OptionError: It would overwrite an input.
        StorageError: It cannot be written.
    """
    if output is not None:
        refuse_inputs(output, inputs)
        check_target(followed(output))
        _try_to_write(followed(output).parent)


def write_json(output: Path, value: Any) -> None:
    """Writes a file of JSON; of a link the file that it points to.

    Raises:
        StorageError: It cannot be written.
    """
    with atomic_write(followed(output)) as file:
        file.write(to_json(value, indent=2).encode())


@dataclass(frozen=True)
class Wanted:
    """What is written for each result."""

    output: Path
    save: bool = True
    save_json: bool = False
    save_arrays: bool = False
    json: bool = False

    @property
    def anything(self) -> bool:
        """Whether any file is written."""
        return self.save or self.save_json


class Writer:
    """Writes results to a folder, each under names of its own.

    Args:
        wanted: What is written.
        inputs: Files that are read meanwhile.

    Raises:
        OptionError: One of the inputs lies in the folder: results among images would replace some
            of them, and be taken for images the next time.
        StorageError: The folder cannot be written to.
    """

    def __init__(self, wanted: Wanted, inputs: Iterable[str]) -> None:
        self._wanted = wanted
        self._names = Names()
        if wanted.anything:
            _refuse_own_folder(wanted.output, inputs)
            make_folder(wanted.output)
            _try_to_write(wanted.output)

    def write(self, result: Result) -> list[Path]:
        """Writes one result.

        Returns:
            Paths of what was written.

        Raises:
            StorageError: A file cannot be written.
        """
        wanted = self._wanted
        if not wanted.anything:
            return []
        name, written = self._name(result), []
        if wanted.save:
            written += result.save(wanted.output, name=name, arrays=wanted.save_arrays)
        if wanted.save_json:
            make_folder(wanted.output)
            written.append(wanted.output / f"{name}.json")
            with atomic_write(written[-1]) as file:
                file.write(result.to_json(indent=2).encode())
        return written

    def _name(self, result: Result) -> str:
        # Frames are told apart by their numbers, and a camera may give them for years.
        if result.frame is not None:
            return result.file_name
        return self._names.free_stem(result.file_name, result.file_endings)


def _refuse_own_folder(output: Path, inputs: Iterable[str]) -> None:
    for folder in {each for path in inputs for each in _folders(path)}:
        same = False
        with suppress(OSError):  # one of them is not there
            same = output.samefile(folder)
        if same:
            raise OptionError(
                f"{output} holds the images themselves", remedy="Choose another folder with -o"
            )


def _folders(path: str) -> set[Path]:
    """Where a file lies, and what it is a link to."""
    given = Path(path)
    return {given.parent, followed(given).parent}


def _try_to_write(folder: Path) -> None:
    """Rather than to find out when the work is done."""
    try:
        with draft(folder):
            pass
    except OSError as error:
        raise storage_error("cannot write to", folder, error) from error
