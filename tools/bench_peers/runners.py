"""How a fresh process loads the peers of this tool only; see `sakedge.peers.runners`."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakedge.backends import registry
from sakedge.backends.arrays import input_shapes
from sakedge.backends.base import CompileOptions, Support
from sakedge.backends.openvino.lending import lend
from sakedge.backends.openvino.session import OpenVinoSession
from sakedge.backends.openvino.settings import settings
from sakedge.files.mapped import MappedFile
from sakedge.files.sparing import sparing
from sakedge.format import StudentFile, Subgraph
from sakedge.peers.runners import ours
from sakedge.peers.stock import open_stock
from sakedge.peers.types import LOGITS, Prepared, Ran, Request

QUANTISED = "openvino-nncf"


def openvino_int8(request: Request) -> Prepared:
    """The whole graph, the file's or the exported one, as NNCF left it.

    Options: `model`, the IR, and `rest`, the precision of what NNCF left in floats.
    """
    options = request.contestant.options
    session = open_stock("openvino", Path(options["model"]), request.plan.threads, options["rest"])
    return Prepared({LOGITS: lambda images: Ran(session.run(images))}, dict(options))


def ours_int8(request: Request) -> Prepared:
    """Ours behind a stem that NNCF has quantised.

    Options: `model` and `rest`, as above; further ones are those of `sakedge.load`.
    """
    registry.BACKENDS[QUANTISED] = f"{__name__}:QuantisedStem"
    options = dict(request.contestant.options)
    stem = {name: options.pop(name) for name in ("model", "rest")}
    options |= {"backend": QUANTISED, "config": {**options.get("config", {}), QUANTISED: stem}}
    changed = replace(request, contestant=replace(request.contestant, options=options))
    return ours(changed)


class QuantisedStem:
    """A backend that runs a stem quantised beforehand; all else is as in ours."""

    name = QUANTISED
    devices: Mapping[str, tuple[str, ...]] = {"CPU": ("int8",)}

    def probe(self, device: str | None, precision: str) -> Support:
        """Runs whatever it is given."""
        return Support(True, "quantised by NNCF, in OpenVINO")

    def compile(self, subgraph: Subgraph, options: CompileOptions) -> OpenVinoSession:
        """Compiles the IR instead of the student's own stem, releasing pages as for that."""
        import openvino

        core = openvino.Core()
        graph = Path(options.config["model"])
        weights = MappedFile(graph.with_suffix(".bin"))
        model = core.read_model(graph.read_text(), lend(np.frombuffer(weights.data, np.uint8)))
        model.reshape({"image": [1, 3, *subgraph.input_size]})
        rest = options.config["rest"]
        with sparing(partial(weights.advise, "DONTNEED")):
            compiled = core.compile_model(model, "CPU", settings("CPU", rest, options.threads))
        details = {
            "runtime": "openvino",
            "version": str(openvino.__version__).partition("-")[0],
            "precision": f"int8 by NNCF, the rest {rest}",
            "cache": "none",
        }
        return OpenVinoSession(compiled, input_shapes(subgraph), details, weights)


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
