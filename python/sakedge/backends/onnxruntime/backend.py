"""ONNX Runtime on the CPU."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sakedge.backends.base import CompileOptions, Support
from sakedge.backends.onnxruntime.library import onnxruntime
from sakedge.backends.onnxruntime.session import OnnxRuntimeSession
from sakedge.backends.runtimes import gist, is_older, refusals
from sakedge.backends.threads import require_threads
from sakedge.errors import OptionError
from sakedge.format import Subgraph

OLDEST = (1, 23)
"""The first version that computes ONNX `Attention` of opset 23 on a CPU."""
_QUIET = 3
"""Log severity: errors only."""
_DEFAULTS = {
    # Threads that wait by spinning take the cores from the decoder between two runs.
    "session.intra_op.allow_spinning": "0",
    # Planning one block for a whole run adds to what the first run took: without it ViT-B holds 95
    # MiB less and is as fast (`docs/backends.md`).
    "enable_mem_pattern": False,
}


class OnnxRuntimeBackend:
    """Runs graphs in ONNX Runtime, in fp32 on the CPU."""

    name = "onnxruntime"
    devices: Mapping[str, tuple[str, ...]] = {"CPU": ("fp32",)}

    def probe(self, device: str | None, precision: str) -> Support:
        """Says whether ONNX Runtime is installed; it runs on `CPU` and at `fp32` only."""
        try:
            version = str(onnxruntime().__version__)
        except Exception as error:  # a broken installation fails in any way
            return Support(False, f"onnxruntime cannot be imported ({gist(error)})")
        if is_older(version, OLDEST):
            needed = ".".join(map(str, OLDEST))
            problem = f"onnxruntime {version} has no attention on CPUs"
            return Support(False, f"{problem}: pip install 'onnxruntime>={needed}'")
        if device is not None and device.upper() != "CPU":
            return Support(False, f"runs on CPU only, not on {device}")
        if precision != "fp32":
            return Support(False, f"runs at fp32 only, not at {precision}")
        return Support(True, f"ONNX Runtime {version} on CPU")

    def compile(self, subgraph: Subgraph, options: CompileOptions) -> OnnxRuntimeSession:
        """Compiles a graph; its weights are handed over as views of the student's file.

        There is no cache: a session made with every optimisation switched off takes as long as
        one made with all of them (`docs/backends.md`), so a stored optimised model saves nothing.

        Raises:
            OptionError: `options.config` names no option of ONNX Runtime.
            BackendError: ONNX Runtime refused the graph or an option's value.
        """
        with refusals(f"ONNX Runtime refused the {subgraph.name}"):
            runtime = onnxruntime()
            settings = _settings(options.threads, {**_DEFAULTS, **options.config})
            require_threads(settings.intra_op_num_threads - 1)
            wrap = runtime.OrtValue.ortvalue_from_numpy
            values = [wrap(weight) for weight in subgraph.weights.values()]
            settings.add_external_initializers(list(subgraph.weights), values)
            session = runtime.InferenceSession(
                subgraph.graph, settings, providers=["CPUExecutionProvider"]
            )
            details = {
                "runtime": "onnxruntime",
                "version": str(runtime.__version__),
                "device": "CPU",
                "precision": "fp32",
                "threads": str(options.threads),
                "cache": "none: compiling is as fast as reading a cache",
            }
            return OnnxRuntimeSession(session, subgraph, details)


def _settings(threads: int, config: Mapping[str, Any]) -> Any:
    """SessionOptions with attributes set by name, and keys with a dot as configuration entries."""
    settings = onnxruntime().SessionOptions()
    settings.intra_op_num_threads = threads
    settings.inter_op_num_threads = 1
    settings.log_severity_level = _QUIET
    for key, value in config.items():
        with refusals(f"ONNX Runtime refused the option {key!r} = {value!r}"):
            if "." in key:
                settings.add_session_config_entry(key, str(value))
            elif key.startswith("_") or not hasattr(settings, key):
                raise OptionError(
                    "ONNX Runtime has no such option",
                    expected="an attribute of SessionOptions or a key such as session.…",
                    got=repr(key),
                )
            else:
                setattr(settings, key, value)
    return settings
