"""Files that a provider keeps of a compiled graph: checked, bound to one graph, never trusted."""

from __future__ import annotations

import dataclasses
import tempfile
from pathlib import Path

import pytest
from tests.support.gated import gated

from sakedge.backends.base import CompileOptions
from sakedge.backends.onnxruntime.engines import Engines
from sakedge.backends.onnxruntime.providers import PROVIDERS, Device
from sakedge.format import Subgraph

DEVICE = Device("TENSORRT", PROVIDERS["TENSORRT"])
NAME = DEVICE.provider.name
Options = dict[str, dict[str, str]]


def compiled(
    folder: Path | None, subgraph: Subgraph | None = None, *, refuse: str = "", version: str = "1"
) -> tuple[str, list[str]]:
    """Compiles once as TensorRT's provider does, with files: what it found, and what was kept.

    Args:
        folder: The cache.
        subgraph: The graph.
        refuse: A file's content that it cannot read.
        version: Part of the file's name.
    """
    found: list[str] = []

    def create(options: Options) -> None:
        if "trt_engine_cache_path" not in options[NAME]:
            return
        assert options[NAME]["trt_engine_cache_enable"] == "True"
        place = Path(options[NAME]["trt_engine_cache_path"])
        found[:] = [path.read_text() for path in sorted(place.iterdir())]
        if refuse and refuse in found:
            raise RuntimeError("of another driver")
        engine = place / f"graph_{version}.engine"
        if not engine.exists():
            engine.write_text(f"engine {version}")

    options = CompileOptions(device=DEVICE.name, cache_dir=folder, cache_off="off: asked for")
    engines = Engines(subgraph or gated(), DEVICE, {NAME: {}}, options)
    engines.compiled(create)
    return engines.state, found


def test_the_second_start_finds_what_the_first_kept(tmp_path: Path) -> None:
    assert compiled(tmp_path) == ("stored", [])
    assert compiled(tmp_path) == ("hit", ["engine 1"])


def test_another_graph_finds_nothing(tmp_path: Path) -> None:
    """Its weights differ, and TensorRT would take the engine of the same operators."""
    compiled(tmp_path)
    other = dataclasses.replace(gated(), digest="0" * 64)
    assert compiled(tmp_path, other) == ("stored", [])


@pytest.mark.parametrize("damage", ["flip", "cut"])
def test_a_damaged_entry_is_not_used(tmp_path: Path, damage: str) -> None:
    compiled(tmp_path)
    (entry,) = tmp_path.rglob("*.blob")
    data = bytearray(entry.read_bytes())
    data[-1] ^= 1
    entry.write_bytes(data if damage == "flip" else data[:-8])
    assert compiled(tmp_path) == ("stored", [])
    assert compiled(tmp_path) == ("hit", ["engine 1"])


def test_an_entry_that_others_could_have_written_is_not_used(tmp_path: Path) -> None:
    compiled(tmp_path)
    (entry,) = tmp_path.rglob("*.blob")
    entry.chmod(0o666)
    assert compiled(tmp_path) == ("stored", [])


def test_what_the_provider_cannot_read_is_compiled_again(tmp_path: Path) -> None:
    compiled(tmp_path)
    assert compiled(tmp_path, refuse="engine 1") == ("stored", [])


def test_files_of_another_version_do_not_pile_up(tmp_path: Path) -> None:
    for version in "123":
        state, found = compiled(tmp_path, version=version)
        assert state == "stored"
        assert len(found) <= 1
    assert compiled(tmp_path, version="3") == ("hit", ["engine 3"])


def test_nothing_is_left_in_the_temporary_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    compiled(tmp_path / "cache")
    compiled(tmp_path / "cache")
    assert list(temporary.iterdir()) == []


def test_without_a_cache_the_reason_is_told(tmp_path: Path) -> None:
    assert compiled(None)[0] == "off: asked for"
    (tmp_path / "file").write_text("")
    assert compiled(tmp_path / "file")[0].startswith("none: cannot write")


def test_without_room_for_temporary_files_there_is_no_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    options = CompileOptions(device=DEVICE.name, cache_dir=tmp_path)
    engines = Engines(gated(), DEVICE, {NAME: {}}, options)
    assert engines.compiled(lambda given: given) == {NAME: {}}
    assert engines.state.startswith("none: ")


def test_a_graph_that_is_refused_stays_refused(tmp_path: Path) -> None:
    def create(options: Options) -> None:
        raise RuntimeError("no such operator")

    options = CompileOptions(device=DEVICE.name, cache_dir=tmp_path)
    with pytest.raises(RuntimeError, match="no such operator"):
        Engines(gated(), DEVICE, {NAME: {}}, options).compiled(create)
