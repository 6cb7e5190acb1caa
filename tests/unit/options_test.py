"""Errors for wrong names and options list the valid ones."""

from __future__ import annotations

import logging
import re
from typing import Any

import numpy as np
import pytest

from sakedge import logs
from sakedge.arguments import in_range, pick
from sakedge.errors import OptionError, UnknownAdapterError
from sakedge.runtime.options import Options


def test_none_picks_all_and_nothing_picks_none() -> None:
    assert pick("adapter", None, ("a", "b"), UnknownAdapterError) == ("a", "b")
    assert pick("adapter", [], ("a", "b"), UnknownAdapterError) == ()


def test_names_are_picked_once_in_the_order_asked_for() -> None:
    assert pick("adapter", ["b", "a", "b"], ("a", "b"), UnknownAdapterError) == ("b", "a")
    assert pick("adapter", "a", ("a", "b"), UnknownAdapterError) == ("a",)


def test_an_unknown_name_lists_all() -> None:
    with pytest.raises(UnknownAdapterError, match=r"'c'.*one of a, b"):
        pick("adapter", ["a", "c"], ("a", "b"), UnknownAdapterError)
    with pytest.raises(UnknownAdapterError, match="expected none"):
        pick("adapter", "c", (), UnknownAdapterError)


@pytest.mark.parametrize("wanted", [3, [1], [["a"]], {"a": 1}.items()])
def test_what_is_no_name_is_refused(wanted: object) -> None:
    with pytest.raises(OptionError, match="by name"):
        pick("adapter", wanted, ("a",), UnknownAdapterError)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [1, 4, np.int64(2)])
def test_a_number_in_its_range_passes(value: object) -> None:
    in_range("batch", value, low=1, high=4, whole=True)
    in_range("batch", value, above=0)


@pytest.mark.parametrize(
    ("value", "bounds", "words"),
    [
        (0, {"low": 1, "whole": True}, "a whole number of at least 1; got 0"),
        (1.5, {"low": 1, "whole": True}, "a whole number of at least 1; got 1.5"),
        (True, {"low": 1, "whole": True}, "a whole number of at least 1; got True"),
        ("2", {"low": 1}, "a number of at least 1; got '2'"),
        (None, {"low": 1}, "a number of at least 1; got None"),
        (1.01, {"low": 0, "high": 1}, "a number from 0 to 1; got 1.01"),
        (float("nan"), {}, "a number; got nan"),
        (float("nan"), {"low": 0, "high": 1}, "a number from 0 to 1; got nan"),
        (0.0, {"above": 0}, "a number greater than 0; got 0.0"),
    ],
)
def test_a_number_out_of_range_is_told_what_would_be_right(
    value: object, bounds: dict[str, Any], words: str
) -> None:
    with pytest.raises(OptionError, match=f"batch is out of range; expected {re.escape(words)}"):
        in_range("batch", value, **bounds)


def test_config_is_checked_by_name_and_range() -> None:
    config = {"min_weight": 0.05, "max_batch": 4, "model": "graph", "openvino": {"X": 1}}
    options = Options.parse(config, ["openvino", "onnxruntime"], ["host", "graph"])
    assert (options.min_weight, options.max_batch, options.model) == (0.05, 4, "graph")
    assert options.runtime == {"openvino": {"X": 1}}
    assert Options.parse(None, [], []) == Options()


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (
            {"minweight": 0},
            "tile_overlap, site, fallback, warm_up, openvino",
        ),
        ({"min_weight": 2}, "from 0 to 1"),
        ({"min_weight": "0"}, "from 0 to 1"),
        ({"min_weight": float("nan")}, "from 0 to 1"),
        ({"max_batch": 0}, "at least 1"),
        ({"max_batch": True}, "at least 1"),
        ({"max_batch": 1.5}, "at least 1"),
        ({"tile_overlap": 0.9}, "0.75"),
        ({"openvino": 1}, "dict"),
        ({"openvino": {3: 1}}, "dict"),
        ({"runtime": {}}, "one of model"),
        ({"model": "fast"}, "'model'.*one of auto, host, graph"),
        ([("min_weight", 0)], "dict"),
    ],
)
def test_a_wrong_config_is_told_what_would_be_right(config: object, words: str) -> None:
    with pytest.raises(OptionError, match=words):
        Options.parse(config, ["openvino"], ["host", "graph"])  # type: ignore[arg-type]


def test_the_log_level_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    before = logs.LOG.level, list(logs.LOG.handlers)
    read = logs.configure.__wrapped__  # bypasses the cache that makes it run once
    try:
        monkeypatch.setenv("SAKEDGE_LOG", "Debug")
        read()
        assert logs.LOG.level == logging.DEBUG
        monkeypatch.setenv("SAKEDGE_LOG", "loud")
        with pytest.raises(OptionError, match="debug, info"):
            read()
    finally:
        logs.LOG.level, logs.LOG.handlers = before
