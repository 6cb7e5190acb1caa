"""Runs tests and says of each that failed why."""

from __future__ import annotations

import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from importlib.util import find_spec

from tools.gpu_check.step import ROOT, Given

DEVICE, EMULATOR = "device", "ptx"
ONLY_KERNELS = ("-p", "tools.gpu_check.only_kernels")


def run_tests(
    given: Given, name: str, arguments: Sequence[str], under: Sequence[str] = ()
) -> int | None:
    """Runs tests on the device, or on the emulator in a rehearsal.

    Args:
        given: Of the step.
        name: Of the run, in the findings.
        arguments: For pytest.
        under: A program to run it under, with its options.

    Returns:
        pytest's exit status, or that of the program around it.
    """
    path = EMULATOR if given.rehearse else DEVICE
    report = given.output / f"{name}.xml"
    report.unlink(missing_ok=True)
    command = [
        *under, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider",
        "--cuda-path", path, f"--junitxml={report}", *arguments,
    ]  # fmt: skip
    if find_spec("xdist") and not under and not given.rehearse:
        command += ["-n", str(min(12, os.cpu_count() or 1)), "-p", "no:benchmark", "-p", "no:cov"]
    ended = subprocess.run(command, cwd=ROOT).returncode
    if not report.exists():
        given.findings.failed(name, f"pytest ended with {ended} and left no report")
        return ended
    suite = ElementTree.parse(report).getroot().find("testsuite")
    assert suite is not None
    count = {key: int(suite.get(key, 0)) for key in ("tests", "failures", "errors", "skipped")}
    for case in suite.iter("testcase"):
        for kind in ("failure", "error"):
            if (problem := case.find(kind)) is not None:
                where = f"{case.get('classname')}::{case.get('name')}"
                lines = (problem.get("message") or "").splitlines() or [""]
                given.findings.failed(where, lines[0][:300])
    bad = count["failures"] + count["errors"]
    passed = count["tests"] - bad - count["skipped"]
    detail = f"{passed} passed, {bad} failed, {count['skipped']} skipped on the {_place(given)}"
    given.findings.judged(name, ended == 0 and passed > 0, detail)
    return ended


def _place(given: Given) -> str:
    return "emulator" if given.rehearse else "device"
