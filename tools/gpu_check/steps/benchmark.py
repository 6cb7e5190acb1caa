"""Ours against torch on the same student, in turns, and each kernel against its floor."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
import torch._inductor.config
from tools.gpu_check import gpu, ours
from tools.gpu_check.devices import closest
from tools.gpu_check.geometry import Geometry
from tools.gpu_check.kernel_times import kernels_table
from tools.gpu_check.step import Given
from tools.gpu_check.torch_peers import FORMS, largest_error, on_gpu, peer

from sakedge.format import StudentFile
from sakedge.images.fit import Normalizer

_TURNS = 9
_CALLS = 10
"""Of each in a turn."""
_WANTED = {1: 2.2, 8: 2.5}
"""Times `torch.compile` of the student as its file states it, by batch."""


def run(given: Given) -> None:
    """Batch 1 and 8; in a rehearsal only whether the peers compute the same function."""
    path = ours.student_file(given)
    _same_function(given, path)
    if given.rehearse:
        given.findings.skipped("times", "there is no GPU; an emulator's time says nothing")
        return
    torch.backends.cuda.matmul.allow_fp16_reduced_precision_reduction = True
    if not given.exhaustive:
        # Of cuBLAS and cuDNN alone: on an H100 with 16 CPUs the search of Triton's products took
        # more than three minutes for one number of images, and these steps have eight for all.
        torch._inductor.config.max_autotune_gemm_backends = "ATEN"
        torch._inductor.config.max_autotune_conv_backends = "ATEN"
    rows: list[tuple[str, ...]] = []
    before = _free()
    student = ours.load(path, "fp16", max_batch=8)
    student(ours.images(student.input_size, 8))
    mine = before - _free()
    given.findings.measured(
        "memory, ours", f"{mine >> 20} MiB of the device, batch 8, graphs with it", memory=mine
    )
    for batch in (1, 8):
        _against_floor(given, student, path, batch)
    # What is wanted most comes first: each compilation takes a minute.
    for form in FORMS:
        for batch in (1, 8):
            rows += _race(given, student, path, form, batch)
            header = ("peer", "batch", "its ms", "ours ms", "times ours", "spread")
            given.findings.values.setdefault("tables", {})["ours and torch"] = _table(header, rows)


def _same_function(given: Given, path: Path) -> None:
    """The commuted peer against the plain one, in float32 on the CPU, one picture."""
    planes = torch.from_numpy(_inputs(path, 1))
    with torch.inference_mode():
        plain, commuted = (peer(path, form)(planes) for form in FORMS)
    error = largest_error(commuted, plain)
    # Sums of a few thousand float32 terms in another order, in a network of D blocks: far above
    # that, and it is another function.
    given.findings.judged("torch's two forms agree", error <= 1e-3, f"largest error {error:.1e}")


def _race(given: Given, student: Any, path: Path, form: str, batch: int) -> list[tuple[str, ...]]:
    module = on_gpu(peer(path, form), torch.float16)
    planes = torch.from_numpy(_inputs(path, batch)).to("cuda", torch.float16)
    planes = planes.to(memory_format=torch.channels_last)
    pictures = ours.images(student.input_size, batch)
    peers: dict[str, Callable[[], Any]] = {"eager, SDPA": lambda: module(planes)}
    torch.cuda.reset_peak_memory_stats()
    if form == FORMS[0] and batch == 8:
        with torch.inference_mode():
            module(planes)
        given.findings.measured(
            "memory, torch eager",
            f"{torch.cuda.max_memory_allocated() >> 20} MiB allocated at most, batch 8",
            memory_eager=torch.cuda.max_memory_allocated(),
        )
    compiled = torch.compile(module, mode="max-autotune", dynamic=False)
    peers["torch.compile, max-autotune"] = lambda: compiled(planes)
    rows = []
    for name, call in peers.items():
        with torch.inference_mode():
            for _ in range(3):
                call()
            torch.cuda.synchronize()
            turns = [(_torch_ms(call), _our_ms(student, pictures)) for _ in range(_TURNS)]
        theirs, mine = (median(column) for column in zip(*turns, strict=True))
        ratios = sorted(a / b for a, b in turns)
        ratio = median(ratios)
        wanted = _WANTED[batch] if form == FORMS[0] and name != "eager, SDPA" else None
        note = "" if wanted is None else f", {wanted} wanted"
        given.findings.measured(
            f"batch {batch}, {name}, {form}",
            f"{theirs:.3f} ms, ours {mine:.3f} ms: {ratio:.2f} times ours{note}",
            **{f"ratio {form}, {name}, {batch}": ratio},
        )
        rows.append(
            (
                f"{name}, {form}",
                str(batch),
                f"{theirs:.3f}",
                f"{mine:.3f}",
                f"{ratio:.2f}",
                f"{ratios[0]:.2f} to {ratios[-1]:.2f}",
            )
        )
    return rows


def _torch_ms(call: Callable[[], Any]) -> float:
    """From normalised images on the device to logits there, by events: the median call."""
    spent = []
    for _ in range(_CALLS):
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        call()
        end.record()
        end.synchronize()
        spent.append(start.elapsed_time(end))
    return median(spent)


def _our_ms(student: Any, pictures: list[ours.Image]) -> float:
    """From uint8 pictures on the device to decoded values there: more than the peers do."""
    # A result's speed is its image's share of the call.
    return len(pictures) * median(student(pictures)[0].speed["device"] for _ in range(_CALLS))


def _against_floor(given: Given, student: Any, path: Path, batch: int) -> None:
    found, _ = gpu.find()
    device = closest(found.name, found.arch, found.multiprocessors) if found else None
    steps = ours.profile(student, ours.images(student.input_size, batch))
    if device is None:
        given.findings.skipped("kernels against their floor", "no peaks are known of this device")
    else:
        table, shares = kernels_table(steps, Geometry.read(path, batch), device)
        given.findings.measured(
            f"kernels against their floor, batch {batch}",
            ", ".join(f"{name} {share:.0%}" for name, share in shares.items()),
            **{f"shares, batch {batch}": shares},
        )
        given.findings.values.setdefault("tables", {})[f"kernels, batch {batch}"] = table


def _inputs(path: Path, batch: int) -> np.ndarray:
    """Normalised float32 [batch, 3, H, W]."""
    with StudentFile.open(path) as file:
        manifest = file.manifest
    normalise = Normalizer(manifest.preprocess)
    return np.stack([normalise(each) for each in ours.images(manifest.input_size, batch)])


def _free() -> int:
    torch.cuda.init()
    return torch.cuda.mem_get_info()[0]


def _table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    rule = ("---", *["---:"] * (len(header) - 1))
    return "\n".join(f"| {' | '.join(row)} |" for row in (header, rule, *rows))
