"""The mixture of the experts and the heads' level linears against float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.cuda.arithmetic import ARITHMETICS, BF16, F16, SUM, Arithmetic, U
from tests.cuda.emulator import Emulator, Stats
from tests.cuda.reference import double

Array = NDArray[np.float64]
TOKENS = 64
"""Of a block."""
WIDTHS = (64, 96, 192, 256)


def shared(width: int) -> int:
    """As mix_shared() of heads_shape.h: k-tiles, or the results."""
    return max((2 * TOKENS + 4 * width) * 64, TOKENS * (2 * width + 16))


class Case:
    """Runs of tasks on images, and the experts they mix.

    Args:
        outs: The columns of each level, of every task; none: there is no head.
        mixing: [runs, tasks, 1 + slots] of `level`.
    """

    def __init__(
        self,
        arithmetic: Arithmetic,
        outs: list[list[int]],
        mixing: NDArray[Any],
        *,
        tokens: int = 9,
        channels: int = 40,
        level: int = 1,
    ) -> None:
        random = np.random.default_rng(tokens + channels)
        self.arithmetic = arithmetic
        self.outs, self.level, self.tokens, self.channels = outs, level, tokens, channels
        self.runs, self.tasks, experts = mixing.shape
        self.slots = experts - 1
        self.image = np.arange(self.runs, dtype=np.int32)[::-1].copy() // 2
        images = int(self.image.max()) + 1
        self.x = random.standard_normal((images, 1 + tokens, channels), np.float32)
        self.normed = arithmetic.array(
            random.standard_normal((self.runs, self.slots, tokens, channels), np.float32)
        )
        self.mixing = np.full((self.runs, self.tasks, len(outs[0]), experts), np.nan, np.float32)
        self.mixing[:, :, level] = mixing
        padded = -(-channels // 16) * 16
        here = [task[level] if task else 0 for task in outs]
        self.weights = [np.zeros((out, padded), np.float32) for out in here]
        for weight in self.weights:
            weight[:, :channels] = random.standard_normal((len(weight), channels))
        self.weights = [arithmetic.array(weight) for weight in self.weights]
        self.biases = [random.standard_normal(out, np.float32) for out in here]
        self.width = max(sum(task) for task in outs) + 3
        self.z = arithmetic.full((self.runs, self.tasks, tokens, self.width))

    def run(self, emulator: Emulator, width: int, **more: Any) -> Stats:
        heads: list[Any] = []
        for task, out in enumerate(self.outs):
            if not out:
                heads.append(None)
                continue
            linears: list[dict[str, Any]] = [{"out": n, "in": 16} for n in out]
            linears[self.level] = {
                "weight": self.weights[task],
                "bias": self.biases[task],
                "out": out[self.level],
                "in": -(-self.channels // 16) * 16,
            }
            head = emulator.struct("Head", {"linears": emulator.structs("Linear", linears)})
            heads.append(head)
        return emulator.launch(
            f"mix_{self.arithmetic.name}_{width}",
            grid=(-(-self.tokens // TOKENS), self.tasks, self.runs),
            shared=shared(width),
            args={
                "x": self.x,
                "normed": self.normed,
                "mixing": self.mixing,
                "image": self.image,
                "heads": emulator.pointers(heads * self.runs),
                "z": self.z,
                "level": self.level,
                "levels": len(self.outs[0]),
                "tokens": self.tokens,
                "channels": self.channels,
                "slots": self.slots,
                "tasks": self.tasks,
                "z_width": self.width,
            },
            **more,
        )

    def expected(self, run: int, task: int) -> tuple[Array, Array]:
        """The level's columns [tokens, out], and how far they may be off."""
        weights = double(self.mixing[run, task, self.level])
        experts = [double(self.x[self.image[run], 1:]), *double(self.normed[run])]
        parts = [w * e for w, e in zip(weights, experts, strict=True) if w != 0]
        zeros = np.zeros((self.tokens, self.channels))
        f = sum(parts, zeros)
        f_error = (len(parts) + 1) * U * sum((np.abs(p) for p in parts), zeros)
        f_error += self.arithmetic.rounding(np.abs(f) + f_error)
        w = double(self.weights[task])[:, : self.channels].T
        z = f @ w + self.biases[task]
        terms = (np.abs(f) + f_error) @ np.abs(w)
        error = f_error @ np.abs(w) + (self.channels + 32) * SUM * terms + U * np.abs(z)
        return z, error + self.arithmetic.rounding(np.abs(z) + error)

    def check(self) -> None:
        z = double(self.z)
        for run in range(self.runs):
            for task, out in enumerate(self.outs):
                if not out:
                    continue
                first = sum(out[: self.level])
                last = first + out[self.level]
                expected, error = self.expected(run, task)
                np.testing.assert_array_less(np.abs(z[run, task, :, first:last] - expected), error)
                z[run, task, :, first:last] = np.nan
        assert np.isnan(z).all()  # nothing else was written


def weights(runs: int, tasks: int, slots: int) -> NDArray[Any]:
    random = np.random.default_rng(slots)
    return random.dirichlet(np.ones(1 + slots), (runs, tasks)).astype(np.float32)


@pytest.mark.parametrize("arithmetic", ARITHMETICS, ids=lambda a: a.name)
@pytest.mark.parametrize("width", WIDTHS)
def test_ragged_tokens_channels_and_columns(
    emulator: Emulator, arithmetic: Arithmetic, width: int
) -> None:
    case = Case(arithmetic, [[3, width - 7, 2]], weights(1, 1, 2), tokens=70, channels=104)
    stats = case.run(emulator, width, seed=width)
    case.check()
    assert stats.bank_conflicts == 0


@pytest.mark.parametrize("channels", [8, 32, 48, 136])  # fewer k-tiles than stages, and more
def test_any_number_of_channels_in_any_schedule(
    emulator: Emulator, channels: int, long: bool
) -> None:
    for seed in range(40 if long else 3):
        case = Case(F16, [[16, 48]], weights(1, 1, 3), channels=channels)
        case.run(emulator, 64, seed=seed, late_copies=seed % 2 == 0)
        case.check()


def test_every_run_and_task_has_its_own_weights_and_image(emulator: Emulator) -> None:
    case = Case(BF16, [[16, 16, 16], [8, 24, 8], [1, 5, 2]], weights(3, 3, 2), level=2)
    case.run(emulator, 64)
    case.check()


@pytest.mark.parametrize("slots", [0, 1, 4, 6])
def test_any_number_of_paths(emulator: Emulator, slots: int) -> None:
    case = Case(F16, [[16]], weights(2, 1, slots), level=0)
    case.run(emulator, 64)
    case.check()


@pytest.mark.parametrize("absent", [[0], [1], [2, 5], [1, 2, 3, 4, 5]], ids=str)
def test_what_weighs_nothing_is_not_read(emulator: Emulator, absent: list[int]) -> None:
    mixing = weights(1, 1, 5)
    mixing[..., absent] = 0
    case = Case(F16, [[16]], mixing, level=0)
    for expert in absent:
        if expert == 0:
            case.x[:] = np.nan
        else:
            case.normed[0, expert - 1] = np.nan
    case.run(emulator, 64)
    case.check()


def test_a_linear_wider_than_the_tile_goes_in_rounds(emulator: Emulator) -> None:
    case = Case(F16, [[2, 150]], weights(1, 1, 1))
    case.run(emulator, 64)
    case.check()


def test_without_columns_or_head_nothing_is_written(emulator: Emulator) -> None:
    case = Case(F16, [[16, 0], [], [4, 12]], weights(2, 3, 1))
    case.run(emulator, 64)
    case.check()
