"""ONNX Runtime on the CPU."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakedge.backends.base import (
    Features,
    StemOptions,
    Support,
    check_images,
    empty_features,
    gist,
    is_older,
)
from sakedge.errors import BackendError, OptionError
from sakedge.format import StemModel

OLDEST = (1, 23)
"""The first that computes ONNX `Attention` of opset 23 on a CPU."""
_PROVIDERS = ["CPUExecutionProvider"]
_QUIET = 3
"""Log severity: errors only."""
_DEFAULTS = {
    # Threads that wait by spinning take the cores from the decoder between two stems.
    "session.intra_op.allow_spinning": "0",
    # A plan of one block for a whole run comes on top of what the first run took: ViT-B holds
    # 95 MiB less without, and is as fast (`docs/backends.md`).
    "enable_mem_pattern": False,
}


@cache
def _runtime() -> Any:
    import onnxruntime

    return onnxruntime


class OnnxRuntimeBackend:
    """Runs the stem in ONNX Runtime, in fp32 on the CPU."""

    name = "onnxruntime"

    def probe(self, device: str | None, precision: str) -> Support:
        """Says whether ONNX Runtime is here; device and precision are `CPU` and `fp32` or none."""
        try:
            version = _runtime().__version__
        except ImportError as error:
            return Support(False, f"onnxruntime cannot be imported ({error})")
        if is_older(version, OLDEST):
            needed = ".".join(map(str, OLDEST))
            problem = f"onnxruntime {version} has no attention on CPUs"
            return Support(False, f"{problem}: pip install 'onnxruntime>={needed}'")
        if device is not None and device.upper() != "CPU":
            return Support(False, f"runs on CPU only, not on {device}")
        if precision != "fp32":
            return Support(False, f"its CPU arithmetic is fp32 only, not {precision}")
        return Support(True, f"ONNX Runtime {version} on CPU")

    def compile(self, stem: StemModel, options: StemOptions) -> OnnxRuntimeSession:
        """Compiles the stem; its weights are handed over as views of the student's file.

        There is no cache: a session made with every optimisation switched off takes as long as
        one made with all of them (`docs/backends.md`), so a stored optimised model saves nothing.

        Raises:
            OptionError: `options.config` names no option of ONNX Runtime.
            BackendError: ONNX Runtime refused the model or an option's value.
        """
        ort = _runtime()
        settings = _settings(options.threads)
        _apply(settings, {**_DEFAULTS, **options.config})
        values = [ort.OrtValue.ortvalue_from_numpy(w) for w in stem.weights.values()]
        try:
            settings.add_external_initializers(list(stem.weights), values)
            session = ort.InferenceSession(stem.graph, settings, providers=_PROVIDERS)
        except Exception as error:  # its exceptions share no base but Exception
            raise BackendError("ONNX Runtime refused the stem", got=gist(error)) from error
        details = {
            "runtime": "onnxruntime",
            "version": ort.__version__,
            "device": "CPU",
            "precision": "fp32",
            "threads": str(options.threads),
            "cache": "none: compiling is as fast as reading a cache",
        }
        return OnnxRuntimeSession(session, stem, details)


class OnnxRuntimeSession:
    """A stem in ONNX Runtime.

    One image runs at a time, with all the threads: more at once would be more threads than were
    asked for and as many times the memory. A batch runs image by image for the same reason; it
    is as fast, and an image's result does not depend on its neighbours.
    """

    def __init__(self, session: Any, stem: StemModel, details: Mapping[str, str]) -> None:
        self.details = details
        self._session = session
        self._stem = stem  # the session may read the weights where they lie
        self._shapes = [tuple(output.shape[1:]) for output in session.get_outputs()]
        self._lock = threading.Lock()

    def run(self, images: NDArray[np.float32]) -> Features:
        """Runs the stem on normalised images, float32 [batch, 3, H, W].

        Raises:
            BackendError: The images have another shape or type, or the runtime failed.
        """
        images = check_images(images, self._stem.input_size)
        features = empty_features(len(images), self._shapes)
        wrap = _runtime().OrtValue.ortvalue_from_numpy
        with self._lock:
            for i in range(len(images)):
                binding = self._session.io_binding()
                binding.bind_ortvalue_input("image", wrap(images[i : i + 1]))
                for name, feature in zip(self._stem.outputs, features, strict=True):
                    binding.bind_ortvalue_output(name, wrap(feature[i : i + 1]))
                try:
                    self._session.run_with_iobinding(binding)
                except Exception as error:  # its exceptions share no base but Exception
                    raise BackendError("ONNX Runtime failed", got=gist(error)) from error
        return features


class StockSession:
    """A whole student file in ONNX Runtime as anyone would run it: what ours is compared with.

    Args:
        path: The student.
        threads: Threads of the session, at least 1.

    Raises:
        BackendError: ONNX Runtime refused the file.
    """

    def __init__(self, path: Path, threads: int) -> None:
        ort = _runtime()
        try:
            self._session = ort.InferenceSession(
                str(path), _settings(threads), providers=_PROVIDERS
            )
        except Exception as error:  # its exceptions share no base but Exception
            raise BackendError(f"ONNX Runtime refused {path}", got=gist(error)) from error

    def run(self, images: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        """Logits by task, each float32 [batch, classes, H, W]."""
        names = [output.name for output in self._session.get_outputs()]
        return dict(zip(names, self._session.run(None, {"image": images}), strict=True))


def _settings(threads: int) -> Any:
    settings = _runtime().SessionOptions()
    settings.intra_op_num_threads = threads
    settings.inter_op_num_threads = 1
    settings.log_severity_level = _QUIET
    return settings


def _apply(settings: Any, config: Mapping[str, Any]) -> None:
    """Sets attributes of SessionOptions by name, and what has a dot as a configuration entry."""
    for key, value in config.items():
        try:
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
        except (TypeError, AttributeError, RuntimeError) as error:
            raise BackendError(f"ONNX Runtime refused the option {key}", got=repr(value)) from error
