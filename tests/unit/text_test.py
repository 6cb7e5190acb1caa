"""Text that is safe to print, and strict JSON."""

from __future__ import annotations

import json
import logging
import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sakedge.logs import configure
from sakedge.text import to_json, visible

ANY = st.text(st.characters())  # surrogates, controls and all


@pytest.mark.parametrize(
    "text",
    ["part.png", "Kratzer, tief", "é e\u0301 हिन्दी 日本\u3000語", "C:\\parts\\x", "\U0001f600"],
)
def test_what_prints_stays(text: str) -> None:
    assert visible(text) == text


@pytest.mark.parametrize(
    ("character", "shown"),
    [
        ("\x1b", r"\x1b"),
        ("\n", r"\n"),
        ("\r", r"\r"),
        ("\x07", r"\x07"),
        ("\x7f", r"\x7f"),
        ("\x9b", r"\x9b"),
        ("\u2028", r"\u2028"),
        ("\u202e", r"\u202e"),
        ("\u2066", r"\u2066"),
        ("\u200b", r"\u200b"),
        ("\ufeff", r"\ufeff"),
        ("\udcff", r"\udcff"),
        ("\U000e0041", r"\U000e0041"),
    ],
)
def test_what_does_not_print_is_escaped(character: str, shown: str) -> None:
    assert visible(f"a{character}b") == f"a{shown}b"


@given(ANY)
def test_nothing_that_acts_on_a_terminal_passes(text: str) -> None:
    shown = visible(text)
    assert not {unicodedata.category(c) for c in shown} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert visible(shown) == shown


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY,
    lambda values: st.lists(values) | st.dictionaries(ANY, values),
    max_leaves=20,
)


@given(VALUES, st.none() | st.just(2))
def test_json_is_ascii_without_nan_and_tells_the_same(value: object, indent: int | None) -> None:
    def plain(value: object) -> object:
        if isinstance(value, float):
            return value if np.isfinite(value) else None
        if isinstance(value, list):
            return [plain(each) for each in value]
        if isinstance(value, dict):
            return {key: plain(each) for key, each in value.items()}
        return value

    text = to_json(value, indent)
    assert text.isascii()
    assert json.loads(text, parse_constant=pytest.fail) == plain(value)


def test_a_record_of_the_log_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    log = logging.getLogger("sakedge")
    before, level = list(log.handlers), log.level
    monkeypatch.setenv("SAKEDGE_LOG", "info")
    configure.cache_clear()
    try:
        configure()
        log.warning("bad %s", "a\nsakedge ERROR: forged\x1b[31m")
    finally:
        log.handlers[:] = before
        log.setLevel(level)
        configure.cache_clear()
    assert capsys.readouterr().err.endswith("bad a\\nsakedge ERROR: forged\\x1b[31m\n")
