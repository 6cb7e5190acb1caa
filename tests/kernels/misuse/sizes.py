"""Sizes and numbers that are huge, negative, no numbers, or contradict each other."""

from __future__ import annotations

from typing import Any

import numpy as np
from tests.kernels.misuse.case import HUGE, INF, NAN, Case, Cases, fine
from tools.fuzz.core_parts import Sizes, decoding, floats, mosaic, mosaic_decoding, upsampling

from sakedge import _core

SMALL = Sizes()


def geometry(**changed: Any) -> Case:
    return Case(lambda: _core.Geometry(**(SMALL.geometry() | changed)))


def run(sizes: Sizes = SMALL, batch: int = 1, **changed: Any) -> Any:
    return _core.Decoder(**sizes.decoder()).run(**(sizes.run(batch) | changed))


def windowed(*window: float, **changed: Any) -> Any:
    return run(windows=[window], **changed)


def _geometries() -> Cases:
    cases = {
        "no channels": geometry(channels=0),
        "no blocks": geometry(blocks=0, levels=[]),
        "no levels": geometry(levels=[]),
        "levels twice": geometry(levels=[2, 2]),
        "levels backwards": geometry(levels=[2, 0]),
        "a level below": geometry(levels=[-1, 0]),
        "a level above": geometry(levels=[0, 3]),
        "two negative sides": geometry(grid=(-4, -6)),
        "tokens that wrap to 24": geometry(grid=(5, pow(5, -1, 2**64) * 24 % 2**64)),
        "sides of floats": geometry(grid=(4.0, 6.0)),
        "three sides": geometry(grid=(4, 6, 1)),
    }
    for size in HUGE:
        cases |= {
            f"{size} channels": geometry(channels=size),
            f"{size} blocks": geometry(blocks=size),
            f"level {size}": geometry(levels=[size]),
            f"a grid of {size} x 6": geometry(grid=(size, 6)),
            f"a grid of 4 x {size}": geometry(grid=(4, size)),
            f"an input of {size} x 96": geometry(input_size=(size, 96)),
            f"an input of {size} x {size}": geometry(input_size=(size, size)),
        }
    return cases


def _windows() -> Cases:
    cases: Cases = {
        "an empty window": fine(lambda: windowed(0, 0, 0.0, 0.0, 1.0, 1.0)),
        "a window far away": fine(lambda: windowed(8, 8, 1e300, -1e300, 1e300, -1e300)),
        "a window of scale 0": fine(lambda: windowed(8, 8, 0.0, 0.0, 0.0, 0.0)),
        "a window of the most pixels, unwanted": fine(
            lambda: windowed(2**20, 2**12, 0.0, 0.0, 1.0, 1.0, values=False)
        ),
        "a window of a number": Case(lambda: run(windows=[1])),
        "two windows": Case(lambda: run(windows=SMALL.run(2)["windows"])),
        "no windows": Case(lambda: run(windows=[])),
    }
    for number in (NAN, INF, -INF):
        for place in range(2, 6):
            window = [64, 96, 0.0, 0.0, 1.0, 1.0]
            window[place] = number
            cases[f"a window with {number} at {place}"] = Case(lambda w=window: windowed(*w))
    for size in HUGE:
        for height, width in ((size, 0), (1, size), (size, size)):
            cases |= {
                f"a window of {height} x {width}, {'' if wanted else 'un'}wanted": Case(
                    lambda h=height, w=width, wanted=wanted: windowed(
                        h, w, 0.0, 0.0, 1.0, 1.0, values=wanted
                    )
                )
                for wanted in (True, False)
            }
    return cases


def _of_runs() -> dict[str, Any]:
    return {key: SMALL.run()[key] for key in ("snapshots", "windows")}


def _numbers() -> Cases:
    cases: Cases = {
        "min_weight NaN": Case(lambda: run(min_weight=NAN)),
        "min_weight below": Case(lambda: run(min_weight=-1.0)),
        "min_weight infinite": fine(lambda: run(min_weight=INF)),
        "a row beyond": Case(lambda: run(rows=[1])),
        "a row below": Case(lambda: run(rows=[-1])),
        "a row that wraps": Case(lambda: run(rows=[2**63 - 1])),
        "rows of another number": Case(lambda: run(rows=[0, 0])),
        "rows of floats": Case(lambda: run(rows=[0.0])),
        "two runs of a row": fine(
            lambda: run(rows=[0, 0], **{k: v * 2 for k, v in _of_runs().items()})
        ),
        "nothing wanted": fine(lambda: run(values=False, logits=False, maps=False)),
        "no image": fine(lambda: run(batch=0)),
        "no image, no stem": Case(lambda: run(batch=0, stem=[], snapshots=[None])),
        "more images than a call takes": Case(lambda: run(Sizes(grid=(1, 1)), batch=4097)),
        "an input smaller than its grid": fine(lambda: run(Sizes(input_size=(1, 1)))),
        "256 classes": fine(lambda: run(Sizes(classes=256))),
        "65536 classes": fine(lambda: run(Sizes(classes=65536), logits=False)),
        "65537 classes": Case(lambda: run(Sizes(classes=65537))),
        "logits larger than memory": Case(
            lambda: run(Sizes(classes=65536, input_size=(65536, 65536)))
        ),
        "more work than a call takes": Case(
            lambda: run(
                Sizes(fused=4096, classes=4096, input_size=(8192, 8192)),
                values=False,
                logits=False,
                maps=False,
            )
        ),
    }
    for threads in (0, *HUGE, 2**31 - 1, 20000, 1025):
        cases[f"{threads} threads"] = Case(lambda n=threads: _core.ThreadPool(n))
    cases["1024 threads"] = fine(lambda: _core.ThreadPool(1024))
    return cases


