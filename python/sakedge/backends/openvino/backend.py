"""OpenVINO on the CPU, and on a GPU or NPU where there is one."""

from __future__ import annotations

from collections.abc import Mapping

from sakedge.backends.arrays import input_shapes
from sakedge.backends.base import CompileOptions, Support
from sakedge.backends.openvino.blobs import Blob
from sakedge.backends.openvino.core import core, version
from sakedge.backends.openvino.devices import CAPABILITIES, DEVICES, survey
from sakedge.backends.openvino.model import read_model, transpose
from sakedge.backends.openvino.session import OpenVinoSession
from sakedge.backends.openvino.settings import settings
from sakedge.backends.openvino.transposed import Transposed
from sakedge.backends.runtimes import gist, is_older, refusals
from sakedge.backends.threads import require_threads
from sakedge.files.sparing import sparing
from sakedge.format import Subgraph
from sakedge.format.onnx.opsets import OPSET

OLDEST = (2026, 3)
"""2026.0 has no ONNX `Attention`, and in 2026.1 and 2026.2 its results are wrong."""


class OpenVinoBackend:
    """Runs graphs in OpenVINO."""

    name = "openvino"
    devices: Mapping[str, tuple[str, ...]] = dict.fromkeys(DEVICES, tuple(CAPABILITIES))

    def probe(self, device: str | None, precision: str) -> Support:
        """Says whether OpenVINO is installed, finds the device and supports the precision on it."""
        try:
            core()
        except ImportError as error:
            return Support(
                False, f"openvino cannot be imported ({error}): pip install 'sakedge[openvino]'"
            )
        except Exception as error:  # a broken installation fails in any way
            return Support(False, f"OpenVINO does not start: {gist(error)}")
        if is_older(version(), OLDEST):
            needed = ".".join(map(str, OLDEST))
            problem = f"OpenVINO {version()} computes attention wrongly or not at all"
            return Support(False, f"{problem}: pip install 'openvino>={needed}'")
        return survey(device, precision)

    def opset(self, device: str | None) -> int:
        """The newest on every device: OpenVINO takes an `Attention` apart where it has to."""
        return OPSET

    def compile(self, subgraph: Subgraph, options: CompileOptions) -> OpenVinoSession:
        """Compiles a graph, or takes it from the cache.

        Raises:
            BackendError: OpenVINO refused the graph or an option.
        """
        with refusals(f"OpenVINO refused the {subgraph.name} on {options.device or 'CPU'}"):
            device = (options.device or "CPU").upper()
            config = settings(device, options.precision, options.threads) | dict(options.config)
            weights = Transposed("in the compiled model")
            require_threads(options.threads - 1)
            blob = Blob(subgraph, device, config, options)
            compiled = blob.load()
            if compiled is None:
                model = read_model(subgraph)
                weights = transpose(model, subgraph, device, options)
                with sparing(weights.release):
                    compiled = core().compile_model(model, device, config)
                blob.store(compiled)
            details = {
                "runtime": "openvino",
                "version": version(),
                "device": ", ".join(compiled.get_property("EXECUTION_DEVICES")),
                "precision": options.precision,
                "threads": str(options.threads),
                "cache": blob.state,
                "weights": weights.state,
            }
            memory = (subgraph.weights, weights) if blob.data is None else blob.data
            return OpenVinoSession(compiled, input_shapes(subgraph), details, memory)
