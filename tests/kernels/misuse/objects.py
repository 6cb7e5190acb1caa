"""Objects that are empty, of other sizes, of other classes, or used by many at once."""

from __future__ import annotations

import copy
import gc
import pickle
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
from tests.kernels.misuse.arrays import misaligned, odd, read_only
from tests.kernels.misuse.case import Case, Cases, fine
from tools.fuzz.core_parts import Sizes, decoding, floats, mosaic, mosaic_decoding

from sakedge import _core

SMALL = Sizes()
OTHERS = {
    "fewer levels": Sizes(levels=(0,)),
    "other levels": Sizes(levels=(1, 2)),
    "more levels": Sizes(levels=(0, 1, 2)),
    "fewer channels": Sizes(channels=8),
    "more channels": Sizes(channels=4096),
    "fewer blocks": Sizes(blocks=1, levels=(0,)),
    "more blocks": Sizes(blocks=4),
}
MAKES: dict[str, Callable[[], Any]] = {
    "Geometry": lambda: _core.Geometry(**SMALL.geometry()),
    "ThreadPool": lambda: _core.ThreadPool(2),
    "AdapterPath": lambda: _core.AdapterPath(**SMALL.path()),
    "Router": lambda: _core.Router(**SMALL.router()),
    "Head": lambda: _core.Head(**SMALL.head()),
    "Snapshot": lambda: _core.Snapshot(**SMALL.snapshot()),
    "Decoder": lambda: _core.Decoder(**SMALL.decoder()),
    "Mosaic": lambda: _core.Mosaic(**mosaic()),
}


QUANTISED = [Sizes(arithmetic=name, quantised=True) for name in ("f32", "bf16", "s8")]
INTEGERS = np.ones((16, 72), np.int8)


def _fused_of(integers: Any, scales: Any) -> dict[str, Any]:
    return SMALL.head() | {"fuse": ((integers, scales), floats(16))}


def _with_gate(integers: Any) -> dict[str, Any]:
    (hidden, norm, _), *_ = SMALL.router()["levels"]
    level = (hidden, norm, ((integers[:6, :3], floats(3)), floats(3)))
    return SMALL.router() | {"levels": [level] * 2}


def run(paths: Any = None, head: Any = None, router: Any = None, **changed: Any) -> Any:
    """Runs a snapshot with other parts than it should have."""
    arguments = SMALL.snapshot()
    ((family, own_head, own_router),) = arguments["tasks"]
    snapshot = _core.Snapshot(
        arguments["paths"] if paths is None else paths,
        [(family, head or own_head, router or own_router)],
    )
    decoder = _core.Decoder(**SMALL.decoder())
    return decoder.run(**(SMALL.run() | {"snapshots": [snapshot]} | changed))


def _empty() -> Cases:
    cases: Cases = {}
    for name, make in MAKES.items():
        type_ = getattr(_core, name)
        other = _core.Head if name != "Head" else _core.Router
        cases |= {
            f"{name} without a value": Case(lambda t=type_: t.__new__(t)),
            f"{name} of its base": Case(lambda t=type_: t.__base__.__new__(t)),
            f"{name} of object": Case(lambda t=type_: object.__new__(t)),
            f"{name} copied": Case(lambda m=make: copy.copy(m())),
            f"{name} copied deeply": Case(lambda m=make: copy.deepcopy(m())),
            f"{name} pickled": Case(lambda m=make: pickle.loads(pickle.dumps(m()))),
            f"{name} reduced": Case(lambda m=make: m().__reduce_ex__(2)),
            f"{name} derived from": Case(lambda t=type_: type("Derived", (t,), {})),
            f"{name} made another": Case(lambda m=make, o=other: setattr(m(), "__class__", o)),
            f"{name} without __init__": Case(lambda t=type_: setattr(t, "__init__", print)),
            f"{name} without __new__": Case(lambda t=type_: setattr(t, "__new__", print)),
            f"{name} of None": Case(lambda t=type_: t(*[None] * 5)),
            f"{name} initialised as another": Case(lambda t=type_, o=other: o.__init__(t)),
        }
    return cases


