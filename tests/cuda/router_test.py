"""The routers of a level, and the weights that come of them, against float64."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.cuda import shapes
from tests.cuda.arithmetic import ARITHMETICS, F16, Arithmetic, U
from tests.cuda.emulator import Emulator
from tests.cuda.reference import (
    NORM_EPSILON,
    double,
    gelu,
    gelu_error,
    layer_norm,
    layer_norm_error,
    product,
    product_error,
)

IMAGE = np.array([1, 0], np.int32)  # the image of each run
TEMPLATES = {24: 32, 32: 32, 88: 96, 192: 192, 384: 384, 500: 512}  # of a real width


@dataclass
class Router:
    """Level 1 of a router."""

    arithmetic: Arithmetic
    channels: int
    width: int
    experts: int
    seed: int
    weight: NDArray[Any] = field(init=False)

    def __post_init__(self) -> None:
        random = np.random.default_rng(self.seed)
        weight = random.standard_normal((self.width, self.channels), np.float32)
        self.weight = self.arithmetic.array(weight / self.channels**0.5)
        self.bias, self.gamma, self.beta = random.standard_normal((3, self.width), np.float32)
        self.gate = random.standard_normal((self.experts, self.width), np.float32)
        self.gate_bias = random.standard_normal(self.experts, np.float32)

    def table(self, emulator: Emulator) -> Any:
        hidden = {"weight": self.weight, "bias": self.bias, "out": self.width}
        level = {
            "hidden": hidden | {"in": self.channels},
            "norm": {"gamma": self.gamma, "beta": self.beta},
            "gate": self.gate,
            "gate_bias": self.gate_bias,
        }
        return emulator.structs("RouterLevel", [{}, level])

    def expected(self, x: NDArray[np.float32]) -> tuple[NDArray[Any], NDArray[Any]]:
        """The sum of the hidden values over tokens, and how far float32 may be off it."""
        operand = self.arithmetic.array(x)
        v = product(operand, self.weight) + self.bias
        error = product_error(operand, self.weight) + U * np.abs(v)
        y = layer_norm(v, self.gamma, self.beta, NORM_EPSILON)
        error = layer_norm_error(v, error, self.gamma, self.beta, NORM_EPSILON)
        error = gelu_error(y, error)
        y = gelu(y)
        return y.sum(0), (error + len(x) * U * (np.abs(y) + error)).sum(0)


def tables(emulator: Emulator, routers: list[list[Router | None]]) -> Any:
    levels = [None if r is None else r.table(emulator) for run in routers for r in run]
    return emulator.pointers(levels)


@pytest.mark.parametrize("arithmetic", ARITHMETICS, ids=lambda a: a.name)
@pytest.mark.parametrize("width", TEMPLATES)
def test_hidden_values_are_added_up_over_each_tile_of_tokens(
    emulator: Emulator, arithmetic: Arithmetic, width: int
) -> None:
    channels, tokens = 80, 70
    routers = [
        [Router(arithmetic, channels, width, 3, 1), None],
        [Router(arithmetic, channels, 16, 3, 2), Router(arithmetic, channels, width, 3, 3)],
    ]
    shape = (2, 1 + tokens, channels)
    x = 30 * np.random.default_rng(4).standard_normal(shape, np.float32)
    sums = np.full((2, 2, 2, width), np.nan, np.float32)
    template = TEMPLATES[width]
    stats = emulator.launch(
        f"router_{arithmetic.name}_{template}",
        grid=(2, 2, 2),
        shared=shapes.router_shared(template),
        args={
            "x": x,
            "sums": sums,
            "image": IMAGE,
            "routers": tables(emulator, routers),
            "level": 1,
            "tokens": tokens,
            "channels": channels,
            "tasks": 2,
            "width": width,
        },
        seed=width,
    )
    assert stats.bank_conflicts == 0
    for run, row in enumerate(routers):
        for task, router in enumerate(row):
            for tile in range(2):
                got = sums[run, task, tile]
                size = 0 if router is None else router.width
                assert np.isnan(got[size:]).all()
                if router is not None:
                    first = 1 + tile * shapes.TOKEN_TILE
                    rows = x[IMAGE[run], first : first + shapes.TOKEN_TILE]
                    expected, error = router.expected(rows)
                    np.testing.assert_array_less(np.abs(got[:size] - expected), error)


@pytest.mark.parametrize("tokens", [1, 63, 128])
def test_any_number_of_tokens_in_any_schedule(emulator: Emulator, tokens: int, long: bool) -> None:
    router = Router(F16, 48, 24, 3, 1)
    x = np.random.default_rng(4).standard_normal((1, 1 + tokens, 48), np.float32)
    tiles = shapes.ceil_div(tokens, shapes.TOKEN_TILE)
    results = []
    for seed in range(30 if long else 3):
        sums = np.full((tiles, 24), np.nan, np.float32)
        emulator.launch(
            "router_f16_32",
            grid=(tiles, 1, 1),
            shared=shapes.router_shared(32),
            args={
                "x": x,
                "sums": sums,
                "image": np.zeros(1, np.int32),
                "routers": tables(emulator, [[router]]),
                "level": 1,
                "tokens": tokens,
                "channels": 48,
                "tasks": 1,
                "width": 24,
            },
            seed=seed,
            late_copies=seed % 2 == 0,
        )
        results.append(sums)
    for tile, got in enumerate(results[0]):
        first = 1 + tile * shapes.TOKEN_TILE
        expected, error = router.expected(x[0, first : first + shapes.TOKEN_TILE])
        np.testing.assert_array_less(np.abs(got - expected), error)
    for other in results[1:]:
        np.testing.assert_array_equal(other, results[0])


def weigh(
    emulator: Emulator,
    routers: list[Router | None],
    present: list[bool],
    sums: NDArray[np.float32],
    min_weight: float,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Routing and mixing [tasks, levels, experts] of one run on 100 tokens."""
    tasks, tiles, width = sums.shape
    experts = 1 + len(present)
    routing, mixing = np.full((2, tasks, 3, experts), np.nan, np.float32)
    path = emulator.struct("Path", {})
    emulator.launch(
        "weigh",
        grid=(tasks, 1, 1),
        shared=4 * (width + experts),
        args={
            "sums": sums,
            "routers": tables(emulator, [routers]),
            "paths": emulator.pointers([path if p else None for p in present]),
            "routing": routing,
            "mixing": mixing,
            "level": 1,
            "levels": 3,
            "tokens": 100,
            "tiles": tiles,
            "tasks": tasks,
            "slots": len(present),
            "width": width,
            "min_weight": min_weight,
        },
    )
    assert np.isnan(routing[:, [0, 2]]).all()
    assert np.isnan(mixing[:, [0, 2]]).all()
    return routing[:, 1], mixing[:, 1]


