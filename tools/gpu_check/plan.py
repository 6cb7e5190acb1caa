"""The check: its steps in turn, and the report."""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import time
from typing import Any

from tools.gpu_check.findings import Finding
from tools.gpu_check.report import markdown
from tools.gpu_check.step import ROOT, Step, run_apart

STEPS: tuple[Step, ...] = (
    Step("environment", 20),
    Step("build", 150),
    Step("conformance", 40),
    Step("kernels", 90),
    Step("tune", 90),
    Step("student", 75),
    Step("calls", 45),
    Step("sanitizer", 75),
    Step("benchmark", 220),
    Step("tensorrt", 120),
)
"""In the order in which a failure matters. Their seconds are the most that each may take; together
they are more than the check has, for few take all of theirs."""
_EMULATED = 10
"""How many times as long a rehearsal may take: its kernels are translated and emulated."""


def check(given: argparse.Namespace) -> int:
    """Runs the steps and writes the report after each, as JSON and Markdown; 1 if one failed."""
    given.output.mkdir(parents=True, exist_ok=True)
    chosen = [step for step in STEPS if _is_asked_for(step, given)]
    begun = time.monotonic()
    report: dict[str, Any] = {
        "commit": _commit(),
        "machine": platform.platform(),
        "rehearsal": given.rehearse,
        "steps": {},
    }
    failed = False
    slower = _EMULATED if given.rehearse else 1
    for step in chosen:
        left = given.budget * slower - (time.monotonic() - begun)
        print(f"{step.name} …", flush=True)
        if left < 5:
            found = [
                Finding(step.name, "failed", f"the {given.budget * slower:.0f} s were used up")
            ]
            values, spent = {}, 0.0
            print(f"  failed   {step.name}: {found[0].detail}", flush=True)
        else:
            found, values, spent = run_apart(step, given, min(step.seconds * slower, left))
        failed |= any(each.outcome == "failed" for each in found)
        report["steps"][step.name] = {
            "seconds": round(spent, 1),
            "findings": [vars(each) for each in found],
            "values": values,
        }
        report["seconds"] = round(time.monotonic() - begun, 1)
        (given.output / "gpu_check.json").write_text(json.dumps(report, indent=1))
        (given.output / "gpu_check.md").write_text(markdown(report))
    print(f"\n{markdown(report)}\nwritten: {given.output}/gpu_check.json and .md", flush=True)
    return int(failed)


def _is_asked_for(step: Step, given: argparse.Namespace) -> bool:
    if given.only:
        return step.name in given.only
    return step.name != "tune" or bool(given.tune)


def _commit() -> str:
    try:
        ran = subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True
        )
    except OSError:
        return ""
    return ran.stdout.strip()
