"""The smallest set that is good and fast enough: the search, its limits, the command."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from tests.support.command_line import assert_refused
from tests.support.datasets import write_folder
from typer.testing import CliRunner, Result

import sakedge
from sakedge.cli.app import build
from sakedge.errors import BackendError, DatasetError, OptionError, UnknownTaskError
from sakedge.evaluating.advice import Advice, Configuration, Limits
from sakedge.evaluating.advise import advise
from sakedge.measuring.intervals import Estimate

ENDLESS = 1e6
"""Milliseconds that no call takes."""
NOW = 1e-3
"""Milliseconds that every call takes."""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("advise") / "data"
    write_folder(folder, 20)
    return folder


@pytest.fixture(scope="module")
def own(root: Path, tiny_student: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data whose labels are what the student itself finds with all adapters at fp32."""
    folder = tmp_path_factory.mktemp("own")
    shutil.copytree(root / "images", folder / "images")
    (folder / "defects").mkdir()
    with sakedge.load(tiny_student, precision="fp32", tasks="defects") as student:
        for image in (folder / "images").iterdir():
            np.save(folder / "defects" / f"{image.stem}.npy", student(image)["defects"].values)
    return folder


def test_any_loss_allowed_the_stem_alone_is_enough(tiny_student: Path, root: Path) -> None:
    found = advise(
        tiny_student, root, budget_ms=ENDLESS, max_drop=1, precisions=["fp32"], threads=1
    )
    assert found.chosen is not None
    assert (found.chosen.adapters, found.chosen.precision) == ((), "fp32")
    assert found.tried == [found.chosen]
    assert found.chosen.weight_bytes < found.reference.weight_bytes
    assert found.chosen.drops.keys() == {"defects", "edge", "sal", "normals", "height"}
    loaded = eval(found.load_line(found.chosen), {"sakedge": sakedge})  # the line as printed
    assert loaded.adapters.active == ()
    assert loaded.explain().threads == 1
    loaded.close()


def test_no_loss_allowed_all_adapters_at_fp32_remain(tiny_student: Path, own: Path) -> None:
    found = advise(
        tiny_student, own, budget_ms=ENDLESS, max_drop=0, precisions=["fp32"], tasks=["defects"]
    )
    sets = [each.adapters for each in found.tried]
    assert sets[0] == ()
    assert sorted(sets[1:3]) == [("dino",), ("sam",)]
    assert sets[3:] == [("dino", "sam")]
    assert found.chosen == found.reference
    assert found.reference.drops == {"defects": Estimate(0, 0, 0)}
    assert "tasks=['defects']" in found.load_line(found.reference)


def test_where_even_the_stem_is_too_slow_nothing_larger_is_tried(
    tiny_student: Path, root: Path
) -> None:
    found = advise(tiny_student, root, budget_ms=NOW, precisions=["fp32"], limit=2, tasks=["sal"])
    assert found.chosen is None
    assert [each.adapters for each in found.tried] == [()]
    assert not found.tried[0].drops  # and it was not judged


def test_what_fails_beyond_doubt_is_not_run_on_all_images(tiny_student: Path, own: Path) -> None:
    found = advise(
        tiny_student, own, budget_ms=ENDLESS, max_drop=0, precisions=["fp32"], tasks=["defects"]
    )
    assert {each.images for each in found.tried if found.limits.lost(each)} == {16}
    assert found.reference.images == 20


def test_a_precision_that_cannot_run_here_is_left_out_unless_it_was_named(
    tiny_student: Path, root: Path
) -> None:
    given = {"budget_ms": ENDLESS, "max_drop": 1, "limit": 2, "tasks": ["sal"]}
    found = advise(tiny_student, root, backend="onnxruntime", **given)
    assert "bf16" in found.refused  # ONNX Runtime has none on CPUs
    assert {each.precision for each in found.tried} <= {"fp32", "int8"}
    with pytest.raises(BackendError, match="bf16"):
        advise(tiny_student, root, backend="onnxruntime", precisions=["bf16"], **given)


