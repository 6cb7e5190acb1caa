"""The dependency rules of ARCHITECTURE.md, checked by walking every import and include."""

from __future__ import annotations

import ast
import re
import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "python" / "sakedge"

# From the top floor down. A module may import what stands on a lower floor, and its own package;
# nothing else of ours. ARCHITECTURE.md shows the same picture.
PICTURE = """\
cli
bundling
benchmarking checks compiling convert quantizing service
evaluating peers
api exporting
student
canary
measuring
runtime
cuda
decoder result sources
adapters backends images
store
site
audit
trust
format
tasks
drawing
arguments files logs
assets errors progress text
"""
FLOORS = tuple(frozenset(line.split()) for line in reversed(PICTURE.splitlines()))

# A package that only some files may import, so that its absence costs nobody else anything.
GUARDED: dict[str, tuple[str, ...]] = {
    "onnxruntime": ("backends/onnxruntime/library.py",),  # where their telemetry is off
    "openvino": ("backends/openvino/library.py",),
    "cv2": ("sources/",),
    "torch": ("convert/",),
    "yaml": ("convert/",),
    "scipy": ("measuring/",),
    "matplotlib": ("evaluating/",),
    "jinja2": ("evaluating/",),
    "pynvml": ("benchmarking/hardware/",),
    "zstandard": ("format/delta/",),
    "cryptography": ("trust/",),
    "pyrage": ("trust/",),
    "securesystemslib": ("trust/",),
    "tuf": ("trust/tuf/",),
    "packaging": ("bundling/",),
    "packageurl": ("bundling/",),
    "cyclonedx": ("bundling/",),
    "typer": ("cli/",),
    "rich": ("cli/",),
    "sakedge._core": ("decoder/",),
    "sakedge._cuda": ("cuda/",),
}

# Of a kernel the host includes its arguments, shapes and tiles, which are plain C++.
_LAUNCH = frozenset({"core", "cuda/device", "cuda/kernels", "cuda/driver", "cuda/plan"})
_STUDENT = _LAUNCH | {"cpu", "image", "decoder", "cuda/launch"}

CPP_LAYERS: dict[str, frozenset[str]] = {
    "core": frozenset(),
    "cpu": frozenset({"core"}),
    "calls": frozenset({"core", "cpu"}),
    "image": frozenset({"core", "cpu"}),
    "decoder": frozenset({"core", "cpu", "image"}),
    "bindings": frozenset({"core", "cpu", "image", "decoder"}),
    # What runs on a GPU, for which the emulator stands where the host's compiler reads it.
    "cuda/device": frozenset({"emulator"}),
    "cuda/kernels": frozenset({"cuda/device", "cpu"}),
    "cuda/driver": frozenset({"core"}),
    "cuda/plan": frozenset({"core", "cuda/driver"}),
    "cuda/launch": _LAUNCH,
    "cuda/student": _STUDENT,
    "cuda/bindings": _STUDENT | {"cuda/student", "bindings"},
}


def _python_files() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def _floor(module: str) -> int:
    return next(i for i, floor in enumerate(FLOORS) if module in floor)


