"""Where words go: results to standard output, everything else to standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
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
    """Prints a table; its text is taken as it is, brackets included."""
    table = Table(title=escape(title), title_justify="left", title_style="bold")
    for i, name in enumerate(header):
        table.add_column(escape(name), overflow="fold", no_wrap=i == 0)
    for row in rows:
        table.add_row(*(escape(str(cell)) for cell in row))
    # Into a file or a pipe: wider than the 80 columns that rich takes for granted.
    _Output(width=None if sys.stdout.isatty() else 160).print(table)


@contextmanager
def progress_bar(total: int | None = None) -> Iterator[Callable[[str, float, float | None], None]]:
    """Shows progress on standard error while the block runs, if that is a terminal.

    Yields:
        A function to call with what is done now, how much is done, and of how much.
    """
    console = Console(stderr=True)
    count = MofNCompleteColumn() if total != 1 else TextColumn("{task.percentage:>3.0f}%")
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        count,
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
        # Results that go to a file must not be drawn above the bar instead.
        redirect_stdout=sys.stdout.isatty(),
    ) as bar:
        task = bar.add_task("", total=total)

        def update(step: str, done: float, of: float | None = None) -> None:
            bar.update(task, description=escape(step), completed=done, total=of)

        yield update
