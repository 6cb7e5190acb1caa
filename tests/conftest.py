"""Fixtures that every folder of tests may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.support.command_line import Run
from typer.testing import CliRunner, Result

pytest_plugins = ["tests.support.unexercised"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of some tests; pytest takes options from here alone."""
    parser.addoption(
        "--cuda-path",
        choices=["ptx", "host", "device"],
        default="ptx",
        help="run CUDA kernels as the PTX that ships, as the host compiles them, or on a GPU",
    )
    parser.addoption("--runner", help="command of a sakedge_kernel_runner, to test its kernels")
    parser.addoption("--long-examples", action="store_true", help="examples that take minutes too")
    parser.addoption("--cuda-long", action="store_true", help="all schedules and sizes")


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Compiled stems of the tests go beside their files, not into the user's cache."""
    os.environ["SAKEDGE_CACHE"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="session")
def tiny_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A checkpoint and its config.yml: width 48, 4 blocks, 64 x 96, adapters dino and sam."""
    from tools.checkpoint import make_checkpoint

    folder = tmp_path_factory.mktemp("checkpoint")
    return make_checkpoint(folder, width=48, blocks=4, attention_heads=3)


@pytest.fixture(scope="session")
def tiny_student(
    tmp_path_factory: pytest.TempPathFactory, tiny_checkpoint: tuple[Path, Path]
) -> Path:
    """`tiny_checkpoint` converted: a task of each kind, random weights. Not to be written to."""
    from sakedge.convert import convert

    path = tmp_path_factory.mktemp("student") / "student.onnx"
    convert(*tiny_checkpoint, path)
    return path


@pytest.fixture(scope="session")
def int8_student(tmp_path_factory: pytest.TempPathFactory, tiny_student: Path) -> Path:
    """`tiny_student` with all matrix products in int8. Records no quality. Not to be written to."""
    from tests.support.int8 import quantised_student

    path = tmp_path_factory.mktemp("int8") / "student.int8.onnx"
    return quantised_student(tiny_student, path)


@pytest.fixture
def run() -> Run:
    """Runs the command line in this process; an exception that is no exit fails the test."""
    from sakedge.cli.app import build

    runner = CliRunner()
    app = build()

    def invoke(*arguments: object) -> Result:
        result = runner.invoke(app, [str(argument) for argument in arguments])
        assert result.exception is None or isinstance(result.exception, SystemExit), result
        return result

    return invoke
