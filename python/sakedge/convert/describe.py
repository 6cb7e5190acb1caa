"""Describes a student from its training's configuration."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Any, Literal

from pydantic import ValidationError

from sakedge.convert.config import TrainingConfig
from sakedge.errors import CheckpointError
from sakedge.format import AdapterInfo, Manifest, Preprocess, Provenance, Storage
from sakedge.format.student.parts import Fit


def describe(
    training: TrainingConfig,
    *,
    size: tuple[int, int],
    dtype: Literal["fp32", "fp16"],
    fit: Fit,
    source_sha256: str,
) -> Manifest:
    """The manifest of the student to be, without digests and lineage.

    Raises:
        CheckpointError: The configuration describes no valid student.
    """
    colors = {"mean": training.mean, "std": training.std}
    try:
        architecture = training.architecture()
        parts: dict[str, Any] = {
            "architecture": architecture,
            "input_size": size,
            "levels": training.levels(),
            "tasks": training.task_infos(),
            "adapters": tuple(
                AdapterInfo(
                    name=name,
                    teacher=teacher.backbone_type or name,
                    license=teacher.license,
                    hidden=architecture.width // training.backbone.down_ratio,
                )
                for name, teacher in training.all_teachers.items()
            ),
            "preprocess": Preprocess(fit=fit, **{k: v for k, v in colors.items() if v is not None}),
            "storage": Storage.uniform(dtype),
            "provenance": Provenance(tool=f"sakedge {_version()}", source_sha256=source_sha256),
        }
        return Manifest.without_digests(**parts)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in (error.title, *first["loc"]))
        raise CheckpointError(
            f"the configuration describes no valid student: {place}: {first['msg']}"
        ) from error


def _version() -> str:
    try:
        return version("sakedge")
    except PackageNotFoundError:
        return "0+source"
