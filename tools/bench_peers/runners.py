"""How a fresh process loads the peers of this tool only; see `sakedge.peers.runners`."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakedge.format import StudentFile
from sakedge.peers.runners import ours
from sakedge.peers.stock import open_stock
from sakedge.peers.types import LOGITS, Prepared, Ran, Request


def stock_int8(request: Request) -> Prepared:
    """A stock runtime on a quantised graph: the file's, ours or the exported one.

    Options: `runtime`, `model`, the graph, and `rest`, the precision of what is not quantised.
    """
    options, threads = request.contestant.options, request.plan.threads
    session = open_stock(options["runtime"], Path(options["model"]), threads, options["rest"])
    return Prepared({LOGITS: lambda images: Ran(session.run(images))}, dict(options))


def ours_int8(request: Request) -> Prepared:
    """Ours on the int8 file. Options: `file`, and those of `sakedge.load`."""
    options = dict(request.contestant.options)
    file = options.pop("file")
    contestant = replace(request.contestant, options=options)
    return ours(replace(request, student=file, contestant=contestant))


def torch_compile(request: Request) -> Prepared:
    """`torch.compile` of the straightforward module, frozen; bf16 under autocast."""
    import torch
    from tools.bench_peers.torch_student import TorchStudent
    from torch._inductor import config

    # Lets the compiler fold and prepack the weights, as its guide for inference on CPUs asks.
    config.freezing = True
    torch.set_num_threads(request.plan.threads)
    with StudentFile.open(request.student) as file:
        tasks = file.manifest.task_names
        module = TorchStudent(file).eval()
    compiled = torch.compile(module)
    low = request.contestant.precision == "bf16"

    def logits(images: NDArray[np.float32]) -> Ran:
        with (
            torch.inference_mode(False),
            torch.no_grad(),
            torch.autocast("cpu", torch.bfloat16, enabled=low),
        ):
            outputs: list[Any] = compiled(torch.from_numpy(images))
        found = [output.float().numpy() for output in outputs]
        return Ran(dict(zip(tasks, found, strict=True)))

    return Prepared({LOGITS: logits}, {"torch": torch.__version__})
