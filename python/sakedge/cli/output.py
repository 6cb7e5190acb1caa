"""Where text goes: results to standard output, everything else to standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table


class _Output(Console):
    """A console that leaves a broken pipe to the caller; rich's own would exit with a failure."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def remark(text: str) -> None:
    """Prints one line to standard error, whatever is in the text."""
    print(" ".join(text.split()), file=sys.stderr)


def say(text: str) -> None:
    """Prints a line of the result."""
    print(text, flush=True)


def print_json(value: Any) -> None:
    """Prints a result for a script."""
    print(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def print_table(title: str, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Prints a title and a table; their text is taken as it is, brackets included."""
    table = Table()
    for i, name in enumerate(header):
        table.add_column(escape(name), overflow="fold", no_wrap=i == 0)
    for row in rows:
        table.add_row(*(escape(str(cell)) for cell in row))
    say(title)
    # Into a file or a pipe: wider than the 80 columns that rich assumes.
    _Output(width=None if sys.stdout.isatty() else 160).print(table)


Update: TypeAlias = Callable[[str, "float | None"], None]
"""A `sakedge.progress.Progress` that also accepts no share, where the end is not known."""


@contextmanager
def progress_bar(step: str = "") -> Iterator[Update]:
    """Shows progress on standard error while the block runs, if that is a terminal.

    Args:
        step: The first step.

    Yields:
        A function to call with the current step and the share done, if it is known.
    """
    console = Console(stderr=True)
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[percent]}"),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
        # Results that go to a file must not be drawn above the bar instead.
        redirect_stdout=sys.stdout.isatty(),
    ) as bar:
        task = bar.add_task(escape(step), total=None, percent="")

        def update(step: str, share: float | None) -> None:
            total, percent = (None, "") if share is None else (1.0, f"{share:.0%}")
            bar.update(
                task, description=escape(step), completed=share, total=total, percent=percent
            )

        yield update
