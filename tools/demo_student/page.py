"""Writes docs/demo-student.md: the template, filled with what the reports measured.

What a report measured stays in `measured/`, so that the page can be written again without the
checkpoints of every training.
"""

import datetime
import json
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PAGE = Path("docs/demo-student.md")
IMAGES = Path("docs/images")
SAMPLES = Path("python/sakedge/assets/samples")


def table(head: list[str], rows: list[list[str]]) -> list[str]:
    """A Markdown table, line by line; the first column is text, the others figures."""
    rule = ["---", *["---:"] * (len(head) - 1)]
    return ["| " + " | ".join(row) + " |" for row in [head, rule, *rows]]


def keep(name: str, measured: dict[str, Any]) -> None:
    """Store what a report measured, with today's date; tables are lists of lines."""
    today = datetime.date.today().isoformat()
    text = json.dumps({"measured": today} | measured, indent=1, ensure_ascii=False)
    (HERE / "measured" / f"{name}.json").write_text(text + "\n")


def _measured(name: str) -> dict[str, Any]:
    fields = json.loads((HERE / "measured" / f"{name}.json").read_text())
    return {k: "\n".join(v) if k.endswith("_table") else v for k, v in fields.items()}


def write_page() -> None:
    """Fill the template."""
    boards = {f"boards_{key}": value for key, value in _measured("boards").items()}
    text = (HERE / "report.md").read_text().format(**_measured("training"), **boards)
    PAGE.write_text(text)
