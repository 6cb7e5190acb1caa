"""`sakedge predict`: runs a student on images and writes its outputs."""

from __future__ import annotations

from contextlib import closing, nullcontext
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sakedge.cli.options import (
    Adapters,
    Backend,
    CacheDir,
    Device,
    Json,
    Precision,
    SiteFolder,
    StudentPath,
    Tasks,
    Threads,
    names,
)
from sakedge.cli.output import Update, progress_bar, put, remark, say
from sakedge.cli.written import Wanted, Writer
from sakedge.errors import StorageError
from sakedge.images.limits import MAX_PIXELS

if TYPE_CHECKING:
    from sakedge.result import Result
    from sakedge.sources import FrameError, Stream


def predict(
    student: StudentPath,
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE", help="Image, folder, glob, video, camera index or URL (rtsp://…)."
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Folder for what is written.")
    ] = Path("out"),
    adapters: Adapters = None,
    tasks: Tasks = None,
    fit: Annotated[
        str | None,
        typer.Option(help="pad, letterbox or tile an image of another size (default: the file's)."),
    ] = None,
    batch: Annotated[int, typer.Option("--batch", "-b", help="Images in one run.")] = 1,
    max_pixels: Annotated[
        int,
        typer.Option(min=1, help="Refuse images of more pixels, before they are decoded."),
    ] = MAX_PIXELS,
    limit: Annotated[
        int | None,
        typer.Option(min=1, help="Stop after this many images (default: the source's end)."),
    ] = None,
    save: Annotated[
        bool, typer.Option("--save/--no-save", help="Write overlays: all tasks, and each alone.")
    ] = True,
    save_json: Annotated[
        bool, typer.Option("--save-json", help="Also write numbers, routing and times per image.")
    ] = False,
    save_arrays: Annotated[
        bool, typer.Option("--save-arrays", help="Also write the outputs as arrays.")
    ] = False,
    reconnect_pause: Annotated[
        float,
        typer.Option(metavar="SECONDS", help="Longest pause between attempts to reach a camera."),
    ] = 10.0,
    give_up_after: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS", help="End when a camera sends nothing for so long (default: never)."
        ),
    ] = None,
    store: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Run the adapters that are active in this store, as it changes."
        ),
    ] = None,
    site: SiteFolder = None,
    backend: Backend = "auto",
    device: Device = None,
    precision: Precision = "auto",
    threads: Threads = None,
    cache_dir: CacheDir = None,
    progress: Annotated[
        bool | None,
        typer.Option(
            "--progress/--no-progress",
            help="Print progress, also of the tiles of a large image, where standard error is no "
            "terminal, or show none (default: a bar, on a terminal).",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Run a student on images, a video or a camera and draw every task over them.

    A frame that cannot be used is reported and skipped; then the exit code is 2.
    """
    import sakedge
    from sakedge.sources import name_some

    with progress_bar("loading", progress):
        loaded = sakedge.load(
            student,
            adapters=names(adapters),
            tasks=names(tasks),
            backend=backend,
            device=device,
            precision=precision,
            threads=threads,
            cache_dir=cache_dir,
            config={"max_pixels": max_pixels, "site": site},
        )
    wanted = Wanted(output, save, save_json, save_arrays, json)
    reconnect = sakedge.Reconnect(min(0.5, reconnect_pause), reconnect_pause, give_up_after)
    with (
        loaded,
        nullcontext() if store is None else closing(loaded.follow(store)),
        progress_bar(shown=progress) as update,
        loaded.stream(
            source,
            batch=batch,
            on_error=_report,
            reconnect=reconnect,
            fit=fit,
            progress=update,
        ) as stream,
    ):
        if stream.skipped:
            remark(f"sakedge: skipped, being no images: {name_some(stream.skipped)}")
        show(stream, wanted, update, limit)


def show(
    stream: Stream[Result], wanted: Wanted, progress: Update, limit: int | None = None
) -> None:
    """Writes and prints the results of a stream, then a summary.

    Args:
        stream: The results.
        wanted: What is written for each.
        progress: Called for each result; the stream calls it for the tiles of a large image.
        limit: Stop after this many.

    Raises:
        OptionError: The results would lie among the images.
        StorageError: The output folder cannot be written to.
        typer.Exit: With 2 if frames could not be used or written, with 1 if none could.
    """
    writer = Writer(wanted, stream.inputs)
    done = failed = 0
    try:
        for result in islice(stream, limit):
            try:
                written = writer.write(result)
                done += 1
            except StorageError as error:
                written = []
                failed += 1
                remark(f"sakedge: {error}")
            count = done + failed
            progress(f"{count}: {result.source or 'image'}", limit and count / limit)
            put(result.to_json()) if wanted.json else say(_line(result, written))
    except KeyboardInterrupt:  # how a user ends a camera's stream
        _sum_up(stream, wanted, done, failed)
        raise
    _sum_up(stream, wanted, done, failed)
    if stream.error_count or failed:
        raise typer.Exit(2 if done else 1)


def _sum_up(stream: Stream[Result], wanted: Wanted, done: int, failed: int) -> None:
    images = "1 image" if done == 1 else f"{done} images"
    errors = f", {stream.error_count} could not be used" if stream.error_count else ""
    unwritten = f", {failed} could not be written" if failed else ""
    dropped = f", {stream.dropped} dropped for newer ones" if stream.dropped else ""
    place = f"; results in {wanted.output}/" if done and wanted.anything else ""
    (remark if wanted.json else say)(f"{images}{errors}{unwritten}{dropped}{place}")


def _report(frame: FrameError) -> None:
    remark(f"sakedge: {frame.error}")


def _line(result: Result, written: list[Path]) -> str:
    height, width = result.image.shape[:2]
    times = ", ".join(f"{stage} {ms:.1f}" for stage, ms in result.speed.items())
    quality = "  quality unverified" if result.quality == "unverified" else ""
    where = f" -> {written[0]}" if written else ""
    return f"{result.source or 'image'}  {width}x{height}  {times} ms{quality}{where}"
