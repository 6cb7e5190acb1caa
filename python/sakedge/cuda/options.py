"""The options in `config["cuda"]`, checked by name and range."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sakedge.errors import OptionError, shown

_Batch = Annotated[int, Field(ge=1, le=1024)]


class CudaOptions(BaseModel):
    """Options of the backend cuda.

    Attributes:
        graphs: Most CUDA graphs that are kept, one for each shape of a call; the one that was not
            used for longest goes first.
        capture: Numbers of images of which the graph is made when the student is loaded, with all
            its tasks and adapters, so that no call waits for it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    # A description is what an error says was expected.
    graphs: int = Field(default=16, ge=1, le=1024, description="a whole number from 1 to 1024")
    capture: tuple[_Batch, ...] = Field(
        default=(), max_length=64, description="a list of numbers of images, each at least 1"
    )

    @classmethod
    def parse(cls, config: Mapping[str, Any], most: int) -> CudaOptions:
        """Checks a configuration.

        Args:
            config: Options by name.
            most: Most images of a run, which no batch of `capture` exceeds.

        Raises:
            OptionError: An unknown name, or a value out of range.
        """
        for name in config:
            if name not in cls.model_fields:
                raise OptionError(
                    "config['cuda'] has an unknown option",
                    expected=f"one of {', '.join(cls.model_fields)}",
                    got=shown(name),
                )
        values = dict(config)
        if isinstance(values.get("capture"), list):
            values["capture"] = tuple(values["capture"])
        try:
            options = cls(**values)
        except ValidationError as error:
            name = str(error.errors(include_url=False)[0]["loc"][0])
            raise OptionError(
                f"config['cuda'][{name!r}] is wrong",
                expected=cls.model_fields[name].description,
                got=shown(config[name]),
            ) from None
        if max(options.capture, default=0) > most:
            raise OptionError(
                "config['cuda']['capture'] has a batch larger than any run",
                expected=f"at most max_batch, {most}",
                got=str(max(options.capture)),
            )
        return options
