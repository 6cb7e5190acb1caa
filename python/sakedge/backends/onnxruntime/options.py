"""What ONNX Runtime is told: its session's options, and those of its providers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sakedge.backends.base import CompileOptions
from sakedge.backends.onnxruntime.library import onnxruntime
from sakedge.backends.onnxruntime.providers import Device
from sakedge.backends.runtimes import refusals
from sakedge.errors import OptionError, shown

_QUIET = 3
"""Log severity: errors only."""
_DEFAULTS = {
    # Threads wait for each other by spinning within a run, which takes up to a tenth off a stem,
    # and stop with it: between two runs they would take the cores from the decoder.
    "session.intra_op.allow_spinning": "1",
    "session.force_spinning_stop": "1",
    # Planning one block for a whole run adds to what the first run took: without it ViT-B holds 95
    # MiB less and is as fast (`docs/backends.md`). DirectML cannot run with it.
    "enable_mem_pattern": False,
    # So that `explain()` can tell what runs where.
    "session.record_ep_graph_assignment_info": "1",
}
_PROVIDER = "ExecutionProvider"
"""How the names of all providers end."""


def settings(device: Device, options: CompileOptions) -> Any:
    """SessionOptions with attributes set by name, and keys with a dot as configuration entries.

    Raises:
        OptionError: `options.config` names no option.
        BackendError: ONNX Runtime refused an option's value.
    """
    found = onnxruntime().SessionOptions()
    found.intra_op_num_threads = options.threads
    found.inter_op_num_threads = 1
    found.log_severity_level = _QUIET
    if device.provider.static:
        found.add_free_dimension_override_by_name("batch", 1)
    for key, value in {**_DEFAULTS, **options.config}.items():
        if isinstance(key, str) and key.endswith(_PROVIDER):
            continue
        with refusals(f"ONNX Runtime refused the option {key!r} = {value!r}"):
            if "." in key:
                found.add_session_config_entry(key, str(value))
            elif key.startswith("_") or not hasattr(found, key):
                raise OptionError(
                    "ONNX Runtime has no such option",
                    expected="an attribute of SessionOptions, a key such as session.…, or the "
                    f"options of a …{_PROVIDER}",
                    got=repr(key),
                )
            else:
                setattr(found, key, value)
    return found


def provider_options(device: Device, options: CompileOptions) -> dict[str, dict[str, str]]:
    """The options of each provider in use by its name, the caller's own over ours.

    Raises:
        OptionError: `options.config` has options for another provider, or what are none.
    """
    found = device.options(options.precision, options.threads)
    for key, given in options.config.items():
        if not isinstance(key, str) or not key.endswith(_PROVIDER):
            continue
        if key not in found:
            raise OptionError(
                f"{device.name} does not use this provider of ONNX Runtime",
                expected=" or ".join(found),
                got=shown(key),
            )
        if not isinstance(given, Mapping):
            raise OptionError(
                f"the options of {key} are no mapping",
                expected="a dict of names and values",
                got=shown(given),
            )
        found[key] |= {str(name): str(value) for name, value in given.items()}
    return found
