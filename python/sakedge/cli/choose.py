"""`sakedge benchmark --choose`: the fastest model, backend and stem for a student here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sakedge.cli.output import print_json, print_table, progress_bar, say
from sakedge.cli.peers import plan_of
from sakedge.cli.written import write_json

if TYPE_CHECKING:
    from sakedge.runtime.choice import Choice, Measured


def choose_by_measuring(
    student: Path,
    output: Path | None,
    json: bool,
    *,
    rounds: int,
    warmup: int,
    duration: float | None,
    device: str | None,
    precision: str,
    threads: int | None,
    cache_dir: str | None,
) -> None:
    """Measures the candidates, writes the choice where `load` finds it, and prints both."""
    from sakedge.backends.cache_dir import resolve_cache_dir
    from sakedge.checks.choose import choose
    from sakedge.errors import OptionError
    from sakedge.runtime.choice import store_choice

    plan = plan_of(threads, 1, rounds, warmup, duration)
    cache = resolve_cache_dir(cache_dir)
    if cache.folder is None and output is None:
        raise OptionError(
            f"there is no cache in which load would find the choice ({cache.off})",
            remedy="Give --cache-dir, or -o for a file to pin",
        )
    with progress_bar() as progress:
        choice = choose(
            student,
            plan,
            device=device,
            precision=precision,
            cache_dir=cache_dir,
            progress=progress,
        )
    stored = None if cache.folder is None else store_choice(cache.folder, choice)
    if output is not None:
        write_json(output, choice.to_dict())
    if json:
        print_json({**choice.to_dict(), "stored": None if stored is None else str(stored)})
        return
    _print(choice, student)
    if stored is not None:
        say(f"stored in {stored}: load takes it while these and all versions stay as they are")
    if output is not None:
        say(f"written to {output}: load(config={{'choice': …}}) pins it")


def _print(choice: Choice, student: Path) -> None:
    setting = choice.setting
    say(f"{student}  SHA-256 {setting.student[:16]}…")
    say(f"{setting.cpu}; device {setting.device or 'the default'}, {setting.precision}")
    say(f"{setting.threads} threads, one image, fresh processes in turn")
    print_table(
        "Candidates",
        ("model", "backend", "stem", "ms", "peak MiB", "error", ""),
        [
            (
                each.model,
                each.backend,
                each.stem,
                "" if each.ms is None else f"{each.ms:.1f}",
                "" if each.peak is None else f"{each.peak / 2**20:.0f}",
                "" if each.error is None else f"{each.error:.1e}",
                each.refused or ("chosen" if _key(each) == _key(choice) else ""),
            )
            for each in choice.measured
        ],
    )


def _key(each: Choice | Measured) -> tuple[str, str, str | None]:
    return each.model, each.backend, each.stem
