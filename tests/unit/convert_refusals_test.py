"""Every checkpoint and configuration that is refused, each with its own message."""

from __future__ import annotations

import builtins
import collections
import os
import pickle
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from numpy.typing import NDArray
from tests.support.files import without_rights
from tools.checkpoint import load_state, make_checkpoint, save_state

from sakedge.convert import convert
from sakedge.errors import CheckpointError, OptionError, SakedgeError, StorageError

State = dict[str, NDArray[Any]]


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    return make_checkpoint(tmp_path, width=48, blocks=4, attention_heads=3)


def _refused(
    pair: tuple[Path, Path], reason: str, kind: type[SakedgeError] = CheckpointError, **options: Any
) -> None:
    out = pair[1].with_name("student.onnx")
    with pytest.raises(kind, match=reason):
        convert(*pair, out, **options)
    assert not os.path.lexists(out)


def _edit_state(pair: tuple[Path, Path], edit: Callable[[State], Any]) -> None:
    state = load_state(pair[0])
    edit(state)
    save_state(pair[0], state)


def _edit_config(pair: tuple[Path, Path], edit: Callable[[dict[str, Any]], Any]) -> None:
    config = yaml.safe_load(pair[1].read_text())
    edit(config)
    pair[1].write_text(yaml.safe_dump(config, sort_keys=False))


QKV = "backbone.vit.blocks.0.attn.qkv.weight"
VARIANCE = "heads.edge.linear_fuse.1.running_var"


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (lambda s: s.pop(QKV), f"lacks {QKV}"),
        (
            lambda s: s.update(extra=s[QKV]),
            "holds extra, which its configuration does not describe",
        ),
        (lambda s: s.update({QKV: s[QKV][:-1]}), r"qkv.weight has the wrong shape.*\[144, 48\]"),
        (lambda s: s.update({QKV: s[QKV] * np.nan}), "qkv.weight holds NaN"),
        (lambda s: s.update({VARIANCE: s[VARIANCE] * np.inf}), "running_var holds NaN or inf"),
        (lambda s: s.update({VARIANCE: -s[VARIANCE]}), "negative variance"),
        (
            lambda s: [s.pop(key) for key in list(s) if "tsap.sam" in key],
            r"lacks backbone\.tsap\.sam.* and 21 more; .*got teachers dino;",
        ),
        (
            lambda s: [s.pop(key) for key in list(s) if ".mor." in key],
            r"lacks backbone\.mor\.0_defects.*more",
        ),
    ],
)
def test_a_state_dict_that_does_not_fit_is_refused(
    pair: tuple[Path, Path], edit: Callable[[State], Any], reason: str
) -> None:
    _edit_state(pair, edit)
    _refused(pair, reason)


def test_a_stage_one_checkpoint_is_called_that(pair: tuple[Path, Path]) -> None:
    def stage_one(state: State) -> None:
        for key in list(state):
            values = state.pop(key)
            if key.startswith("backbone.") and ".mor." not in key:
                state[key.removeprefix("backbone.")] = values

    _edit_state(pair, stage_one)
    _refused(pair, "stage-1 checkpoint.*no heads and no routers.*stage 2")


class _Evil:
    """Unpickles to a call of the system's shell."""

    def __init__(self, proof: Path) -> None:
        self.proof = proof

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.proof}",)


def test_a_pickle_with_code_is_refused_and_not_run(pair: tuple[Path, Path]) -> None:
    proof = pair[0].parent / "proof"
    state = torch.load(pair[0], weights_only=True)
    torch.save({**state, "extra": _Evil(proof)}, pair[0])
    _refused(pair, r"loading it would run code.*got a use of \w+\.system")
    pair[0].write_bytes(pickle.dumps({"model": _Evil(proof)}))
    _refused(pair, "not a torch checkpoint")
    assert not proof.exists()


@pytest.mark.parametrize(
    "content", [b"", b"text, no checkpoint", bytes(1000), b"PK\x03\x04" + bytes(100)]
)
def test_what_is_no_checkpoint_is_refused(pair: tuple[Path, Path], content: bytes) -> None:
    pair[0].write_bytes(content)
    _refused(pair, "not a torch checkpoint, or is damaged")


def test_a_truncated_checkpoint_is_refused(pair: tuple[Path, Path]) -> None:
    whole = pair[0].read_bytes()
    for share in (0.1, 0.5, 0.99):
        pair[0].write_bytes(whole[: int(share * len(whole))])
        _refused(pair, "not a torch checkpoint, or is damaged")


@pytest.mark.parametrize(
    "content", [[1, 2], {"model": [1]}, {"weights": 3}, collections.OrderedDict(a="b")]
)
def test_a_checkpoint_without_a_state_dict_is_refused(
    pair: tuple[Path, Path], content: Any
) -> None:
    torch.save(content, pair[0])
    _refused(pair, "holds no state dict")


