"""A large image in tiles, stage by stage: `python -m tools.bench_tiles`.

With `--other PYTHON` the sakedge of another environment alternates with this one, each run in a
fresh process, and ratios are taken pair by pair. Only what is public since 0.1 is used.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

STAGES = ("preprocess", "stem", "decoder", "postprocess")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.bench_tiles", description=__doc__)
    parser.add_argument("--size", type=int, nargs=2, default=(3000, 4000), metavar=("H", "W"))
    parser.add_argument("--backend", default="auto")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--other", metavar="PYTHON", help="interpreter that has another sakedge")
    parser.add_argument("--once", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.once:
        print(json.dumps(run(args.size, args.backend)))
        return
    pythons = {"this": sys.executable} | ({"other": args.other} if args.other else {})
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in pythons}
    for _ in range(args.rounds):
        for name, python in pythons.items():
            found[name].append(fresh(python, args.size, args.backend))
    for name, runs in found.items():
        report(name, runs)
    if args.other:
        compare(found["this"], found["other"])


def fresh(python: str, size: tuple[int, int], backend: str) -> dict[str, Any]:
    """One run in a process of its own."""
    options = ["--once", "--backend", backend, "--size", *map(str, size)]
    ended = subprocess.run(
        [python, str(Path(__file__).resolve()), *options],
        capture_output=True,
        text=True,
        check=True,
        cwd="/",  # what is installed, not what lies here
    )
    answer: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return answer


def run(size: tuple[int, int], backend: str) -> dict[str, Any]:
    """Runs the demo student over blurred noise of this size, once."""
    import numpy as np
    from PIL import Image

    import sakedge
    from sakedge.assets import demo_student

    coarse = np.random.default_rng(0).integers(
        0, 256, (size[0] // 16 + 1, size[1] // 16 + 1, 3), np.uint8
    )
    image = np.asarray(Image.fromarray(coarse).resize(size[::-1], Image.Resampling.BICUBIC))
    with sakedge.load(demo_student(), backend=backend) as student:
        height, width = student.input_size
        student(image[:height, :width])
        start = time.perf_counter()
        result = student(image, fit="tile")
        spent = 1000 * (time.perf_counter() - start)
        backend = student.explain().backend
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"backend": backend, "total": spent, "peak": peak, **dict(result.speed)}


def report(name: str, runs: list[dict[str, Any]]) -> None:
    middle = {key: median(run[key] for run in runs) for key in (*STAGES, "total", "peak")}
    stages = ", ".join(f"{stage} {middle[stage]:.0f}" for stage in STAGES)
    print(
        f"{name} ({runs[0]['backend']}): {middle['total']:.0f} ms: {stages}; "
        f"peak {middle['peak']:.0f} MiB"
    )


def compare(these: list[dict[str, Any]], others: list[dict[str, Any]]) -> None:
    for key in (*STAGES, "total", "peak"):
        ratios = [b[key] / a[key] for a, b in zip(these, others, strict=True)]
        print(f"other over this, {key}: {median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})")


if __name__ == "__main__":
    main()