def _maps() -> Cases:
    def decode(**changed: Any) -> Any:
        return _core.decode_map(**(decoding() | changed))

    def upsample(**changed: Any) -> Any:
        return _core.upsample_map(**(upsampling() | changed))

    long = np.zeros((2**21, 1, 1), np.float32)
    cases: Cases = {
        "a map without cells": Case(lambda: decode(map=floats(0, 5, 3))),
        "a map without classes": Case(lambda: decode(map=floats(4, 5, 0))),
        "a map longer than an axis may be": Case(lambda: decode(map=long)),
        "a map of two axes": Case(lambda: upsample(map=floats(4, 5))),
        "an unknown family": Case(lambda: decode(family="\0")),
        "a family that is no text": Case(lambda: decode(family=b"\xff\xfe")),
        "a family that is a million letters": Case(lambda: decode(family="x" * 10**6)),
        "a long window over a wide map": Case(
            lambda: decode(
                family="labels", map=floats(1, 2**18, 64), window=(2**20, 2, 0.0, 0.0, 1.0, 1.0)
            )
        ),
    }
    for size in (0, *HUGE):
        cases |= {
            f"a map of an input of {size} x 20": Case(lambda n=size: decode(input_size=(n, 20))),
            f"logits of 16 x {size}": Case(lambda n=size: upsample(input_size=(16, n))),
            f"a map's window of {size or -2} x 1": Case(
                lambda n=size or -2: decode(window=(n, 1, 0.0, 0.0, 1.0, 1.0))
            ),
        }
    return cases


def _mosaics() -> Cases:
    def make(**changed: Any) -> _core.Mosaic:
        return _core.Mosaic(**(mosaic() | changed))

    def decode(**changed: Any) -> None:
        made = make()
        made.decode(**(mosaic_decoding(made) | changed))

    tiles = mosaic_decoding(make())["tiles"]
    cases: Cases = {
        "a mosaic": fine(decode),
        "rows of a mosaic twice": fine(lambda: (decode(), decode())),
        "no row of a mosaic": fine(lambda: decode(begin=28, end=28)),
        "a mosaic with its output as its map": fine(
            lambda: decode(tiles=[(r, c, floats(4, 5, 3)) for r, c, _ in tiles])
        ),
        "a mosaic's tile twice": Case(lambda: decode(tiles=[*tiles, tiles[0]])),
        "a mosaic's tile missing": Case(lambda: decode(tiles=tiles[1:])),
        "a mosaic's rows backwards": Case(lambda: decode(begin=9, end=3)),
        "a mosaic without weights": Case(lambda: make(rows=(28, 16, [0, 12], floats(0, 16)))),
        "a mosaic of a million tiles": Case(
            lambda: make(rows=(28, 16, [0] * 10**6 + [12], floats(1, 16)))
        ),
        "a mosaic's output read-only": Case(
            lambda: decode(out=np.broadcast_to(np.float32(0), (28, 36, 3)))
        ),
    }
    for size in HUGE:
        cases |= {
            f"a mosaic of {size} rows": Case(
                lambda n=size: make(rows=(n, 16, [0, 12], floats(2, 16)))
            ),
            f"a mosaic's tiles of {size} rows": Case(
                lambda n=size: make(rows=(28, n, [0, 12], floats(2, 16)))
            ),
            f"a mosaic's tile at {size}": Case(
                lambda n=size: make(rows=(28, 16, [0, n, 12], floats(3, 16)))
            ),
            f"a mosaic's map of {size} rows": Case(lambda n=size: make(map_size=(n, 5))),
            f"a mosaic's input of {size} rows": Case(lambda n=size: make(input_size=(n, 20))),
            f"{size} classes of a mosaic": Case(lambda n=size: make().output("normals", n)),
            f"a mosaic's rows from {size}": Case(lambda n=size: decode(begin=n)),
            f"a mosaic's rows to {size}": Case(lambda n=size: decode(end=n)),
            f"a mosaic's tile in row {size}": Case(
                lambda n=size: decode(tiles=[*tiles, (n, 0, tiles[0][2])])
            ),
            f"a mosaic's tile in column {size}": Case(
                lambda n=size: decode(tiles=[*tiles, (0, n, tiles[0][2])])
            ),
        }
    return cases


CASES: Cases = _geometries() | _windows() | _numbers() | _maps() | _mosaics()