@pytest.mark.parametrize("present", [[True] * 5, [False, True, True, False, True], [False] * 5])
def test_weights_are_a_softmax_over_the_experts_that_take_part(
    emulator: Emulator, present: list[bool]
) -> None:
    routers = [Router(F16, 8, 200, 6, 1), Router(F16, 8, 24, 6, 2)]
    sums = 30 * np.random.default_rng(3).standard_normal((2, 2, 200), np.float32)
    routing, mixing = weigh(emulator, [*routers], present, sums, 0.2)
    takes_part = np.array([True, *present])
    for task, router in enumerate(routers):
        parts = double(sums[task, :, : router.width])
        pooled = parts.sum(0) / 100
        gate = double(router.gate)
        logits = np.where(takes_part, gate @ pooled + router.gate_bias, -np.inf)
        weights = np.exp(logits - logits.max())
        weights /= weights.sum()
        # Two additions or so and a division for the pooled, a sum of width, then the bias.
        terms = np.abs(gate) @ np.abs(parts).sum(0) / 100 + np.abs(router.gate_bias)
        off = (router.width + 4) * U * terms
        # e^d is off by the logits' errors, the rounded factor log2(e), product and power.
        spread = np.ptp(logits[takes_part])
        relative = 2 * off.max() + 4 * U * spread + 2.0**-22 + len(takes_part) * U + 2 * U
        error = 1.1 * relative * weights
        assert (np.abs(routing[task] - weights) <= error).all()
        kept = routing[task].copy()
        kept[1:][kept[1:] < np.float32(0.2)] = 0.0
        np.testing.assert_array_equal(mixing[task], kept)


def test_without_a_router_all_that_take_part_weigh_one(emulator: Emulator) -> None:
    sums = np.full((1, 2, 24), np.nan, np.float32)
    routing, mixing = weigh(emulator, [None], [False, True], sums, 0.5)
    np.testing.assert_array_equal(routing, [[1, 0, 1]])
    np.testing.assert_array_equal(mixing, [[1, 0, 1]])


def test_a_student_without_paths_is_its_stem(emulator: Emulator) -> None:
    sums = np.zeros((1, 1, 24), np.float32)
    routing, mixing = weigh(emulator, [Router(F16, 8, 24, 1, 2)], [], sums, 0.5)
    np.testing.assert_array_equal(routing, [[1]])
    np.testing.assert_array_equal(mixing, [[1]])
