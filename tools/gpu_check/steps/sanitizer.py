"""The kernels under compute-sanitizer: what the emulator checks, asked of the device."""

from __future__ import annotations

import re
import shutil

from tools.gpu_check.pytests import ONLY_KERNELS, run_tests
from tools.gpu_check.step import Given, SkipError

_TOOLS = ("memcheck", "racecheck", "synccheck")
_CODE = 86


def run(given: Given) -> None:
    """A short run of the kernels' tests under each tool."""
    program = shutil.which("compute-sanitizer")
    if given.rehearse:
        raise SkipError("it watches a device; the emulator has checks of its own")
    if program is None:
        raise SkipError("compute-sanitizer is not on the PATH")
    for tool in _TOOLS:
        log = given.output / f"{tool}.log"
        log.unlink(missing_ok=True)
        under = [program, "--tool", tool, "--error-exitcode", str(_CODE), "--log-file", str(log)]
        # One case of each test: shapes matter to these tools less than code does.
        code = run_tests(
            given, tool, ["tests/cuda", *ONLY_KERNELS, "-p", "tools.gpu_check.one_each"], under
        )
        text = log.read_text(errors="replace") if log.exists() else ""
        summary = [line for line in text.splitlines() if "SUMMARY" in line]
        said = summary[-1].strip("= ") if summary else "no summary"
        given.findings.judged(
            f"{tool} found nothing", code == 0 and re.search(r"\b0 errors", said) is not None, said
        )
