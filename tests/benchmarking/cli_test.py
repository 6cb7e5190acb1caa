"""`sakedge benchmark` as a whole, on the tiny student, in fresh processes."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path

import pytest
from tests.benchmarking.records import drawn, one_round, record
from tests.support.command_line import Run, assert_refused

from sakedge.benchmarking import read_record
from sakedge.text import to_json


@pytest.fixture
def stored(tmp_path: Path) -> tuple[Path, Path]:
    """Two records, the second of a slower machine."""
    paths = tmp_path / "a.json", tmp_path / "b.json"
    for path, found in zip(paths, (drawn(1), drawn(2, median=30.0)), strict=True):
        path.write_text(to_json(found.to_dict()))
    return paths


class Page(HTMLParser):
    """A page's text and all that it would load."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.text, self.loads, self.tags = "", [], []  # type: ignore[var-annotated]
        self.feed(path.read_text())
        self.text = " ".join(self.text.split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name in ("src", "srcset", "data", "action") or (tag == "link" and name == "href"):
                self.loads.append(value)

    def handle_data(self, data: str) -> None:
        self.text += f" {data}"


def test_everything_is_in_the_record_and_on_the_page(
    run: Run, tiny_student: Path, tmp_path: Path
) -> None:
    out, page = tmp_path / "r.json", tmp_path / "r.html"
    options = ("-niter", 6, "--warmup", 1, "--batch", 2, "--threads", 1, "--rounds", 2)
    extra = ("-nstreams", "2", "--interval", "1ms", "-t", 0.01, "-o", out, "--report", page)
    ended = run("benchmark", tiny_student, *options, *extra)
    assert ended.exit_code == 0, ended.stderr
    assert "2 callers" in ended.stdout and "after 1 ms" in ended.stdout
    found = read_record(out)
    assert [len(caller.samples_ms) for caller in found.rounds[0].streams[1].callers] == [6, 6]
    results = found.results
    assert results is not None and results.total_number_of_iterations == 12
    assert [each.streams for each in results.streams] == [1, 2]
    assert set(results.stages_ms) == {"preprocess", "stem", "decoder", "postprocess"}
    assert min(results.read_model_ms, results.compile_model_ms, results.first_inference_ms) > 0
    assert results.memory.peak is not None and results.memory.loaded is not None
    assert results.memory.peak >= results.memory.loaded > 0
    assert found.student["threads"] == 1
    assert set(found.student["digests"]) >= {"stem", "adapters.sam", "heads.edge"}
    assert {"python", "numpy", "openvino"} <= set(found.software.versions)
    assert "numpy" in found.software.wheels
    every = json.loads(out.read_text())
    assert str(tmp_path.parent) not in out.read_text()
    assert every["identity"] is None and every["missing"]["identity"]
    for field in ("energy", "drift"):
        assert every["results"][field] is not None or every["missing"][field]
    shown = Page(page)
    assert "How many parts a minute?" in shown.text and "Parts that come one by one" in shown.text
    assert shown.loads == [] and "script" not in shown.tags and shown.tags.count("svg") == 5


def test_a_record_is_shown_again(run: Run, stored: tuple[Path, Path], tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    ended = run("benchmark", "--record", stored[0], "--report", page)
    assert ended.exit_code == 0, ended.stderr
    assert "energy             not known: no counter" in ended.stdout
    assert "no counter" in Page(page).text
    again = run("benchmark", "--record", stored[0], "--json")
    assert json.loads(again.stdout) == json.loads(stored[0].read_text())


def test_two_records_are_compared(run: Run, stored: tuple[Path, Path], tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    ended = run("benchmark", "--compare", *stored, "--report", page)
    assert ended.exit_code == 2, ended.stderr
    assert "worse: B has" in ended.stdout
    assert "worse: B has" in Page(page).text and Page(page).loads == []
    turned = run("benchmark", "--compare", *reversed(stored), "--json")
    assert turned.exit_code == 0
    rows = json.loads(turned.stdout)["rows"]
    assert (rows[0]["what"], rows[0]["verdict"]) == ("latency, median", "differs")
    assert not any(row["is_worse"] for row in rows)


def test_hostile_text_in_a_record_reaches_neither_terminal_nor_page(
    run: Run, tmp_path: Path
) -> None:
    evil = "\x1b[2J<script>alert(1)</script>\u202e"
    fields = record([one_round([20.0])]).to_dict()
    fields["student"]["path"] = fields["device"]["board"] = evil
    fields["missing"][evil] = fields["student"]["backend_reason"] = evil
    fields["tegrastats"] = {evil: {"mean": 1.0, "most": 2.0}}
    fields["software"]["versions"][evil] = evil
    path, page = tmp_path / "evil.json", tmp_path / "evil.html"
    path.write_text(json.dumps(fields))
    for arguments in (("--record", path), ("--compare", path, path)):
        ended = run("benchmark", *arguments, "--report", page)
        assert ended.exit_code == 0, ended.stderr
        assert "\x1b" not in ended.stdout and "\u202e" not in ended.stdout
        assert "script" not in Page(page).tags
        assert "\x1b" not in page.read_text() and "\u202e" not in page.read_text()


def test_what_cannot_be_compared_is_refused_and_writes_nothing(
    run: Run, stored: tuple[Path, Path], tmp_path: Path
) -> None:
    page, broken = tmp_path / "page.html", tmp_path / "c.json"
    broken.write_text('{"format": "sakedge benchmark"')
    ended = run("benchmark", "--compare", stored[0], broken, "--report", page)
    assert_refused(ended, 1, "c.json is no record")
    fields = json.loads(stored[1].read_text())
    fields["student"]["digest"] = "b" * 64
    broken.write_text(json.dumps(fields))
    assert_refused(
        run("benchmark", "--compare", stored[0], broken, "--report", page), 64, "student"
    )
    assert not page.exists()
    again = run("benchmark", "--compare", stored[0], broken, "--anyway")
    assert again.exit_code == 2 and "differs in student" in again.stdout


def test_options_that_do_not_go_together_are_usage(
    run: Run, tiny_student: Path, stored: tuple[Path, Path]
) -> None:
    a, b = stored
    for arguments in (
        (),
        (tiny_student, "--compare", a, b),
        ("--compare", a, b, "-o", a.with_name("o.json")),
        ("--record", a, "-o", a.with_name("o.json")),
        ("--record", a, "--peers"),
        (tiny_student, "--streams", "two"),
        (tiny_student, "--interval", "10"),
        (tiny_student, "--peers", "--soak", "1"),
    ):
        ended = run("benchmark", *arguments)
        assert ended.exit_code == 64 and ended.stdout == "", ended.stderr
    assert_refused(run("benchmark", "--record", a, "--report", a), 64, "overwrite the input")


def test_an_error_of_the_fresh_process_is_the_users(run: Run, tiny_student: Path) -> None:
    assert_refused(run("benchmark", tiny_student, "--tasks", "edge,abacus"), 64, "abacus", "edge")
