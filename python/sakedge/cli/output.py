"""Where text goes: results to standard output, everything else to standard error."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, TypeAlias

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table
from rich.text import Text

from sakedge.logs import priority
from sakedge.text import to_json, visible


def remark(text: str, level: str = "warning") -> None:
    """Prints one line to standard error, whatever is in the text; without one it is lost.

    Args:
        text: The line.
        level: `error`, `warning` or `info`, which systemd's journal keeps with it.
    """
    with suppress(OSError):
        print(priority(level, sys.stderr) + visible(text), file=sys.stderr, flush=True)


def say(text: str) -> None:
    """Prints one line of the result, whatever is in the text."""
    put(visible(text))


def put(text: str) -> None:
    """Prints text that is made for the terminal.

    Raises:
        OSError: Standard output is closed or full.
    """
    print(text, flush=True)


def print_json(value: Any) -> None:
    """Prints a result for a script."""
    put(to_json(value, indent=2))


def print_facts(title: str, facts: Mapping[str, object]) -> None:
    """Prints a title and below it names with what they are."""
    width = max(map(len, facts))
    say(title)
    for key, value in facts.items():
        say(f"  {key:<{width}}  {value}")


def print_table(title: str, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Prints a title and a table; their text is taken as it is, brackets included."""
    table = Table()
    for i, name in enumerate(header):
        table.add_column(Text(visible(name)), overflow="fold", no_wrap=i == 0)
    for row in rows:
        table.add_row(*(Text(visible(str(cell))) for cell in row))
    say(title)
    # Into a file or a pipe: wider than the 80 columns that rich assumes.
    console = Console(width=None if sys.stdout.isatty() else 160)
    with console.capture() as captured:
        console.print(table)
    put(captured.get().removesuffix("\n"))


Update: TypeAlias = Callable[[str, "float | None"], None]
"""A `sakedge.progress.Progress` that also accepts no share, where the end is not known."""


_LINES_EVERY = 1.0
"""Seconds between two lines of progress."""


@contextmanager
def progress_bar(step: str = "", shown: bool | None = None) -> Iterator[Update]:
    """Shows progress on standard error while the block runs.

    Args:
        step: The first step.
        shown: True: where it is no terminal, as lines. None: on a terminal only. False: never.

    Yields:
        A function to call with the current step and the share done, if it is known.
    """
    console = Console(stderr=True)
    if shown and not console.is_terminal:
        yield _progress_lines()
        return
    with Progress(
        SpinnerColumn("dots" if console.encoding.startswith("utf") else "line"),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[percent]}"),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=shown is False or not console.is_terminal,
        # Results that go to a file must not be drawn above the bar instead.
        redirect_stdout=sys.stdout.isatty(),
    ) as bar:
        task = bar.add_task(visible(step), total=None, percent="")

        def update(step: str, share: float | None) -> None:
            total, percent = (None, "") if share is None else (1.0, f"{share:.0%}")
            bar.update(
                task, description=visible(step), completed=share, total=total, percent=percent
            )

        yield update


def _progress_lines() -> Update:
    """Progress for a log: a line for the first step, and then at most one a second."""
    due = time.monotonic()

    def update(step: str, share: float | None) -> None:
        nonlocal due
        now = time.monotonic()
        if now >= due:
            due = now + _LINES_EVERY
            remark(step if share is None else f"{step} ({share:.0%})", "info")

    return update
