"""A student file and the torch model: into it for training, and out of it with a new adapter."""

import re
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tools.demo_student.model import Student
from torch import Tensor, nn

from sakedge.format import AdapterInfo, Manifest, StudentFile, write_student

# From the names of the format to those of the checkpoints (docs/model.md).
_RENAMED = (
    (r"^stem\.patch_embed\.", "backbone.vit.patch_embed.proj."),
    (r"^stem\.", "backbone.vit."),
    (r"^tsap\.", "backbone.tsap."),
    (r"^norms\.(\d+)\.(\w+)\.", r"backbone.out_norms.\1_\2."),
    (r"^mor\.(\d+)\.(\w+)\.hidden\.", r"backbone.mor.\1_\2.router.module.0."),
    (r"^mor\.(\d+)\.(\w+)\.norm\.", r"backbone.mor.\1_\2.router.module.1."),
    (r"^mor\.(\d+)\.(\w+)\.gate\.", r"backbone.mor.\1_\2.router.module.3."),
    (r"^(heads\.\w+)\.fuse\.weight", r"\1.linear_fuse.0.weight"),
    # The format has BatchNorm folded into the convolution: what is left of it adds the bias.
    (r"^(heads\.\w+)\.fuse\.bias", r"\1.linear_fuse.1.bias"),
    (r"^(heads\.\w+)\.last\.", r"\1.last_conv."),
)


def _official(name: str) -> str:
    """A tensor's name in a checkpoint."""
    for pattern, replacement in _RENAMED:
        renamed, found = re.subn(pattern, replacement, name)
        if found:
            return renamed
    return name


@torch.no_grad()
def load_stored(path: Path, *, new: str | None = None) -> Student:
    """A student file as a frozen torch model in evaluation mode.

    Args:
        path: the file, weights in floats.
        new: an adapter to add, which begins as a copy of the file's last one. Its rows in the
            routers' gates are zero.
    """
    with StudentFile.open(path) as file:
        names = file.manifest.adapter_names
        stored = {n: v for c in file.manifest.components for n, v in file.component(c).items()}
    student = Student(dict.fromkeys((*names, new) if new else names, 1))
    for module in student.modules():
        if isinstance(module, nn.BatchNorm2d):
            assert module.running_var is not None
            module.running_var.fill_(1 - module.eps)
    state = student.state_dict()
    for name, values in stored.items():
        value = torch.tensor(values).float()
        _fill(state[_official(name)], value.t() if value.ndim == 2 else value)
        if new and name.startswith(("tsap.", "norms.")):
            copied = re.sub(rf"\b{names[-1]}\b", new, name)
            _fill(state[_official(copied)], value.t() if value.ndim == 2 else value)
    return student.eval().requires_grad_(False)


def _fill(target: Tensor, value: Tensor) -> None:
    """Set a tensor; of a gate the first rows, as the others are the new expert's or noise."""
    target[: len(value)] = value
    target[len(value) :] = 0


def write_with_adapter(base: Path, student: Student, adapter: AdapterInfo, path: Path) -> Manifest:
    """Write the student of `base` with one more adapter, every stored weight as it is there.

    Args:
        base: a student file, its weights stored as fp16.
        student: that student in torch, with the adapter and its rows in the gates trained.
        adapter: what the manifest says of it.
        path: where to write.
    """
    state = student.state_dict()

    def half(name: str) -> NDArray[np.float16]:
        value = state[_official(name)]
        if re.match(r"tsap\..*\.up\.", name):
            value = value * state[f"{_official(name).partition('.up.')[0]}.scale"]
        return (value.t() if value.ndim == 2 else value).numpy().astype(np.float16)

    with StudentFile.open(base) as file:
        old = file.manifest
        components = {name: dict(file.component(name)) for name in old.components}
    like = old.adapter_names[-1]
    names = [re.sub(rf"\b{like}\b", adapter.name, name) for name in components[f"adapters.{like}"]]
    components[f"adapters.{adapter.name}"] = {name: half(name) for name in names}
    experts = 1 + len(old.adapters)
    for task in old.task_names:
        router = components[f"routers.{task}"]
        for name in [name for name in router if ".gate." in name]:
            router[name] = np.concatenate(
                [router[name], half(name)[..., experts : experts + 1]], -1
            )
    fields = {name: getattr(old, name) for name in Manifest.model_fields}
    fields |= {"adapters": (*old.adapters, adapter), "quality": ()}
    del fields["digests"], fields["graph_digest"]
    return write_student(path, Manifest.without_digests(**fields), components)
