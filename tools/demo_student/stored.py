"""A student file and the torch model: into it for training, and out of it with a new adapter."""

import re
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tools.demo_student.model import Student
from torch import Tensor, nn

from sakedge.format import AdapterInfo, Manifest, StudentFile, write_student
from sakedge.format.schema import NO_DIGEST

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
            copied = state[_official(_renamed(name, names[-1], new))]
            _fill(copied, value.t() if value.ndim == 2 else value)
    return student.eval().requires_grad_(False)


def _fill(target: Tensor, value: Tensor) -> None:
    """Set a tensor; of a gate the first rows, as the others are the new expert's or noise."""
    target[: len(value)] = value
    target[len(value) :] = 0


def write_with_adapter(base: Path, student: Student, adapter: AdapterInfo, path: Path) -> Manifest:
    """Write the student of `base` with one more adapter, every stored weight as it is there.

    Args:
        base: a student file, weights in floats.
        student: that student in torch, with the adapter and its rows in the gates trained.
        adapter: what the manifest says of it.
        path: where to write.
    """
    with StudentFile.open(base) as file:
        old = file.manifest
        components = {name: dict(file.component(name)) for name in old.components}
    like, state = old.adapter_names[-1], student.state_dict()
    shape_of = components[f"adapters.{like}"]

    def trained(name: str) -> NDArray[np.generic]:
        value = state[_official(name)]
        if re.match(r"tsap\..*\.up\.", name):  # the format has the scale folded in
            value = value * state[f"{_official(name).partition('.up.')[0]}.scale"]
        return (value.t() if value.ndim == 2 else value).numpy()

    components[f"adapters.{adapter.name}"] = {
        name: trained(name).astype(values.dtype)
        for name, values in ((_renamed(n, like, adapter.name), v) for n, v in shape_of.items())
    }
    expert = 1 + len(old.adapters)
    for task in old.task_names:
        router = components[f"routers.{task}"]
        for name in [name for name in router if ".gate." in name]:
            row = trained(name)[..., expert : expert + 1].astype(router[name].dtype)
            router[name] = np.concatenate([router[name], row], -1)
    added = {"adapters": (*old.adapters, adapter), "quality": ()}
    digests = {"digests": dict.fromkeys(components, NO_DIGEST)}  # the writer computes them
    return write_student(path, old.model_copy(update=added | digests), components)


def write_without_adapter(source: Path, adapter: str, path: Path) -> Manifest:
    """Write a student as it was before its last adapter was added.

    Args:
        source: a student file, weights in floats.
        adapter: its last adapter.
        path: where to write.

    Raises:
        ValueError: The adapter is not the last one.
    """
    with StudentFile.open(source) as file:
        old = file.manifest
        if old.adapter_names[-1:] != (adapter,):
            raise ValueError(f"the last adapter of {source} is not {adapter}")
        components = {name: dict(file.component(name)) for name in old.components}
    del components[f"adapters.{adapter}"]
    for task in old.task_names:
        router = components[f"routers.{task}"]
        router.update({n: v[..., :-1] for n, v in router.items() if ".gate." in n})
    fewer = {"adapters": old.adapters[:-1], "quality": ()}
    digests = {"digests": dict.fromkeys(components, NO_DIGEST)}  # the writer computes them
    return write_student(path, old.model_copy(update=fewer | digests), components)


def _renamed(name: str, like: str, adapter: str) -> str:
    """A tensor of one adapter as another's."""
    return re.sub(rf"\b{like}\b", adapter, name)
