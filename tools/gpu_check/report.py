"""The check's report as Markdown."""

from __future__ import annotations

from collections import Counter
from typing import Any


def markdown(report: dict[str, Any]) -> str:
    """A line for each step and what it measured, then every finding that needs reading."""
    kind = "rehearsal without a GPU" if report["rehearsal"] else "on a GPU"
    lines = [
        f"# gpu_check, {kind}",
        "",
        f"Commit {report['commit'] or 'unknown'}, {report['machine']}, {report['seconds']} s.",
        "",
        "| step | passed | failed | skipped | seconds |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for name, step in report["steps"].items():
        count = Counter(each["outcome"] for each in step["findings"])
        cells = [str(count[outcome] or "") for outcome in ("passed", "failed", "skipped")]
        lines.append(f"| {name} | {' | '.join(cells)} | {step['seconds']} |")
    for outcome in ("failed", "measured", "skipped"):
        found = [
            f"- {name}, {each['what']}: {each['detail']}"
            for name, step in report["steps"].items()
            for each in step["findings"]
            if each["outcome"] == outcome
        ]
        if found:
            lines += ["", f"## {outcome.capitalize()}", "", *found]
    for name, step in report["steps"].items():
        for title, table in step["values"].get("tables", {}).items():
            lines += ["", f"## {name}: {title}", "", table]
    return "\n".join(lines) + "\n"
