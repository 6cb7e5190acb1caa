"""The compiled modules: calls one after the other whose arguments fit, but for one or a few."""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from tools.fuzz import core_parts
from tools.fuzz.core_parts import Sizes, floats
from tools.fuzz.nested import mutated
from tools.fuzz.targets import Attempt

import sakedge_kernels
from sakedge import _core
from sakedge.decoder import isas
from sakedge.errors import OptionError

REFUSALS = (_core.CoreError, OptionError, TypeError, MemoryError)
Call = Callable[[], object]


def prepare(folder: Path) -> Attempt:
    """Needs nothing that outlives an attempt."""
    warnings.simplefilter("ignore")  # NumPy warns of some arrays that it makes
    return attempt


def attempt(chance: random.Random) -> None:
    """A few calls, now and then at the same time. One that was refused is raised after them."""
    calls = _kernel_calls(chance) if chance.random() < 0.3 else _core_calls(chance)
    with ThreadPoolExecutor(1 if chance.random() < 0.9 else len(calls)) as pool:
        ended = [pool.submit(call) for call in calls]
    errors = [error for error in (each.exception() for each in ended) if error is not None]
    for error in errors:
        if not isinstance(error, REFUSALS) and "hostile" not in str(error):
            raise error
    if errors:
        raise OptionError(str(errors[0]))


def _core_calls(chance: random.Random) -> list[Call]:
    first, second = _sizes(chance), _sizes(chance)
    others = [
        _core.Geometry(**second.geometry()),
        _core.ThreadPool(1),
        _core.AdapterPath(**second.path()),
        _core.Router(**second.router()),
        _core.Head(**second.head()),
        _core.Snapshot(**second.snapshot()),
    ]

    def wrong(arguments: dict[str, Any]) -> dict[str, Any]:
        for _ in range(chance.choice((1, 1, 1, 2, 3))):
            changed = mutated(arguments, chance, others)
            arguments = changed if isinstance(changed, dict) else arguments
        return arguments

    decoder = _core.Decoder(**first.decoder(chance.choice((1, 3))))
    made = _core.Mosaic(**core_parts.mosaic())

    def exchanged(parts: dict[str, Any]) -> object:
        return decoder.run(**(first.run() | {"snapshots": [_core.Snapshot(**parts)]}))

    batch = chance.choice((0, 1, 1, 2))
    type_ = type(chance.choice(others))
    calls: tuple[Callable[[], Call], ...] = (
        lambda: partial(_core.Geometry, **wrong(first.geometry())),
        lambda: partial(_core.ThreadPool, mutated(2, chance, others)),
        lambda: partial(_core.AdapterPath, **wrong(first.path())),
        lambda: partial(_core.Router, **wrong(first.router())),
        lambda: partial(_core.Head, **wrong(first.head())),
        lambda: partial(_core.Snapshot, **wrong(first.snapshot())),
        lambda: partial(_core.Decoder, **wrong(first.decoder())),
        lambda: partial(exchanged, wrong(first.snapshot())),
        lambda: partial(exchanged, wrong(first.snapshot())),
        lambda: partial(decoder.run, **wrong(first.run(batch))),
        lambda: partial(decoder.run, **wrong(first.run(batch))),
        lambda: partial(decoder.run, **second.run(batch)),
        lambda: partial(decoder.__init__, **wrong(second.decoder())),  # type: ignore[misc]
        lambda: partial(_core.decode_map, **wrong(core_parts.decoding())),
        lambda: partial(_core.upsample_map, **wrong(core_parts.upsampling())),
        lambda: partial(_core.Mosaic, **wrong(core_parts.mosaic())),
        lambda: partial(made.output, **wrong({"family": "normals", "classes": 3})),
        lambda: partial(made.decode, **wrong(core_parts.mosaic_decoding(made))),
        lambda: partial(type_.__new__, type_),
    )
    return [make() for make in chance.choices(calls, k=chance.choice((1, 2, 4)))]


