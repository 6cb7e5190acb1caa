"""A choice that was measured: who makes it, when `load` takes it, and what becomes of bad files."""

from __future__ import annotations

import json
import os
import pickle
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.support.command_line import Run, assert_refused
from tests.support.plugin import install
from typer.testing import CliRunner

import sakedge
from sakedge.checks.choose import ALIKE, fastest
from sakedge.cli.app import build
from sakedge.errors import (
    BackendError,
    ChoiceError,
    NewerFormatError,
    OptionError,
    SakedgeError,
    StorageError,
    UnknownBackendError,
)
from sakedge.runtime.choice import MAX_BYTES, Measured, read_choice, store_choice

ROOT = Path(__file__).parents[2]


@dataclass
class Made:
    """What one real run of the command left."""

    cache: Path
    file: Path
    printed: str

    @property
    def stored(self) -> Path:
        (path,) = (self.cache / "choices").iterdir()
        return path

    @property
    def fields(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.file.read_text())
        return found


@pytest.fixture(scope="module")
def once(tiny_student: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    """`--choose` among our backends and one whose outputs are off."""
    folder = tmp_path_factory.mktemp("choice")
    site = install(folder, "liar", "tests.support.liar:LyingBackend")
    cache, file = folder / "cache", folder / "choice.json"
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(site))
        patch.setenv("PYTHONPATH", os.pathsep.join([str(site), str(ROOT)]))
        brief = ("--rounds", "1", "--warmup", "1", "-t", "0.001", "--threads", "1")
        options = ("--cache-dir", str(cache), "-o", str(file))
        result = CliRunner().invoke(
            build(), ["benchmark", str(tiny_student), "--choose", *brief, *options]
        )
        assert result.exit_code == 0, result.stderr
        # What is measured with another set of backends is not taken, so they stay.
        yield Made(cache, file, result.stdout)


@pytest.fixture
def made(once: Made, tmp_path: Path) -> Made:
    """A copy of it, to be damaged."""
    cache, file = tmp_path / "cache", tmp_path / "choice.json"
    shutil.copytree(once.cache, cache)
    shutil.copy(once.file, file)
    return Made(cache, file, once.printed)


@pytest.fixture
def explain(tiny_student: Path, made: Made) -> Callable[..., sakedge.Explanation]:
    """How the tiny student runs with these options, beside what was measured."""

    def explain(**options: Any) -> sakedge.Explanation:
        options = {"threads": 1, "cache_dir": made.cache, **options}
        with sakedge.load(tiny_student, **options) as student:
            return student.explain()

    return explain


def other(made: Made) -> str:
    """The backend of ours that was not chosen."""
    return "openvino" if made.fields["backend"] == "onnxruntime" else "onnxruntime"


def rewrite(path: Path, **fields: Any) -> None:
    """Changes fields of a choice's file."""
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))


def test_every_candidate_is_measured_and_one_that_is_off_is_not_chosen(made: Made) -> None:
    seen = {(each["model"], each["backend"]): each for each in made.fields["measured"]}
    assert set(seen) == {
        (model, backend)
        for model in ("host", "graph")
        for backend in ("openvino", "onnxruntime", "liar")
    }
    for (_, backend), each in seen.items():
        assert each["ms"] > 0
        assert f"{each['ms']:.1f}" in made.printed
        if backend == "liar":
            assert each["refused"].startswith("its outputs are off: an error of ")
        else:
            assert each["refused"] is None
            assert each["error"] < 1e-4
    chosen = seen[made.fields["model"], made.fields["backend"]]
    least = min(each["ms"] for each in seen.values() if each["refused"] is None)
    assert chosen["ms"] <= least * (1 + ALIKE)
    assert "chosen" in made.printed
    assert "choice.json: load(config={'choice': …}) pins it" in made.printed


def test_the_file_and_what_load_finds_are_the_same(made: Made) -> None:
    assert json.loads(made.stored.read_text()) == made.fields
    assert made.stored.stat().st_mode & 0o077 == 0
    assert set(made.fields["versions"]) >= {"sakedge", "openvino", "onnxruntime", "liar"}


def test_load_takes_what_was_measured_here_and_says_so(
    made: Made, explain: Callable[..., sakedge.Explanation]
) -> None:
    # Whatever was the fastest here: the other one shows that it is the file that decides.
    backend = other(made)
    rewrite(made.stored, model="graph", backend=backend)
    told = explain()
    assert (told.model, told.backend, told.choice_ignored) == ("graph", backend, "")
    assert told.model_reason == f"measured here on {made.fields['date']}"
    assert told.backend_reason.startswith(f"{told.model_reason} (")
    assert all(f"in {name} " in told.backend_reason for name in ("openvino", "onnxruntime"))
    assert "liar" not in told.backend_reason


