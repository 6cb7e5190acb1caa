"""What a machine could not exercise: the last lines of a run of the tests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Iterator[None]:
    """Says how many tests were skipped for which reason, after everything else."""
    yield
    skipped = terminalreporter.getreports("skipped")
    if not skipped:
        return
    reasons = Counter(_reason(report) for report in skipped)
    ran = len(terminalreporter.getreports("passed")) + len(terminalreporter.getreports("failed"))
    terminalreporter.section(f"not exercised here: {len(skipped)} of {ran + len(skipped)} tests")
    for reason, count in reasons.most_common():
        terminalreporter.write_line(f"{count:6}  {reason}")


def _reason(report: pytest.TestReport) -> str:
    text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return text.removeprefix("Skipped: ")
