"""How small deltas are, beside zstd with the old file as prefix: `python -m tools.bench_deltas`.

The packs are an adapter path of a ViT-B (width 768, 13 adapters of 192): normal weights of a
training's beginning. *Tuned* moves each weight by `--step` (0.001) of its tensor's spread,
*replaced* draws it anew; *a tenth* does so with every tenth matrix and bias, 3 of 26 each. int8 is
quantised after that. Times are those of the CPU.
With `--old A --new B` two files are compared instead, e.g. two versions of a student.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import zstandard
from numpy.typing import NDArray
from safetensors.numpy import save_file

from sakedge.format.delta import diff, patch
from sakedge.format.student.int8 import stored_as

Tensors = dict[str, NDArray[Any]]
WIDTH, ADAPTERS = 768, 13
PREFIX_LEVEL = 19


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.bench_deltas", description=__doc__)
    parser.add_argument("--step", type=float, default=1e-3, help="of a fine-tuning")
    parser.add_argument("--old", type=Path)
    parser.add_argument("--new", type=Path)
    parser.add_argument("--no-prefix", action="store_true", help="without zstd beside it: quicker")
    args = parser.parse_args()
    print("| what | file, MB | delta, % | zstd with prefix, % | diff, s | patch, MB/s | peak, MB |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        if args.old and args.new:
            measure(f"{args.old.name} → {args.new.name}", args.old, args.new, args.no_prefix)
            return
        for what, old, new in cases(args.step):
            paths = Path(folder, "old.safetensors"), Path(folder, "new.safetensors")
            save_file(old, paths[0], {"version": "1"})
            save_file(new, paths[1], {"version": "2"})
            measure(what, *paths, args.no_prefix)


def cases(step: float) -> Iterator[tuple[str, Tensors, Tensors]]:
    """Pairs of packs."""
    base, other = adapter(0), adapter(1)
    moved = tuned(base, step)
    tenth = [name for end in ("weight", "bias") for name in _ending(base, end)[::10]]
    for storage in ("fp32", "fp16", "int8"):
        for what, new in (
            ("a tenth replaced", {**base, **{name: other[name] for name in tenth}}),
            ("a tenth tuned", {**base, **{name: moved[name] for name in tenth}}),
            ("all tuned", moved),
            ("all replaced", other),
        ):
            yield f"{storage}, {what}", stored_as(base, storage), stored_as(new, storage)


def _ending(tensors: Tensors, end: str) -> list[str]:
    return [name for name in tensors if name.endswith(end)]


def adapter(seed: int) -> Tensors:
    """An adapter path's weights."""
    rng, hidden = np.random.default_rng(seed), WIDTH // 4
    shapes: dict[str, tuple[int, ...]] = {}
    for i in range(ADAPTERS):
        shapes |= {
            f"tsap.sam.{i}.down.weight": (WIDTH, hidden),
            f"tsap.sam.{i}.down.bias": (hidden,),
        }
        shapes |= {f"tsap.sam.{i}.up.weight": (hidden, WIDTH), f"tsap.sam.{i}.up.bias": (WIDTH,)}
    return {
        name: (rng.standard_normal(shape) / shape[0] ** 0.5).astype(np.float32)
        for name, shape in shapes.items()
    }


def tuned(tensors: Tensors, step: float) -> Tensors:
    """The same after a fine-tuning."""
    rng = np.random.default_rng(2)
    return {
        name: (t + step * t.std() * rng.standard_normal(t.shape)).astype(np.float32)
        for name, t in tensors.items()
    }


def measure(what: str, old: Path, new: Path, no_prefix: bool) -> None:
    """Prints one row."""
    with tempfile.TemporaryDirectory() as folder:
        delta, out = Path(folder, "update.sakdelta"), Path(folder, "out")
        began = time.process_time()
        info = diff(old, new, delta)
        spent = time.process_time() - began
        content, update = old.read_bytes(), delta.read_bytes()
        seconds = []
        for _ in range(3):
            began = time.process_time()
            made = patch(content, update)
            seconds.append(time.process_time() - began)
        assert made == new.read_bytes()
        del made, content
        peak = _peak(old, delta, out)
        assert out.read_bytes() == new.read_bytes()
    prefix = "" if no_prefix else f"{100 * with_prefix(old, new):.1f}"
    size, rate = info.new.bytes / 1e6, info.new.bytes / min(seconds) / 1e6
    print(
        f"| {what} | {size:.1f} | {100 * info.share:.2f} | {prefix} | {spent:.1f} | {rate:.0f} "
        f"| {peak:.0f} |",
        flush=True,
    )


def with_prefix(old: Path, new: Path) -> float:
    """Share of the new file that `zstd -19 --long --patch-from` leaves of it."""
    known = zstandard.ZstdCompressionDict(
        old.read_bytes(), dict_type=zstandard.DICT_TYPE_RAWCONTENT
    )
    content = new.read_bytes()
    log = max(10, min(30, (2 * len(content)).bit_length()))
    options = zstandard.ZstdCompressionParameters.from_level(
        PREFIX_LEVEL, window_log=log, enable_ldm=True
    )
    packed = zstandard.ZstdCompressor(dict_data=known, compression_params=options).compress(content)
    return len(packed) / len(content)


def _peak(old: Path, delta: Path, out: Path) -> float:
    """MB that a process of its own needs to patch the file, above what it needs to begin (Linux).

    With the mapped files' pages, which the system may take back at any time.
    """
    code = (
        "import sys\n"
        "from sakedge.format.delta import patch_file\n"
        "import numpy, zstandard\n"
        "def peak():\n"
        "    lines = open('/proc/self/status').read().splitlines()\n"
        "    return next(int(line.split()[1]) for line in lines if line.startswith('VmHWM'))\n"
        "before = peak()\n"
        "patch_file(*sys.argv[1:])\n"
        "print(peak() - before)\n"
    )
    paths = [str(path) for path in (old, delta, out)]
    ended = subprocess.run(
        [sys.executable, "-c", code, *paths], capture_output=True, text=True, check=True
    )
    return int(ended.stdout) * 1024 / 1e6


if __name__ == "__main__":
    main()