def test_files_that_cannot_be_read_are_storage_errors(pair: tuple[Path, Path]) -> None:
    with without_rights(pair[0]):
        _refused(pair, "Permission denied", StorageError)
    with without_rights(pair[1]):
        _refused(pair, "Permission denied", StorageError)
    _refused((pair[0].parent, pair[1]), "Is a directory", StorageError)
    _refused((pair[0].parent / "missing.pth", pair[1]), "No such file", StorageError)
    _refused((pair[0], pair[1].parent / "missing.yml"), "No such file", StorageError)


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (lambda c: c.pop("student"), "student: Field required"),
        (lambda c: c["student"]["backbone"].pop("vit_name"), "vit_name: Field required"),
        (lambda c: c["student"]["backbone"].update(vit_name="vit_giant"), "'vit_giant'"),
        (lambda c: c["student"]["backbone"].update(router_type="soft"), "router_type"),
        (lambda c: c["student"]["backbone"].update(depth=6), "four levels"),
        (lambda c: c["student"]["backbone"].update(num_heads=5), "multiple of"),
        (lambda c: c.pop("input_size"), "gives no input size for data set 'site'"),
        (lambda c: c.pop("tasks"), "does not describe task 'defects'"),
        (lambda c: (c.pop("tasks"), c.pop("task_dict")), "names no task"),
        (lambda c: c["tasks"][0].update(classes=3), "4 labels for 3 classes"),
        (lambda c: c["tasks"][0].update(kind="guess"), r"tasks\.0\.kind"),
        (lambda c: c.update(teachers={"a/b": None, "sam": None}), "no valid student"),
        (lambda c: c.update(std=[1, 0, 1]), "std must be positive"),
        (lambda c: c.update(teachers={"sam": None}), "holds .*dino.* does not describe"),
        (lambda c: c["student"]["backbone"].update(noisy_gating=False), "has the wrong shape"),
        (lambda c: c["student"]["backbone"].update(down_ratio=2), "has the wrong shape"),
        (lambda c: c["student"]["backbone"].update(router_type="none"), "does not describe"),
        (lambda c: c.update(input_size=[64, 64]), "does not fit the input size.*Ask for a size"),
    ],
)
def test_a_configuration_that_does_not_fit_is_refused(
    pair: tuple[Path, Path], edit: Callable[[dict[str, Any]], Any], reason: str
) -> None:
    _edit_config(pair, edit)
    _refused(pair, reason)


@pytest.mark.parametrize("text", ["a: [", "!!python/object/apply:os.system [ls]", "\x00", "42", ""])
def test_a_file_that_is_no_configuration_is_refused(pair: tuple[Path, Path], text: str) -> None:
    pair[1].write_text(text)
    _refused(pair, r"config\.yml is (not YAML|not valid)")


def test_teachers_in_another_order_make_another_student(pair: tuple[Path, Path]) -> None:
    # Nothing in a checkpoint states the order of the experts; only the configuration does.
    first = convert(*pair, pair[0].parent / "a.onnx").manifest
    _edit_config(pair, lambda c: c.update(teachers=dict(reversed(c["teachers"].items()))))
    second = convert(*pair, pair[0].parent / "b.onnx").manifest
    assert second.adapter_names == tuple(reversed(first.adapter_names))


def test_a_field_of_a_task_that_is_misspelt_is_refused(pair: tuple[Path, Path]) -> None:
    _edit_config(pair, lambda c: c["tasks"][0].update(colours=[]))
    _refused(pair, "task defects has no field 'colours'")


def test_options_that_are_not_allowed_are_refused(pair: tuple[Path, Path]) -> None:
    _refused(pair, "expected fp32 or fp16; got 'int3'", OptionError, dtype="int3")
    _refused(pair, "expected one of pad, letterbox, tile", OptionError, fit="stretch")
    _refused(pair, "multiples of 16; got 64 x 100", OptionError, size=(64, 100))
    _refused(pair, "multiples of 16; got 0 x 64", OptionError, size=(0, 64))


def test_weights_too_large_for_fp16_are_refused(pair: tuple[Path, Path]) -> None:
    _edit_state(pair, lambda s: s.update({QKV: s[QKV] + 1e6}))
    _refused(pair, r"qkv\.weight does not fit in fp16.*Convert to fp32", dtype="fp16")


def test_without_torch_or_yaml_the_message_says_what_to_install(
    pair: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__
    for missing in ("torch", "yaml"):

        def without(name: str, *args: Any, missing: str = missing, **kwargs: Any) -> Any:
            if name.split(".")[0] == missing:
                raise ImportError(name)
            return real(name, *args, **kwargs)

        with monkeypatch.context() as patch:
            patch.setattr(builtins, "__import__", without)
            _refused(pair, r"needs .*pip install 'sakedge\[convert\]'")


def test_lora_factors_without_a_scale_a_partner_or_the_right_shape_are_refused(
    tmp_path: Path,
) -> None:
    pair = make_checkpoint(tmp_path, width=48, blocks=4, attention_heads=3, lora=True)
    layer = "backbone.vit.base_model.model.blocks.0.attn.qkv"
    whole = pair[1].read_text()
    _edit_config(pair, lambda c: c["student"]["backbone"].pop("lora_config"))
    _refused(pair, "does not say how to scale")
    pair[1].write_text(whole)
    _edit_config(pair, lambda c: c["student"]["backbone"]["lora_config"].update(r=8))
    _refused(pair, "factors of .* have the wrong shapes")
    _edit_config(
        pair, lambda c: c["student"]["backbone"]["lora_config"].update(r=4, alpha_pattern={"a": 1})
    )
    _refused(pair, "alpha_pattern")
    pair[1].write_text(whole)
    state = load_state(pair[0])
    save_state(pair[0], {k: v for k, v in state.items() if k != f"{layer}.lora_B.default.weight"})
    _refused(pair, "not its lora_B")
    save_state(pair[0], {k: v for k, v in state.items() if k != f"{layer}.base_layer.weight"})
    _refused(pair, r"LoRA factors for .*qkv\.weight, but not")


def test_torch_is_not_imported_before_it_is_needed() -> None:
    import sys

    code = "import sys, sakedge.convert; sys.exit('torch' in sys.modules or 'yaml' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