@pytest.mark.parametrize(
    "options", [{"threads": 2}, {"device": "CPU"}, {"precision": "int8"}, {"cache_dir": ""}]
)
def test_in_another_setting_it_is_not_there(
    options: dict[str, Any], made: Made, explain: Callable[..., sakedge.Explanation]
) -> None:
    rewrite(made.stored, model="graph")
    told = explain(**options)
    assert (told.model, told.choice_ignored) == ("host", "")
    assert told.backend_reason.startswith("auto: ")


def test_names_that_are_given_come_before_what_was_measured(
    made: Made, explain: Callable[..., sakedge.Explanation]
) -> None:
    rewrite(made.stored, model="graph")
    told = explain(backend=other(made))
    assert (told.model, told.backend, told.choice_ignored) == ("host", other(made), "")
    for config in ({"model": "host"}, {"min_weight": 0.1}):
        told = explain(config=config)
        assert told.model == "host"
        assert told.choice_ignored == "its model is graph, and host is wanted"
        assert told.choice_ignored in str(told)
    assert explain(config={"model": "graph"}).backend == made.fields["backend"]


def test_with_other_versions_it_is_not_taken(
    made: Made, explain: Callable[..., sakedge.Explanation]
) -> None:
    versions = {**made.fields["versions"], "openvino": "2026.3.0", "abacus": "1"}
    rewrite(made.stored, model="graph", versions=versions)
    told = explain()
    assert told.model == "host"
    assert told.choice_ignored.startswith(f"measured on {made.fields['date']}, but abacus was 1 ")
    assert "openvino was 2026.3.0 and is 2026.4" in told.choice_ignored


def test_one_that_cannot_run_any_more_gives_way(
    made: Made, explain: Callable[..., sakedge.Explanation]
) -> None:
    rewrite(made.stored, backend="abacus")
    told = explain()
    assert told.backend in ("openvino", "onnxruntime")
    assert "unknown backend" in told.choice_ignored


def _huge(path: Path) -> None:
    os.truncate(path, 1 << 40)


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


DAMAGES: dict[str, Callable[[Path], object]] = {
    "cut off": lambda path: os.truncate(path, 100),
    "empty": lambda path: os.truncate(path, 0),
    "huge": _huge,
    "large": lambda path: path.write_text(" " * MAX_BYTES + path.read_text()),
    "pipe": _pipe,
    "folder": _folder,
    "no JSON": lambda path: path.write_bytes(b"\xff\xfe{"),
    "a list": lambda path: path.write_text("[]"),
    "deep": lambda path: path.write_text("[" * 30_000 + "]" * 30_000),
    "a key twice": lambda path: path.write_text('{"model": "host", "model": "graph"}'),
    "not a number": lambda path: path.write_text(path.read_text().replace('"ms": ', '"ms": NaN')),
    "unknown field": lambda path: rewrite(path, run="rm -rf /"),
    "a model that is no name": lambda path: rewrite(path, model=["host"]),
    "one that leaves it open": lambda path: rewrite(path, backend="auto"),
    "a stem that is left open": lambda path: rewrite(path, stem="auto"),
    "no date": lambda path: rewrite(path, date="yesterday"),
    "many candidates": lambda path: rewrite(path, measured=[{}] * 100),
    "newer": lambda path: rewrite(path, format_version=3),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=[*DAMAGES])
def test_a_bad_file_in_the_cache_is_ignored_with_a_reason_and_a_pinned_one_an_error(
    damage: Callable[[Path], object],
    made: Made,
    tiny_student: Path,
    explain: Callable[..., sakedge.Explanation],
) -> None:
    damage(made.stored)
    told = explain()
    assert told.backend_reason.startswith("auto: ")
    assert str(made.stored) in told.choice_ignored
    damage(made.file)
    with pytest.raises((ChoiceError, NewerFormatError, StorageError)) as caught:
        sakedge.load(tiny_student, config={"choice": made.file})
    assert str(made.file) in str(caught.value)
    assert len(str(caught.value)) < 1000


def test_a_file_that_others_can_write_is_ignored(
    made: Made, explain: Callable[..., sakedge.Explanation]
) -> None:
    made.stored.chmod(0o666)
    assert "can be written by other users" in explain().choice_ignored
    made.stored.chmod(0o600)
    assert explain().choice_ignored == ""
    made.stored.parent.chmod(0o777)
    assert "can be written by other users" in explain().choice_ignored


def test_a_file_of_another_student_under_this_ones_name_is_ignored(
    made: Made, explain: Callable[..., sakedge.Explanation]
) -> None:
    rewrite(made.stored, setting={**made.fields["setting"], "student": "0" * 64})
    assert "is not for this student and machine" in explain().choice_ignored


def test_a_link_in_the_cache_is_not_followed(
    made: Made, explain: Callable[..., sakedge.Explanation]
) -> None:
    target = made.stored
    target.rename(made.cache / "elsewhere.json")
    target.symlink_to(made.cache / "elsewhere.json")
    assert "cannot read" in explain().choice_ignored