def _misfits() -> Cases:
    cases: Cases = {"parts that fit": fine(run)}
    for name, sizes in OTHERS.items():
        cases |= {
            f"an adapter of {name}": Case(
                lambda s=sizes: run(paths=[_core.AdapterPath(**s.path()), None])
            ),
            f"a router of {name}": Case(lambda s=sizes: run(router=_core.Router(**s.router()))),
            f"a head of {name}": Case(lambda s=sizes: run(head=_core.Head(**s.head()))),
            f"a snapshot of {name}": Case(
                lambda s=sizes: run(snapshots=[_core.Snapshot(**s.snapshot())])
            ),
        }
        if (sizes.channels, sizes.blocks) != (SMALL.channels, SMALL.blocks):
            cases[f"a stem of {name}"] = Case(lambda s=sizes: run(stem=s.run()["stem"]))
    for adapters in (0, 1, 3, 300):
        router = Sizes(adapters=adapters)
        cases[f"a router of {1 + adapters} experts"] = Case(
            lambda r=router: run(router=_core.Router(**r.router()))
        )
    head, router = _core.Head(**SMALL.head()), _core.Router(**SMALL.router())
    path = _core.AdapterPath(**SMALL.path())

    def with_tasks(tasks: list[Any]) -> Any:
        return run(snapshots=[_core.Snapshot([path] * 2, tasks)])

    cases |= {
        "places without adapters": fine(lambda: run(paths=[None, None])),
        "no task": fine(lambda: with_tasks([])),
        "a task seven times": fine(lambda: with_tasks([("labels", head, router)] * 7)),
        "a task 20000 times": Case(lambda: with_tasks([("labels", head, router)] * 20000)),
        "a task without a head": Case(lambda: with_tasks([("labels", None, router)])),
        "a task without a router": fine(lambda: with_tasks([("labels", head, None)])),
        "a task of a family of other classes": Case(lambda: with_tasks([("scalar", head, None)])),
        "a router for a head": Case(lambda: with_tasks([("labels", router, router)])),
        "a head for an adapter": Case(lambda: run(paths=[head, None])),
        "257 adapters": Case(lambda: run(paths=[path] * 257)),
        "no snapshot": Case(lambda: run(snapshots=[None])),
        "snapshots of None": Case(lambda: run(snapshots=None)),
        "a decoder without threads": Case(
            lambda: _core.Decoder(**(SMALL.decoder() | {"pool": None}))
        ),
        "a mosaic without threads": Case(lambda: _core.Mosaic(**(mosaic() | {"pool": None}))),
        "a map decoded without threads": Case(
            lambda: _core.decode_map(**(decoding() | {"pool": None}))
        ),
        "parts of several arithmetics": fine(
            lambda: run(
                paths=[_core.AdapterPath(**Sizes(arithmetic="s8").path()), None],
                router=_core.Router(**Sizes(arithmetic="bf16").router()),
            )
        ),
        **{
            f"integers for {sizes.arithmetic}": fine(
                lambda s=sizes: run(
                    paths=[_core.AdapterPath(**s.path()), None],
                    router=_core.Router(**s.router()),
                    head=_core.Head(**s.head()),
                )
            )
            for sizes in QUANTISED
        },
        "integers without scales": Case(lambda: _core.Head(**_fused_of(INTEGERS, floats(0)))),
        "integers with too many scales": Case(
            lambda: _core.Head(**_fused_of(INTEGERS, floats(17)))
        ),
        "integers of 16 bits": Case(
            lambda: _core.Head(**_fused_of(INTEGERS.astype(np.int16), floats(16)))
        ),
        "integers in a gate": Case(lambda: _core.Router(**_with_gate(INTEGERS))),
        "an unknown arithmetic": Case(lambda: _core.Head(**(SMALL.head() | {"arithmetic": "f16"}))),
        "an arithmetic that is no text": Case(
            lambda: _core.Head(**(SMALL.head() | {"arithmetic": b"\xff"}))
        ),
    }
    for name, sizes in {
        "nothing reduced": Sizes(reduced=0),
        "nothing fused": Sizes(fused=0),
        "no classes": Sizes(classes=0),
    }.items():
        cases[f"a head with {name}"] = Case(lambda s=sizes: _core.Head(**s.head()))
    narrow = Sizes(hidden=0)
    cases["a router without hidden channels"] = Case(lambda: _core.Router(**narrow.router()))
    cases["an adapter without hidden channels"] = Case(lambda: _core.AdapterPath(**narrow.path()))
    wide = Sizes(hidden=65536)
    cases["an adapter of 65536 hidden channels"] = fine(
        lambda: run(paths=[_core.AdapterPath(**wide.path()), None])
    )
    cases["an adapter of 65537 hidden channels"] = Case(
        lambda: _core.AdapterPath(**Sizes(hidden=65537).path())
    )
    return cases


