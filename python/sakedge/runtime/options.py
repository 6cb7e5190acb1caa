"""The advanced options of `load(config=…)`, checked by name and range."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sakedge.errors import OptionError
from sakedge.images.tiling import OVERLAP


@dataclass(frozen=True)
class Options:
    """Advanced options.

    Attributes:
        min_weight: An adapter path whose routing weight stays below it is not run; 0 is exact.
        max_batch: Most images in one run of the stem. On a CPU nothing is faster than one at a
            time, which takes the least memory.
        tile_overlap: Smallest overlap of neighbouring tiles, as a share of a tile's side.
        runtime: The backend's own options, from the entry that bears its name.
    """

    min_weight: float = 0.0
    max_batch: int = 1
    tile_overlap: float = OVERLAP
    runtime: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @classmethod
    def parse(cls, config: Mapping[str, Any] | None, backends: Sequence[str]) -> Options:
        """Checks a configuration.

        Args:
            config: Options by name; also `{backend: {option: value}}`.
            backends: Names of the backends that there are.

        Raises:
            OptionError: An unknown name, or a value out of range.
        """
        if config is None:
            return cls()
        if not isinstance(config, Mapping):
            raise OptionError("config is no mapping", expected="a dict", got=type(config).__name__)
        values: dict[str, Any] = {}
        runtime: dict[str, Mapping[str, Any]] = {}
        for key, value in config.items():
            if key in _RANGES:
                expected, fits = _RANGES[key]
                _check(key, value, expected, _is_number(value) and fits(value))
                values[key] = value
            elif key in backends:
                _check(
                    key, value, "a dict of the runtime's own options", isinstance(value, Mapping)
                )
                runtime[key] = value
            else:
                known = ", ".join([*_RANGES, *backends])
                raise OptionError(
                    "config has an unknown option", expected=f"one of {known}", got=repr(key)
                )
        return cls(**values, runtime=runtime)


_RANGES: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "min_weight": ("a number from 0 to 1", lambda v: 0 <= v <= 1),
    "max_batch": ("a whole number of at least 1", lambda v: isinstance(v, int) and v >= 1),
    "tile_overlap": ("a number from 0 to 0.75", lambda v: 0 <= v <= 0.75),
}


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _check(key: str, value: object, expected: str, fits: bool) -> None:
    if not fits:
        raise OptionError(f"config[{key!r}] is wrong", expected=expected, got=repr(value))
