"""Whatever a runtime raises is a BackendError, wherever it raises it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from sakedge.backends import registry
from sakedge.backends.base import CompileOptions
from sakedge.backends.runtimes import refusals
from sakedge.errors import BackendError, OptionError, SakedgeError
from sakedge.format import StudentFile, Subgraph

NAMES = tuple(registry.BACKENDS)
PROBE = """
from pathlib import Path
from sakedge.backends import registry
from sakedge.errors import BackendError
from sakedge.peers.stock import open_stock, precisions
name = {name!r}
print(registry.probe(name))
precisions(name)
try:
    open_stock(name, Path("student.onnx"), 1)
except BackendError as error:
    print(error)
"""


@pytest.fixture(scope="module")
def stem(tiny_student: Path) -> Iterator[Subgraph]:
    with StudentFile.open(tiny_student) as file:
        yield file.stem()


@pytest.mark.parametrize("error", [RuntimeError, OSError, MemoryError, KeyError, AttributeError])
def test_any_exception_becomes_ours_with_its_message(error: type[Exception]) -> None:
    with pytest.raises(BackendError, match=r"it failed; got .*because"), refusals("it failed"):
        raise error("Check 'x' failed\nbecause")


@pytest.mark.parametrize("error", [OptionError("ours"), KeyboardInterrupt()], ids=repr)
def test_our_own_errors_and_an_interrupt_pass(error: BaseException) -> None:
    with pytest.raises(type(error)) as caught, refusals("it failed"):
        raise error
    assert caught.value is error


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "broken",
    ["raise ImportError('no symbol')", "raise OSError('no library')", "pass", "1/0"],
    ids=["ImportError", "OSError", "empty", "ZeroDivisionError"],
)
def test_a_broken_installation_is_a_reason(name: str, broken: str, tmp_path: Path) -> None:
    (tmp_path / f"{name}.py").write_text(broken)
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    ended = subprocess.run(
        [sys.executable, "-c", PROBE.format(name=name)],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    probed, opened = ended.stdout.splitlines()
    assert probed.startswith("Support(ok=False, reason=")
    assert opened


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("error", [MemoryError(), OSError("gone"), KeyError("x")], ids=repr)
def test_a_run_that_fails_is_an_error_of_that_run(
    name: str, error: Exception, stem: Subgraph, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = registry.get(name).compile(stem, CompileOptions(threads=1))
    images = np.zeros((1, 3, *stem.input_size), np.float32)

    def fail(*arguments: object, **options: object) -> None:
        raise error

    broken = SimpleNamespace(create_infer_request=fail, io_binding=fail)
    with monkeypatch.context() as patched:
        patched.setattr(session, {"openvino": "_compiled"}.get(name, "_session"), broken)
        with pytest.raises(BackendError, match="failed; got"):
            session.run(images)
    assert len(session.run(images)) == len(stem.outputs)


@pytest.mark.parametrize(
    ("name", "option"),
    [
        ("onnxruntime", {"intra_op_num_threads": "x"}),
        ("onnxruntime", {"intra_op_num_threads": 2**20}),
        ("onnxruntime", {"intra_op_num_threads": 2**40}),
        ("onnxruntime", {"execution_mode": float("nan")}),
        ("onnxruntime", {"add_initializer": 1}),
        ("openvino", {"INFERENCE_NUM_THREADS": "x"}),
        ("openvino", {"INFERENCE_NUM_THREADS": 2**40}),
        ("openvino", {"NUM_STREAMS": float("nan")}),
        ("openvino", {"PERFORMANCE_HINT": object()}),
        *((name, {key: 1}) for name in NAMES for key in (5, None, b"KEY", (1,), "\ud800", "")),
        *((name, {"A": 1, 5: 2}) for name in NAMES),
    ],
)
def test_options_that_a_runtime_cannot_take_are_refused(
    name: str, option: dict[Any, Any], stem: Subgraph, tmp_path: Path
) -> None:
    options = CompileOptions(threads=1, cache_dir=tmp_path, config=option)
    with pytest.raises(SakedgeError):
        registry.get(name).compile(stem, options)


def test_importing_openvino_leaves_its_telemetry_to_others() -> None:
    code = (
        "import sys; from sakedge.backends.openvino.library import openvino\n"
        "openvino(); assert 'openvino_telemetry' not in sys.modules\n"
        "import openvino_telemetry"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(("given", "left"), [({}, "1"), ({"ORT_DISABLE_TELEMETRY": "0"}, "0")])
def test_onnx_runtimes_switch_stays_as_the_user_set_it(given: dict[str, str], left: str) -> None:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("ORT_")}
    code = (
        "import os; from sakedge.backends.onnxruntime.library import onnxruntime, SWITCH\n"
        "onnxruntime(); print(os.environ[SWITCH])"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code],
        env={**environment, **given},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stdout.strip() == left