def test_arguments_are_refused_before_any_work(tiny_student: Path, root: Path) -> None:
    with pytest.raises(OptionError, match="budget_ms is out of range"):
        advise(tiny_student, root, budget_ms=0)
    with pytest.raises(OptionError, match="the drop of sal is out of range"):
        advise(tiny_student, root, budget_ms=1, task_drops={"sal": 2})
    with pytest.raises(UnknownTaskError, match="no task is named 'paint'"):
        advise(tiny_student, root, budget_ms=1, task_drops={"paint": 0.1})
    with pytest.raises(OptionError, match="no list of precisions"):
        advise(tiny_student, root, budget_ms=1, precisions="fp32")


def test_one_image_is_too_few(tiny_student: Path, tmp_path: Path) -> None:
    write_folder(tmp_path / "data", 1)
    with pytest.raises(DatasetError, match="expected two images or more; got 1"):
        advise(tiny_student, tmp_path / "data", budget_ms=1)


def _tried(
    adapters: tuple[str, ...], ms: float, low: float | None = None, high: float = 0.0
) -> Configuration:
    drops = {} if low is None else {"edge": Estimate((low + high) / 2, low, high)}
    return Configuration(adapters, "fp32", "onnxruntime", ms, 1, drops, 20)


def test_the_bad_end_of_the_interval_decides() -> None:
    limits = Limits(10, {"edge": 0.01})
    assert limits.fits(_tried((), 9, -0.01, 0.01))
    assert not limits.fits(_tried((), 9, -0.01, 0.011))
    assert not limits.fits(_tried((), 11, -0.01, 0.0))
    assert not limits.fits(_tried((), 9, float("nan"), float("nan")))
    assert not limits.fits(_tried((), 9))  # not judged
    assert limits.hopeless(_tried((), 9, 0.011, 0.02).drops)
    assert not limits.hopeless(_tried((), 9, 0.009, 0.02).drops)


def test_nearest_is_what_loses_least_in_time_and_else_the_fastest() -> None:
    limits = Limits(10, {"edge": 0.01})
    reference = _tried(("a", "b"), 20, 0, 0)
    slow, bad, near = _tried((), 11), _tried(("a",), 9, 0.1, 0.2), _tried(("b",), 9.5, 0.01, 0.03)
    found = Advice("s.onnx", limits, {}, reference, [slow, bad, near, reference], {})
    assert found.chosen is None
    assert found.nearest is near
    assert Advice("s.onnx", limits, {}, reference, [slow, reference], {}).nearest is slow


def _run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(build(), ["advise", *map(str, arguments)])


def test_the_command_prints_the_line_that_loads_it(tiny_student: Path, root: Path) -> None:
    given = [tiny_student, "--data", root, "--limit", "2", "--tasks", "sal", "--precision", "fp32"]
    done = _run(*given, "--budget-ms", ENDLESS, "--max-drop", "100%")
    assert done.exit_code == 0, done.stderr
    line = done.stdout.splitlines()[-1]
    assert line.startswith("sakedge.load(") and "adapters=[], precision='fp32'" in line
    assert "chosen" in done.stdout

    none = _run(*given, "--budget-ms", NOW, "--max-drop", "1%", "--max-drop", "sal=0.5%", "--json")
    assert none.exit_code == 1
    told = json.loads(none.stdout)
    assert told["max_drop"] == {"sal": 0.005}
    assert told["chosen"] is told["load"] is None
    assert told["nearest"]["adapters"] == told["tried"][0]["adapters"] == []
    assert none.stderr.startswith("sakedge: nothing fits; the fastest, stem only, fp32, takes")


def test_a_drop_that_is_no_number_is_refused(tiny_student: Path, root: Path) -> None:
    given = [tiny_student, "--data", root, "--budget-ms", 10, "--max-drop"]
    assert_refused(_run(*given, "little"), 64, "no drop of a metric", "1%, 0.01 or edge=0.5%")
