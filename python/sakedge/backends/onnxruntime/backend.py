"""ONNX Runtime on the CPU, and on whatever it has an execution provider for."""

from __future__ import annotations

import os
from collections.abc import Mapping

from sakedge.backends.base import CompileOptions, Support
from sakedge.backends.onnxruntime.engines import Engines
from sakedge.backends.onnxruntime.library import onnxruntime
from sakedge.backends.onnxruntime.options import provider_options, settings
from sakedge.backends.onnxruntime.placement import create, operators, start
from sakedge.backends.onnxruntime.providers import PROVIDERS, Device, find
from sakedge.backends.onnxruntime.session import OnnxRuntimeSession
from sakedge.backends.runtimes import DOCTOR_SAYS, gist, is_older, refusals
from sakedge.backends.threads import require_threads
from sakedge.errors import BackendError
from sakedge.format import Subgraph
from sakedge.format.onnx.opsets import OPSET

OLDEST = (1, 23)
"""The first version that computes ONNX `Attention` of opset 23 on a CPU."""

OLDEST_INT8 = (1, 24)
"""The first that quantises in opset 23 as well. Python 3.10 has none: 1.23.2 is its last."""


class OnnxRuntimeBackend:
    """Runs graphs in ONNX Runtime: a device is one of its execution providers."""

    name = "onnxruntime"
    devices: Mapping[str, tuple[str, ...]] = {
        name: provider.able for name, provider in PROVIDERS.items()
    }

    def probe(self, device: str | None, precision: str) -> Support:
        """Says whether ONNX Runtime is installed with the device's provider, and that starts."""
        found = find(device)
        try:
            version = str(onnxruntime().__version__)
            reason = _objection(found, device, precision)
        except Exception as error:  # a broken installation fails in any way
            return Support(False, f"onnxruntime cannot be imported ({gist(error)})")
        if is_older(version, OLDEST):
            needed = ".".join(map(str, OLDEST))
            problem = f"onnxruntime {version} has no attention on CPUs"
            return Support(False, f"{problem}: pip install 'onnxruntime>={needed}'")
        if precision == "int8" and is_older(version, OLDEST_INT8):
            needed = ".".join(map(str, OLDEST_INT8))
            return Support(False, f"onnxruntime {version} runs no quantised graphs, {needed} does")
        if found is None or reason:
            return Support(False, reason)
        if found.name != "CPU":
            try:
                start(found, found.options(precision, threads=1))
            except BackendError as error:
                return Support(False, f"{error.problem}: {error.got or error.remedy}")
        return Support(True, f"ONNX Runtime {version} on {found.name}")

    def opset(self, device: str | None) -> int:
        """That of the device's provider.

        Only the CPU has kernels for all operators of the newest one; elsewhere they would move to
        the CPU, or the provider's own parser refuses them.
        """
        found = find(device)
        return OPSET if found is None else found.provider.opset

    def compile(self, subgraph: Subgraph, options: CompileOptions) -> OnnxRuntimeSession:
        """Compiles a graph, or takes it from the cache where its provider keeps compiled graphs.

        On the CPU there is no cache: a session made with every optimisation switched off takes as
        long as one made with all of them (`docs/backends.md`), so a stored optimised model saves
        nothing.

        Raises:
            OptionError: `options.config` names no option of ONNX Runtime.
            BackendError: There is no such device or precision; ONNX Runtime refused the graph or an
                option's value, or would have run it elsewhere.
        """
        device = find(options.device)
        with refusals(f"ONNX Runtime refused the {subgraph.name} on {options.device or 'CPU'}"):
            reason = _objection(device, options.device, options.precision)
            if device is None or reason:
                raise BackendError(f"ONNX Runtime {reason}", remedy=DOCTOR_SAYS)
            session_options = settings(device, options)
            require_threads(session_options.intra_op_num_threads - 1)
            model = subgraph.graph
            if device.provider.views:
                wrap = onnxruntime().OrtValue.ortvalue_from_numpy
                values = [wrap(weight) for weight in subgraph.weights.values()]
                session_options.add_external_initializers(list(subgraph.weights), values)
            else:
                model = subgraph.to_bytes()
            engines = Engines(subgraph, device, provider_options(device, options), options)
            session = engines.compiled(lambda given: create(model, session_options, device, given))
            details = {
                "runtime": "onnxruntime",
                "version": str(onnxruntime().__version__),
                "device": device.name,
                "operators": operators(session, device),
                "precision": options.precision,
                "threads": str(options.threads),
                "cache": engines.state,
            }
            return OnnxRuntimeSession(session, subgraph, details)


def _objection(found: Device | None, asked: str | None, precision: str) -> str:
    """Why ONNX Runtime as it is installed has no such device or precision, or nothing."""
    if found is None:
        return f"has no device {asked}, only {', '.join(PROVIDERS)}"
    provider = found.provider
    if precision not in provider.able:
        return f"runs at {' and '.join(provider.able)} only on {found.name}, not at {precision}"
    if provider.name not in onnxruntime().get_available_providers():
        return (
            f"is installed without {provider.name}: {found.name} needs {provider.needs}, and the "
            f"package {provider.package} instead of any other onnxruntime"
        )
    if precision in provider.environment:
        variable, value = provider.environment[precision]
        if os.environ.get(variable) != value:
            return (
                f"would compute {precision} less exactly on {found.name}: set {variable}={value} "
                "in the environment of the process, or choose a lower precision"
            )
    return ""
