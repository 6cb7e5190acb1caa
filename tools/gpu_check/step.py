"""A step of the check: what it is given, and its process."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
import traceback
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from tools.gpu_check.findings import Finding, Findings, read

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Step:
    """One part of the check, in a process of its own: a lost device is lost to no other.

    Attributes:
        name: Also of its module in `tools.gpu_check.steps`.
        seconds: It is ended after so many.
    """

    name: str
    seconds: int


@dataclass(frozen=True)
class Given:
    """What a step works with.

    Attributes:
        output: Folder for whatever it makes.
        rehearse: Whether there is no GPU, and it shall go as far as that allows.
        student: A student's file, or None.
        trtexec: TensorRT's program, or None.
        exhaustive: Whether torch may take as long as it wants to search.
        findings: Where it says what it found.
    """

    output: Path
    rehearse: bool
    student: Path | None
    trtexec: Path | None
    exhaustive: bool
    findings: Findings


class SkipError(Exception):
    """The whole step cannot run here; says why."""


def run_step(name: str, given: argparse.Namespace) -> int:
    """Runs a step in this process; 1 if it broke off."""
    findings = Findings(result_path(given.output, name))
    module = import_module(f"tools.gpu_check.steps.{name}")
    try:
        module.run(
            Given(
                given.output,
                given.rehearse,
                given.student,
                given.trtexec,
                given.exhaustive,
                findings,
            )
        )
    except SkipError as reason:
        findings.skipped(name, str(reason))
    except ImportError as error:
        findings.failed(name, f"{error}: `environment` says where to get it")
    except Exception as error:
        traceback.print_exc()
        findings.failed(name, f"{type(error).__name__}: {error}"[:500])
        return 1
    return 0


def run_apart(
    step: Step, given: argparse.Namespace, seconds: float
) -> tuple[list[Finding], dict[str, Any], float]:
    """Runs a step in a process of its own; what it found, and the seconds that it took."""
    output: Path = given.output
    result_path(output, step.name).unlink(missing_ok=True)
    command = [sys.executable, "-m", "tools.gpu_check", "step", step.name, "--output", str(output)]
    command += ["--rehearse"] if given.rehearse else []
    command += ["--exhaustive"] if given.exhaustive else []
    for option in ("student", "trtexec"):
        if (value := getattr(given, option)) is not None:
            command += [f"--{option}", str(value)]
    begun = time.monotonic()
    # A session of its own, so that all that it starts ends with it.
    process = subprocess.Popen(command, cwd=ROOT, env=environment(output), start_new_session=True)
    try:
        code = process.wait(seconds)
        broke_off = "" if code == 0 else f"its process ended with {code}"
    except subprocess.TimeoutExpired:
        broke_off = f"not finished within its {seconds:.0f} s"
    finally:
        _end(process)
    found, values = read(result_path(output, step.name))
    if broke_off and not any(each.outcome == "failed" for each in found):
        found.append(Finding(step.name, "failed", broke_off))
        print(f"  failed   {step.name}: {broke_off}", flush=True)
    return found, values, time.monotonic() - begun


def _end(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    process.wait()


def environment(output: Path) -> dict[str, str]:
    """That of steps: the package that `build` installed comes before any other sakedge."""
    paths = [str(output.resolve() / "site"), str(ROOT), os.environ.get("PYTHONPATH", "")]
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "PYTHONUNBUFFERED": "1",
    }


def result_path(output: Path, name: str) -> Path:
    """The file of a step's findings."""
    return output / f"{name}.json"