def test_a_pinned_choice_is_as_if_named(
    made: Made, explain: Callable[..., sakedge.Explanation]
) -> None:
    backend = other(made)
    rewrite(made.file, model="graph", backend=backend, versions={})
    told = explain(config={"choice": str(made.file)}, threads=2, device="CPU")
    assert (told.model, told.backend) == ("graph", backend)
    assert told.model_reason == f"pinned by {made.file}"
    assert made.fields["setting"]["cpu"] in told.backend_reason
    with pytest.raises(BackendError, match="openvino cannot run here"):
        rewrite(made.file, backend="openvino")
        explain(config={"choice": made.file}, device="GPU.7")
    with pytest.raises(UnknownBackendError, match="abacus"):
        rewrite(made.file, backend="abacus")
        explain(config={"choice": made.file})


def test_a_choice_of_version_1_is_read_and_leaves_the_stem_to_evidence(
    made: Made, explain: Callable[..., sakedge.Explanation]
) -> None:
    assert made.fields["stem"] == "fp32"
    fields = {key: value for key, value in made.fields.items() if key != "stem"}
    for each in fields["measured"]:
        del each["stem"]
    for path in (made.file, made.stored):
        path.write_text(json.dumps({**fields, "format_version": 1, "model": "graph"}))
    for told in (explain(), explain(config={"choice": made.file})):
        assert (told.model, told.backend) == ("graph", fields["backend"])
        assert (told.stem_precision, told.choice_ignored) == ("fp32", "")


def test_a_pinned_choice_has_to_fit(
    made: Made, tiny_student: Path, explain: Callable[..., sakedge.Explanation]
) -> None:
    pin = {"choice": made.file}
    named: list[dict[str, Any]] = [
        {"backend": "openvino", "config": pin},
        {"config": {**pin, "model": "host"}},
        {"config": {**pin, "stem": "fp32"}},
    ]
    for options in named:
        with pytest.raises(OptionError, match="none of them named beside it"):
            explain(**options)
    rewrite(made.file, model="abacus")
    with pytest.raises(ChoiceError, match="one of host, graph; got abacus"):
        explain(config=pin)
    rewrite(made.file, model="host", setting={**made.fields["setting"], "student": "0" * 64})
    with pytest.raises(ChoiceError, match=r"another student.*--choose"):
        explain(config=pin)
    with pytest.raises(StorageError, match="cannot read"):
        explain(config={"choice": made.file.parent / "none.json"})


@pytest.mark.parametrize("path", [3, b"choice.json", ["a"], "", "a\0b", "\ud800"])
def test_what_is_no_path_of_a_choice_is_refused(path: Any, tiny_student: Path) -> None:
    with pytest.raises(SakedgeError) as caught:
        sakedge.load(tiny_student, config={"choice": path})
    assert len(str(caught.value)) < 300


def test_a_pinned_student_comes_back_from_pickle_in_another_folder(
    made: Made, tiny_student: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    rewrite(made.file, model="graph")
    with sakedge.load(tiny_student, config={"choice": "choice.json"}) as student:
        pickled = pickle.dumps(student)
    monkeypatch.chdir("/")
    with pickle.loads(pickled) as again:
        assert again.explain().model == "graph"


def candidate(backend: str, ms: float | None, refused: str | None = None) -> Measured:
    return Measured(model="host", backend=backend, ms=ms, refused=refused)


def test_the_fastest_is_chosen_and_of_those_as_fast_the_first() -> None:
    assert fastest([candidate("a", 100), candidate("b", 90)]).backend == "b"
    assert fastest([candidate("a", 100), candidate("b", 99)]).backend == "a"
    assert fastest([candidate("a", 1, "it is off"), candidate("b", 99)]).backend == "b"
    with pytest.raises(BackendError, match="host in a: it is off"):
        fastest([candidate("a", 1, "it is off"), candidate("b", None, "not installed")])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--backend", "openvino"), "backend"),
        (("--batch", 2), "batch"),
        (("--peers",), "peers"),
        (("--tasks", "edge"), "tasks"),
        (("-niter", 5), "iterations"),
    ],
)
def test_what_would_narrow_the_choice_is_refused(
    options: tuple[object, ...], words: str, run: Run, tiny_student: Path
) -> None:
    result = run("benchmark", tiny_student, "--choose", *options)
    assert_refused(result, 64, words, "--choose")


def test_a_choice_that_would_be_kept_nowhere_is_not_begun(run: Run, tiny_student: Path) -> None:
    result = run("benchmark", tiny_student, "--choose", "--cache-dir", "off")
    assert_refused(result, 64, "no cache", "-o")


def test_in_a_folder_that_others_can_write_nothing_is_stored(once: Made, tmp_path: Path) -> None:
    (tmp_path / "choices").mkdir()
    (tmp_path / "choices").chmod(0o777)
    with pytest.raises(StorageError, match="can be written by other users"):
        store_choice(tmp_path, read_choice(once.file))
    assert not [*(tmp_path / "choices").iterdir()]