def _arrays() -> Cases:
    cases: Cases = {}
    for name, array in odd((1, 25, 16)).items():
        cases[f"a stem of {name}"] = Case(lambda a=array: run(stem=[a] * 4))
    for name, array in odd((16, 16)).items():
        last = (array, floats(16))
        cases[f"weights of {name}"] = Case(
            lambda pair=last: _core.Head(**(Sizes(classes=16).head() | {"last": pair}))
        )
    for name, array in odd((4, 5, 3)).items():
        cases[f"a map of {name}"] = Case(lambda a=array: _core.decode_map(**_with_map(a)))
        cases[f"a tile's map of {name}"] = Case(lambda a=array: _decode(tiles=_tiles(a)))
    for name, array in odd((28, 36, 3)).items():
        cases[f"an output of {name}"] = Case(lambda a=array: _decode(out=a))
    for name, array in odd((2, 16)).items():
        axis = (28, 16, [0, 12], array)
        cases[f"blending weights of {name}"] = Case(
            lambda a=axis: _core.Mosaic(**(mosaic() | {"rows": a}))
        )
    # An address in a map of one element may be any.
    for name in ("a map of shorter", "a map of longer", "a map of no element"):
        del cases[name]
    return cases | {
        "a stem that is read-only": fine(lambda: run(stem=[read_only(floats(1, 25, 16))] * 4)),
        "a stem of NaN": fine(lambda: run(stem=[np.full((1, 25, 16), np.nan, np.float32)] * 4)),
        "a stem of 3e38": fine(lambda: run(stem=[np.full((1, 25, 16), 3e38, np.float32)] * 4)),
        "a stem too short": Case(lambda: run(stem=[floats(1, 25, 16)] * 3)),
        "a stem too long": Case(lambda: run(stem=[floats(1, 25, 16)] * 5)),
        "an output that is read-only": Case(lambda: _decode(out=read_only(floats(28, 36, 3)))),
        "a misaligned bias": Case(
            lambda: _core.Head(**(SMALL.head() | {"last": (floats(4, 16), misaligned(floats(4)))}))
        ),
    }


def _with_map(array: Any) -> dict[str, Any]:
    return decoding() | {"map": array}


def _tiles(array: Any) -> list[Any]:
    return [(row, column, array) for row in range(2) for column in range(2)]


def _decode(**changed: Any) -> None:
    made = _core.Mosaic(**mosaic())
    made.decode(**(mosaic_decoding(made) | changed))


def _at_once(*jobs: Callable[[], Any], times: int = 30) -> None:
    threads = [threading.Thread(target=lambda j=job: [j() for _ in range(times)]) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _races() -> Cases:
    def again() -> None:
        decoder, arguments = _core.Decoder(**SMALL.decoder()), SMALL.run()
        other = Sizes(channels=4096).decoder()
        _at_once(lambda: decoder.run(**arguments), lambda: decoder.__init__(**other))

    def changed_stem() -> None:
        decoder, arguments = _core.Decoder(**SMALL.decoder()), SMALL.run()
        x = arguments["stem"][0]

        def change() -> None:
            x[:] = np.nan
            arguments["stem"] = arguments["stem"][::-1]

        _at_once(lambda: decoder.run(**arguments), change)

    def dropped() -> None:
        for _ in range(20):
            decoder, arguments = _core.Decoder(**SMALL.decoder()), SMALL.run()
            running = threading.Thread(target=decoder.run, kwargs=arguments)
            running.start()
            del decoder, arguments
            gc.collect()
            running.join()

    def shared_pool() -> None:
        pool = _core.ThreadPool(3)
        decoder = _core.Decoder(**(SMALL.decoder() | {"pool": pool}))
        made = _core.Mosaic(**(mosaic() | {"pool": pool}))
        rows, arguments = mosaic_decoding(made), SMALL.run()
        map_ = decoding() | {"pool": pool}
        del pool
        _at_once(
            lambda: decoder.run(**arguments),
            lambda: made.decode(**rows),
            lambda: _core.decode_map(**map_),
            lambda: _core.AdapterPath(**SMALL.path()),
        )

    return {
        "a decoder initialised again as it runs": fine(again),
        "a stem changed as it is read": fine(changed_stem),
        "a decoder dropped as it runs": fine(dropped),
        "a pool shared by all": fine(shared_pool),
    }


CASES: Cases = _empty() | _misfits() | _arrays() | _races()
