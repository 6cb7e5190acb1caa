"""Reads the training's config.yml: only the fields that say what the student is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from sakedge.convert.datasets import DATASETS
from sakedge.errors import CheckpointError, StorageError
from sakedge.format import Architecture
from sakedge.tasks import TaskInfo

PATCH = 16

# width, blocks, attention heads of the ViTs that the paper trains, and of timm's vit_tiny
_VITS = {
    "vit_tiny": (192, 12, 3),
    "vit_small": (384, 12, 6),
    "vit_base": (768, 12, 12),
    "vit_large": (1024, 24, 16),
}
Positive = Annotated[int, Field(ge=1)]
Triple = tuple[float, float, float]


class _Part(BaseModel):
    # The training's own fields (optimizer and so on) are ignored.
    model_config = ConfigDict(frozen=True, extra="ignore")


class Lora(_Part):
    """The fields of peft's `LoraConfig` that decide the merged weight; defaults are peft's."""

    r: Positive = 8
    lora_alpha: float = 8
    use_rslora: bool = False
    alpha_pattern: dict[str, Any] = {}
    rank_pattern: dict[str, Any] = {}

    @property
    def scaling(self) -> float:
        """Factor of B @ A."""
        return self.lora_alpha / (self.r**0.5 if self.use_rslora else self.r)


class _Backbone(_Part):
    vit_name: str
    down_ratio: Positive = 4
    router_type: Literal["mor", "none"] = "mor"
    noisy_gating: bool = True
    lora_config: Lora | None = None
    embed_dim: Positive | None = None
    depth: Positive | None = None
    num_heads: Positive | None = None


class _Student(_Part):
    backbone: _Backbone


class Teacher(_Part):
    """One teacher: the model it is, and the licence of the adapter path distilled from it."""

    backbone_type: str | None = None
    license: str | None = None


class TrainingConfig(_Part):
    """The fields of config.yml that matter.

    Attributes:
        dataset: `pascalcontext`, `nyud`, or a site's own name.
        task_dict: The tasks in order (the official file's counts are ignored).
        teachers: The teachers in the order of the experts.
        student: Its `backbone` gives sizes and router. `embed_dim`, `depth` and `num_heads`, which
            the official files do not have, describe a ViT of another size.
        tasks: A site's own tasks: name, kind, classes, labels, colors, unit.
        input_size: Height and width if they are not the data set's.
        mean: Per channel, if not ImageNet's.
        std: Per channel, if not ImageNet's.
    """

    dataset: str | None = None
    task_dict: dict[str, Any] | None = None
    teachers: dict[str, Teacher | None] | None = None
    student: _Student
    tasks: tuple[TaskInfo, ...] | None = None
    input_size: tuple[Positive, Positive] | None = None
    mean: Triple | None = None
    std: Triple | None = None

    @field_validator("tasks")
    @classmethod
    def _fields_are_known(cls, tasks: tuple[TaskInfo, ...] | None) -> tuple[TaskInfo, ...] | None:
        # A manifest keeps unknown fields; in a file written by hand they are typing errors.
        for task in tasks or ():
            if task.model_extra:
                raise ValueError(f"task {task.name} has no field {min(task.model_extra)!r}")
        return tasks

    @property
    def backbone(self) -> _Backbone:
        """The student's backbone."""
        return self.student.backbone

    @property
    def all_teachers(self) -> dict[str, Teacher]:
        """The teachers in the order of the experts, none of them empty."""
        return {name: teacher or Teacher() for name, teacher in (self.teachers or {}).items()}

    def architecture(self) -> Architecture:
        """Sizes of the network.

        Raises:
            CheckpointError: The vit is not supported.
        """
        backbone = self.backbone
        if backbone.vit_name not in _VITS:
            raise CheckpointError(
                "student.backbone.vit_name is not supported",
                expected=f"one of {', '.join(_VITS)}",
                got=repr(backbone.vit_name),
            )
        width, blocks, heads = _VITS[backbone.vit_name]
        width = backbone.embed_dim or width
        return Architecture(
            width=width,
            blocks=backbone.depth or blocks,
            heads=backbone.num_heads or heads,
            patch=PATCH,
            mlp=4 * width,
            router=backbone.router_type,
        )

    def levels(self) -> tuple[int, ...]:
        """The four levels: the last block of each quarter."""
        quarter, rest = divmod(self.architecture().blocks, 4)
        if rest:
            raise CheckpointError(f"{quarter * 4 + rest} blocks do not divide into four levels")
        return tuple(quarter * (i + 1) - 1 for i in range(4))

    def size(self) -> tuple[int, int]:
        """Height and width that the student was trained for."""
        if self.input_size is not None:
            return self.input_size
        if self.dataset in DATASETS:
            return DATASETS[self.dataset].input_size
        raise CheckpointError(
            f"the configuration gives no input size for data set {self.dataset!r}",
            expected=f"`input_size: [H, W]`, or one of {', '.join(DATASETS)}",
        )

    def task_infos(self) -> tuple[TaskInfo, ...]:
        """The tasks in order, described by the file itself or by the data set."""
        known = dict(DATASETS[self.dataset].tasks) if self.dataset in DATASETS else {}
        known |= {task.name: task for task in self.tasks or ()}
        names = self.task_dict if self.task_dict else [task.name for task in self.tasks or ()]
        if not names:
            raise CheckpointError("the configuration names no task", expected="`task_dict`")
        unknown = [name for name in names if name not in known]
        if unknown:
            raise CheckpointError(
                f"the configuration does not describe task {unknown[0]!r}",
                expected="an entry under `tasks` with name, kind and classes",
                got=f"descriptions of {', '.join(known) or 'no task'}",
            )
        return tuple(known[name] for name in names)


def read_config(path: Path) -> TrainingConfig:
    """Reads config.yml.

    Raises:
        StorageError: It cannot be read.
        CheckpointError: It is not YAML, or a field is missing or invalid.
    """
    try:
        import yaml
    except ImportError as error:
        raise CheckpointError(
            "reading config.yml needs PyYAML", remedy="Run: pip install 'sakedge[convert]'"
        ) from error
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise StorageError(f"cannot read {path}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise CheckpointError(f"{path.name} is not YAML: {error}") from error
    try:
        return TrainingConfig.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the whole file"
        raise CheckpointError(f"{path.name} is not valid: {place}: {first['msg']}") from error