def _sizes(chance: random.Random) -> Sizes:
    """Of one of a few students, all small."""
    blocks = chance.choice((1, 3, 4))
    levels = tuple(sorted(chance.sample(range(blocks), chance.randint(1, min(blocks, 2)))))
    family, classes = chance.choice((("labels", 4), ("labels", 300), ("normals", 3), ("scalar", 1)))
    return Sizes(
        channels=chance.choice((8, 16, 24)),
        blocks=blocks,
        levels=levels,
        grid=chance.choice(((4, 6), (1, 1), (9, 8))),
        input_size=chance.choice(((64, 96), (1, 1), (30, 7))),
        adapters=chance.choice((0, 1, 2)),
        hidden=chance.choice((1, 6)),
        fused=chance.choice((3, 70)),
        classes=classes,
        family=family,
        arithmetic=chance.choice(("f32", "bf16", "s8")),
    )


def _kernel_calls(chance: random.Random) -> list[Call]:
    isa = chance.choice([name for name, is_supported, _ in isas() if is_supported])
    kernels = sakedge_kernels.Kernels(isa)

    def call() -> Call:
        name, inputs = chance.choice(_inputs(chance.choice(("f32", "bf16", "s8"))))
        for _ in range(chance.choice((1, 1, 2))):
            inputs = mutated(inputs, chance, [])
        return partial(_called, kernels, name, inputs)

    return [call(), call(), call()]


def _called(kernels: sakedge_kernels.Kernels, name: str, inputs: Any) -> object:
    """The development module refuses by the language's own errors."""
    try:
        return kernels.call(name, inputs)
    except ValueError as error:
        raise OptionError(str(error)) from None


def _inputs(a: str) -> list[tuple[str, Any]]:
    """Kernels with inputs that fit."""
    none, one = floats(0), floats(1)
    lerps = np.tile(np.array([0, 1, 0.5, 0.5], np.float32), (6, 1))
    taps = np.tile(lerps, (3, 1)).reshape(6, 3, 4)
    sampling = [floats(3, 4, 2), lerps, lerps]
    one_class = [floats(3, 4, 1), lerps, lerps]
    m, c, h = 5, 9, 7
    return [
        (f"packed_size_{a}", [np.array([4, 6], np.float32)]),
        (f"row_size_{a}", [np.array([4], np.float32)]),
        (f"peak_{a}", [np.array([3], np.float32)]),
        (f"pack_{a}", [floats(c, h), floats(h, c)]),
        (f"prepare_{a}", [floats(m, c)]),
        (f"linear_{a}", [floats(m, c), floats(c, h), floats(h), floats(m, h)]),
        (
            f"adapter_{a}",
            [floats(m, c), floats(m, c), floats(c, h), floats(h), floats(h, c), floats(c)],
        ),
        (f"router_{a}", [floats(m, c), floats(c, h), floats(h), floats(h), floats(h), one]),
        ("magnitude_f32", [floats(9)]),
        ("gelu_f32", [floats(9)]),
        ("layer_norm_f32", [floats(m, c), floats(c), floats(c), one]),
        ("mix_f32", [floats(3, m, c), floats(3)]),
        (
            "head_expand_f32",
            [floats(9, 3, 4, 5), taps, taps, floats(5), floats(2, 5), floats(2), none],
        ),
        ("decode_labels_u8_f32", sampling),
        ("decode_labels_u16_f32", sampling),
        ("decode_two_class_f32", sampling),
        ("decode_probability_f32", one_class),
        ("decode_scalar_f32", one_class),
        ("upsample_f32", sampling),
        ("blend_f32", [*sampling, floats(6), floats(6), floats(2, 6, 6)]),
        ("decode_planes_labels_u8_f32", [floats(3, 20)]),
        ("decode_planes_normals_f32", [floats(3, 20)]),
    ]