def _imports(path: Path) -> Iterator[str]:
    """Every module that a file imports anywhere, also inside functions, by its full name."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import; write the full name"
            assert node.module is not None
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _unit(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def _is_within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def test_every_module_has_a_floor_and_every_floor_its_modules() -> None:
    units = {_unit(path) for path in _python_files()} - {"__init__", "__main__"}
    assert units == frozenset().union(*FLOORS)


def test_the_architecture_shows_the_same_picture_and_every_folder() -> None:
    page = (ROOT / "ARCHITECTURE.md").read_text()
    assert f"```\n{PICTURE}```" in page
    folders = [p for p in PACKAGE.iterdir() if p.is_dir() and any(p.glob("*.py"))]
    assert [p.name for p in folders if f"`{p.name}/`" not in page] == []
    layers = [p.name for p in (ROOT / "csrc").iterdir() if p.is_dir()]
    assert [layer for layer in layers if f"`csrc/{layer}/`" not in page] == []


def test_files_are_small() -> None:
    suffixes = {".py", ".h", ".cpp", ".cu"}
    for tree in ("python", "csrc", "tests", "tools"):
        files = [p for p in (ROOT / tree).rglob("*") if p.suffix in suffixes]
        lengths = {p: len(p.read_text().splitlines()) for p in files}
        assert statistics.median(lengths.values()) < 150
        assert [str(p) for p, length in lengths.items() if length > 400] == []


@pytest.mark.parametrize("path", _python_files(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_modules_import_only_from_lower_floors(path: Path) -> None:
    unit = _unit(path)
    if unit in {"__init__", "__main__"}:
        return
    for name in _imports(path):
        parts = name.split(".")
        if parts[0] != "sakedge" or len(parts) < 2 or parts[1].startswith("_"):
            continue
        assert parts[1] == unit or _floor(parts[1]) < _floor(unit), f"{path}: imports {name}"


@pytest.mark.parametrize("path", _python_files(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_guarded_packages_are_imported_only_in_their_place(path: Path) -> None:
    here = path.relative_to(PACKAGE).as_posix()
    for name in _imports(path):
        for package, places in GUARDED.items():
            if _is_within(name, package):
                assert here.startswith(places), f"{here}: only {places} may import {package}"


@pytest.mark.parametrize("path", _python_files(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_nothing_that_ships_imports_single_kernels(path: Path) -> None:
    assert not any(_is_within(name, "sakedge_kernels") for name in _imports(path))


def test_a_backend_imports_no_other_backend() -> None:
    runtimes = {folder.parent.name for folder in (PACKAGE / "backends").glob("*/__init__.py")}
    for path in (PACKAGE / "backends").glob("*/*.py"):
        for name in _imports(path):
            if _is_within(name, "sakedge.backends"):
                place = set(name.split(".")[2:3])
                assert not place & (runtimes - {path.parent.name}), f"{path}: {name}"
                assert place != {"registry"}, f"{path}: a backend does not choose backends"


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def _private_names(path: Path) -> Iterator[str]:
    """Private names of other packages' modules that a file imports or reads, by full name."""
    tree = ast.parse(path.read_text())
    own = f"sakedge.{'.'.join(path.parent.relative_to(PACKAGE).parts)}".rstrip(".")
    modules: dict[str, str] = {}  # what this file calls a module → the module
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules |= {each.asname or each.name: each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            for each in node.names:
                name = f"{node.module}.{each.name}"
                modules[each.asname or each.name] = name
                if _is_private(each.name) and _package(name) != own:
                    yield name
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and _is_private(node.attr):
            module = modules.get(ast.unparse(node.value), "")
            if _is_module(module) and _package(f"{module}.{node.attr}") != own:
                yield f"{module}.{node.attr}"


def _is_module(name: str) -> bool:
    place = PACKAGE.parent.joinpath(*name.split("."))
    return name != "" and (place.is_dir() or place.with_suffix(".py").is_file())


def _package(name: str) -> str:
    """The package that owns a module's name, e.g. `sakedge.format` of `sakedge.format.digest.x`."""
    module = name.rpartition(".")[0]
    is_package = PACKAGE.parent.joinpath(*module.split(".")).is_dir()
    return module if is_package else module.rpartition(".")[0]


@pytest.mark.parametrize("path", _python_files(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_private_names_stay_in_their_package(path: Path) -> None:
    reached = {name for name in _private_names(path) if _is_within(name, "sakedge")}
    modules = {"sakedge._core", "sakedge._cuda"}
    assert reached - modules == set(), f"{path}: private to another package"


# gpu_check runs the tests of the kernels on a device, and tunes them with what launches them there.
_TOOLS = [p for p in (ROOT / "tools").rglob("*.py") if "gpu_check" not in p.parts]


@pytest.mark.parametrize("path", sorted(_TOOLS), ids=lambda p: str(p.relative_to(ROOT)))
def test_no_tool_imports_the_tests(path: Path) -> None:
    for name in _imports(path):
        assert not _is_within(name, "tests"), f"{path}: imports {name}; move it to tools/"


def _cpp_files() -> list[Path]:
    suffixes = {".h", ".cpp", ".cu", ".def"}
    return sorted(p for p in (ROOT / "csrc").rglob("*") if p.suffix in suffixes)


def _layer(path: str) -> str:
    """The layer of a file in csrc: its folder, and in `cuda` the one inside of it."""
    parts = path.split("/")
    return "/".join(parts[:2]) if parts[0] == "cuda" else parts[0]


@pytest.mark.parametrize("path", _cpp_files(), ids=lambda p: str(p.relative_to(ROOT)))
def test_cpp_includes_only_lower_layers(path: Path) -> None:
    layer = _layer(path.relative_to(ROOT / "csrc").as_posix())
    for included in re.findall(r'#include "([^"]+)"', path.read_text()):
        target = _layer(included)
        assert target == layer or target in CPP_LAYERS[layer], f"{path}: includes {included}"


@pytest.mark.parametrize("path", _cpp_files(), ids=lambda p: str(p.relative_to(ROOT)))
def test_python_headers_appear_only_in_the_bindings(path: Path) -> None:
    python = re.search(r"#include <(pybind11/|Python\.h)", path.read_text())
    here = path.relative_to(ROOT / "csrc")
    binds = "bindings" in here.parts or here == Path("calls/module.cpp")
    assert python is None or binds
