"""Where the cache is: the argument, the environment, the user's folder, or nowhere and why."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

import sakedge
from sakedge.backends.cache_dir import ENVIRONMENT, CacheDir, resolve_cache_dir
from sakedge.errors import OptionError

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="Linux's rule")


def test_the_argument_comes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENVIRONMENT, "/from/environment")
    assert resolve_cache_dir("/from/argument") == CacheDir(Path("/from/argument"))
    assert resolve_cache_dir(b"/from/bytes") == CacheDir(Path("/from/bytes"))  # type: ignore[arg-type]
    assert resolve_cache_dir() == CacheDir(Path("/from/environment"))


@pytest.mark.parametrize("off", ["", "0", "off", "None"])
def test_the_cache_can_be_switched_off(off: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENVIRONMENT, off)
    assert resolve_cache_dir() == CacheDir(None, "off")
    assert resolve_cache_dir("/some/folder") == CacheDir(Path("/some/folder"))
    assert resolve_cache_dir(off) == CacheDir(None, "off")


@on_linux
def test_the_default_is_the_users_cache_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv(ENVIRONMENT, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", "/home/line/caches")
    assert resolve_cache_dir() == CacheDir(Path("/home/line/caches/sakedge"))
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")  # which its specification says to ignore
    assert resolve_cache_dir() == CacheDir(tmp_path / ".cache" / "sakedge")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert resolve_cache_dir() == CacheDir(tmp_path / ".cache" / "sakedge")


@on_linux
@pytest.mark.parametrize("home", ["/nonexistent", "", ".", "/dev/null"])
def test_a_home_that_is_no_folder_is_not_made_one(
    home: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(ENVIRONMENT, raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", home)
    found = resolve_cache_dir()
    assert found.folder is None
    assert "no home folder" in found.off


def test_the_home_of_a_user_that_there_is_not_is_no_folder_here() -> None:
    found = resolve_cache_dir("~nobody-of-that-name/cache")
    assert found.folder is None
    assert "~nobody-of-that-name/cache" in found.off


@pytest.mark.parametrize(
    "wrong",
    [5, ["a"], "a\0b", "\ud800", b"\0", 1.5, object()],
    ids=lambda wrong: type(wrong).__name__,
)
def test_anything_else_is_refused(wrong: object, tiny_student: Path) -> None:
    with pytest.raises(OptionError, match="cache_dir is no path"):
        sakedge.load(tiny_student, cache_dir=wrong)  # type: ignore[arg-type]


@on_linux
def test_explain_says_why_there_is_no_cache(
    monkeypatch: pytest.MonkeyPatch, tiny_student: Path
) -> None:
    monkeypatch.delenv(ENVIRONMENT)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", "/nonexistent")
    session = sakedge.load(tiny_student, backend="openvino", threads=1).explain().session
    assert session["cache"].startswith("off: no home folder")
    assert not os.path.lexists("/nonexistent")
