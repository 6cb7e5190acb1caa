"""`sakedge adapter`: packs out of students and checkpoints, and deltas between files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.support.command_line import Run, assert_refused
from tools.checkpoint import make_checkpoint

from sakedge.cli.app import GROUPS
from sakedge.format import read_pack


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("verb", ["extract", "inspect", "pack", "diff", "patch"])
def test_every_verb_has_help(run: Run, verb: str) -> None:
    assert verb in GROUPS["adapter"][1]
    result = run("adapter", verb, "--help")
    assert result.exit_code == 0 and "--json" in result.stdout


def test_a_part_is_extracted_under_its_name(run: Run, int8_student: Path, here: Path) -> None:
    result = run("adapter", "extract", int8_student, "sam", "--version", "line 3")
    assert result.exit_code == 0, result.stderr
    assert "sam.safetensors: adapter sam, int8" in result.stdout
    assert run("adapter", "extract", int8_student, "edge", "--router").exit_code == 0
    assert run("adapter", "extract", int8_student, "edge", "--head", "--json").exit_code == 0
    kinds = {path.name: read_pack(path).manifest.kind for path in here.iterdir()}
    assert kinds == {
        "sam.safetensors": "adapter",
        "edge.router.safetensors": "router",
        "edge.head.safetensors": "head",
    }
    assert read_pack(here / "sam.safetensors").manifest.version == "line 3"


@pytest.mark.parametrize("precision", ["fp32", "fp16", "int8"])
def test_the_precision_is_chosen(
    run: Run, tiny_student: Path, tmp_path: Path, precision: str
) -> None:
    out = tmp_path / "x.safetensors"
    options = ("-o", out, "--precision", precision, "--json")
    found = json.loads(run("adapter", "extract", tiny_student, "sam", *options).stdout)
    assert found["manifest"]["storage"] == precision and found["path"] == str(out)
    assert found["bytes"] == out.stat().st_size


def test_what_cannot_be_extracted_is_refused(run: Run, tiny_student: Path, here: Path) -> None:
    assert_refused(run("adapter", "extract", tiny_student, "clip"), 64, "adapters.clip", "dino")
    assert_refused(run("adapter", "extract", tiny_student, "../x"), 64, "one of adapters.dino")
    both = run("adapter", "extract", tiny_student, "edge", "--router", "--head")
    assert_refused(both, 64, "one of them")
    own = run("adapter", "extract", tiny_student, "sam", "-o", tiny_student)
    assert_refused(own, 64, "overwrite the input")
    assert not [*here.iterdir()]


def test_a_pack_is_shown_with_the_slot_that_it_goes_to(
    run: Run, tiny_student: Path, here: Path
) -> None:
    run("adapter", "extract", tiny_student, "sam")
    result = run("adapter", "inspect", "sam.safetensors", "--student", tiny_student)
    assert result.exit_code == 0, result.stderr
    assert "fits        yes: slot sam, of its teacher" in result.stdout
    options = ("--student", tiny_student, "--json")
    found = json.loads(run("adapter", "inspect", "sam.safetensors", *options).stdout)
    assert found["fits"] is True and found["parameters"] > 0
    assert "fits" not in json.loads(run("inspect", "sam.safetensors", "--json").stdout)


def test_a_pack_of_another_stem_is_shown_as_such(run: Run, tiny_student: Path, here: Path) -> None:
    pair = make_checkpoint(here / "other", width=48, blocks=4, attention_heads=3, seed=9)
    result = run("adapter", "pack", *pair, "--teacher", "sam")
    assert result.exit_code == 0, result.stderr
    assert "noise rows removed" in result.stdout
    options = ("--student", tiny_student)
    result = run("adapter", "inspect", "sam.safetensors", *options)
    assert result.exit_code == 1 and "trained on another stem" in result.stdout
    refused = run("adapter", "pack", *pair, "--teacher", "sam", *options, "-o", "no.safetensors")
    assert_refused(refused, 1, "trained on another stem")
    assert not (here / "no.safetensors").exists()
    assert_refused(run("adapter", "pack", *pair, "--teacher", "clip"), 64, "one of dino, sam")


def test_a_delta_makes_the_new_pack_of_the_old_one(
    run: Run, tiny_student: Path, here: Path
) -> None:
    for version in ("1", "2"):
        out = f"sam-{version}.safetensors"
        run("adapter", "extract", tiny_student, "sam", "-o", out, "--version", version)
    content = (here / "sam-2.safetensors").read_bytes()
    result = run("adapter", "diff", "sam-1.safetensors", "sam-2.safetensors")
    assert result.exit_code == 0, result.stderr
    assert "update.sakdelta" in result.stdout and "% of sam-2.safetensors" in result.stdout
    shown = json.loads(run("adapter", "inspect", "update.sakdelta", "--json").stdout)
    assert shown["new"]["bytes"] == len(content) and shown["name"] == "sam-2.safetensors"
    assert shown["bytes"] < 0.1 * len(content)
    assert run("inspect", "update.sakdelta").stdout == result.stdout

    (here / "sam-2.safetensors").unlink()
    result = run("adapter", "patch", "sam-1.safetensors", "update.sakdelta")
    assert result.exit_code == 0 and shown["new"]["sha256"] in result.stdout
    assert (here / "sam-2.safetensors").read_bytes() == content
    wrong = run("adapter", "patch", "sam-2.safetensors", "update.sakdelta", "-o", "x")
    assert_refused(wrong, 1, "made for another file", "in the order in which they were made")
    assert not (here / "x").exists()
