"""What an installed wheel must do: run all five tasks, and fail as it promises to.

Runs alone, in an environment that has a wheel and nothing of this repository:
`python -I trial.py --numbers FILE`. Prints one line of JSON.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import platform
import sys
from pathlib import Path

import numpy as np

import sakedge
from sakedge import _core
from sakedge.assets import demo_student, samples
from sakedge.errors import SakedgeError

PRECISIONS = ("fp32", "int8")


def main() -> None:
    """Tries all of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--numbers", type=Path, help="file for the logits of the first sample")
    parser.add_argument("--images", type=int, default=100, help="how many samples to run")
    given = parser.parse_args()
    if not Path(sakedge.__file__).is_relative_to(sys.prefix):
        raise SystemExit(f"{sakedge.__file__} is not what was installed in {sys.prefix}")
    errors = [refused(lambda: _core.ThreadPool(0), _core.CoreError, "threads: expected 1 to")]
    # One that pybind11 translates with what modules of one process share.
    errors.append(refused(lambda: _core.ThreadPool("no number"), TypeError, "incompatible"))
    cuda = importlib.util.find_spec("sakedge._cuda") is not None
    if cuda:
        errors += cuda_errors()
    numbers = run(given.images)
    if given.numbers is not None:
        np.savez(given.numbers, **numbers)
    about = {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "isa": _core.isa(),
        "cuda": cuda,
        "tasks": sorted({name.split("/")[1] for name in numbers}),
        "errors": errors,
    }
    print(json.dumps(about))


def run(images: int) -> dict[str, np.ndarray]:
    """The demo student on its samples at each precision; logits of the first one by its name."""
    found: dict[str, np.ndarray] = {}
    for precision in PRECISIONS:
        with sakedge.load(demo_student(), backend="onnxruntime", precision=precision) as student:
            for number, sample in enumerate(list(samples())[:images]):
                result = student(sample, logits=number == 0)
                if set(result) != set(student.tasks) or len(student.tasks) != 5:
                    raise SystemExit(f"{sample.name}: {sorted(result)}")
                for task in student.tasks if number == 0 else ():
                    found[f"{precision}/{task}"] = np.asarray(result[task].logits)
    return found


def cuda_errors() -> list[str]:
    """Errors of the second module, loaded beside the first."""
    from sakedge import _cuda

    def make() -> object:
        return _cuda.Device(10**6, b"", {})

    return [refused(make, (_cuda.CudaError, TypeError), ""), sakedge_devices()]


def sakedge_devices() -> str:
    """What `load` says where there is no GPU, or that there is one."""
    try:
        sakedge.load(demo_student(), backend="cuda").close()
    except SakedgeError as error:
        return type(error).__name__
    return "a GPU ran it"


def refused(call: object, expected: type | tuple[type, ...], message: str) -> str:
    """The type that a call raised, which must be the expected one."""
    try:
        call()  # type: ignore[operator]
    except expected as error:
        if message not in str(error):
            raise SystemExit(f"{type(error).__name__}: {error}") from error
        return type(error).__name__
    raise SystemExit(f"{expected} was not raised")


if __name__ == "__main__":
    main()
