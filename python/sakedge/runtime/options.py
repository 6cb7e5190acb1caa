"""The advanced options of `load(config=…)`, checked by name and range."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sakedge.arguments import one_of
from sakedge.errors import OptionError, shown
from sakedge.files.paths import absolute_path
from sakedge.images.limits import MAX_PIXELS
from sakedge.images.tiling import OVERLAP
from sakedge.runtime.precision import STEMS
from sakedge.runtime.quality import UNVERIFIED

FALLBACKS = ("none", "cpu")
"""What may compute where the device that was named cannot."""


class Options(BaseModel):
    """Advanced options.

    Attributes:
        model: Which model runs: `host` the stem in a backend and the rest in our decoder, `graph`
            the whole graph in a backend, `cuda` all of it in our kernels on a GPU, `auto` the one
            that suits.
        choice: A file of `sakedge benchmark --choose -o` that pins model, backend and stem.
        stem: The stem's precision, one that the student's may have at the precision asked for:
            `int8` for a quantised stem, `bf16` or `fp32`; `auto` goes by evidence.
        unverified: Whether what the file records no quality for may run: `allow` or `refuse`.
        min_weight: An adapter path whose routing weight stays below it is not run; 0 is exact.
        max_batch: Most images in one run of the stem; None is what suits the model. On a CPU
            nothing is faster than one at a time, which takes the least memory.
        max_pixels: Most pixels of an image; more are refused before they are decoded.
        tile_overlap: Smallest overlap of neighbouring tiles, as a share of a tile's side.
        site: Folder of the site's policy, keys and log; None is `/etc/sakedge`, if that has a
            policy.
        fallback: What computes instead where the device that was named cannot be used or is lost:
            `cpu`, or `none`, and it is an error.
        warm_up: Whether `load` runs an image, so that the first one of the line takes no longer
            than the second.
        runtime: The backend's own options, from the entry under its name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    # A description is what an error says was expected.
    model: str = Field(default="auto", description="the name of a model")
    choice: Path | None = Field(default=None, description="a file's path")
    stem: str = Field(default="auto", description="a precision of the stem")
    unverified: str = Field(default="allow", description="allow or refuse")
    min_weight: float = Field(default=0.0, ge=0, le=1, description="a number from 0 to 1")
    max_batch: int | None = Field(default=None, ge=1, description="a whole number of at least 1")
    max_pixels: int = Field(
        default=MAX_PIXELS, ge=1, le=1 << 40, description="a whole number of at least 1"
    )
    tile_overlap: float = Field(
        default=OVERLAP, ge=0, le=0.75, description="a number from 0 to 0.75"
    )
    site: Path | None = Field(default=None, description="a folder's path")
    fallback: str = Field(default="none", description="none or cpu")
    warm_up: bool = Field(default=False, description="True or False")
    runtime: Mapping[str, Mapping[str, Any]] = Field(
        default_factory=dict, description="a dict of the runtime's own options"
    )

    @property
    def paths(self) -> dict[str, str]:
        """The options that are paths, absolute: they hold in other folders and processes."""
        paths = {"choice": self.choice, "site": self.site}
        return {name: str(path) for name, path in paths.items() if path is not None}

    @classmethod
    def parse(
        cls, config: Mapping[str, Any] | None, backends: Sequence[str], models: Sequence[str]
    ) -> Options:
        """Checks a configuration.

        Args:
            config: Options by name; also `{backend: {option: value}}`.
            backends: Names of all backends.
            models: Names of all models.

        Raises:
            OptionError: An unknown name, or a value out of range.
            StorageError: `choice` or `site` is a path that no file can have.
        """
        if config is None:
            return cls()
        if not isinstance(config, Mapping):
            raise OptionError(
                "config is not a mapping", expected="a dict", got=type(config).__name__
            )
        own = [name for name in cls.model_fields if name != "runtime"]
        try:
            given = {**config}
        except Exception as error:  # keys that are no text, or a mapping of the caller's own
            raise OptionError(
                "config is not a mapping", expected="names and values", got=shown(config)
            ) from error
        for key in given:
            if key not in own and key not in backends:
                known = ", ".join([*own, *backends])
                raise OptionError(
                    "config has an unknown option", expected=f"one of {known}", got=shown(key)
                )
        values = {key: value for key, value in given.items() if key in own}
        runtime = {key: value for key, value in given.items() if key in backends}
        for path in ("choice", "site"):
            if values.get(path) is not None:
                values[path] = absolute_path(f"config[{path!r}]", values[path])
        one_of("config['model']", values.get("model", "auto"), ("auto", *models))
        one_of("config['stem']", values.get("stem", "auto"), ("auto", *STEMS))
        one_of("config['unverified']", values.get("unverified", "allow"), UNVERIFIED)
        one_of("config['fallback']", values.get("fallback", "none"), FALLBACKS)
        try:
            return cls(**values, runtime=runtime)
        except ValidationError as error:
            place = [str(part) for part in error.errors(include_url=False)[0]["loc"]]
            key = place[1] if place[0] == "runtime" else place[0]
            raise OptionError(
                f"config[{key!r}] is wrong",
                expected=cls.model_fields[place[0]].description,
                got=shown(given[key]),
            ) from None
