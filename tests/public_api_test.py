"""What `import sakedge` promises: these names, at this cost, and nothing else."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version

import sakedge

PUBLIC = {
    *("Reconnect", "Result", "Site", "Store", "Student", "Watch", "__version__", "errors"),
    *("advise", "evaluate", "export", "load", "quantize"),
}


def test_the_top_level_exports_exactly_the_public_names() -> None:
    assert set(sakedge.__all__) == PUBLIC
    assert all(hasattr(sakedge, name) for name in PUBLIC)


def test_the_version_is_the_installed_one() -> None:
    assert sakedge.__version__ == version("sakedge")


def test_importing_loads_no_runtime_and_no_extra() -> None:
    """A missing runtime costs nothing, and a present one is paid for only when it is used."""
    heavy = ("torch", "openvino", "onnxruntime", "cv2", "typer", "rich", "matplotlib")
    code = f"import sys, sakedge; print([m for m in {heavy!r} if m in sys.modules])"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert printed.stdout.strip() == "[]", printed.stderr
