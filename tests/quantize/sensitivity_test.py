"""The search strategy, on students whose harm is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from sakedge.format import Manifest, StudentFile
from sakedge.quantizing.sensitivity import Group, groups_of, keep


@pytest.fixture(scope="module")
def manifest(tiny_student: Path) -> Manifest:
    with StudentFile.open(tiny_student) as file:
        return file.manifest


class Model:
    """Each part does some harm; together it is too much beyond 1."""

    def __init__(self, harms: Mapping[str, float]) -> None:
        self.harms = harms
        self.runs = 0

    def harm(self, name: str, parts: Sequence[str]) -> float:
        self.runs += 1
        return sum(self.harms.get(part, 0.001) for part in parts)

    def passes(self, floats: Sequence[str]) -> bool:
        self.runs += 1
        return sum(h for part, h in self.harms.items() if part not in floats) <= 1


def test_groups_hold_every_part_once(manifest: Manifest) -> None:
    parts = [part for group in groups_of(manifest) for part in group.parts]
    layers = [
        f"stem.blocks.{i}.{layer}"
        for i in range(4)
        for layer in ("attn.qkv", "attn.proj", "mlp.fc1", "mlp.fc2")
    ]
    others = [name for name in manifest.components if name != "stem"]
    assert sorted(parts) == sorted([*layers, *others])


@pytest.mark.parametrize(
    "harmful",
    [
        ("stem.blocks.2.mlp.fc2",),
        ("stem.blocks.0.attn.qkv", "stem.blocks.3.mlp.fc2", "heads.edge"),
        ("adapters.sam",),
        ("routers.edge", "heads.edge"),
    ],
)
def test_what_ruins_a_task_is_kept_and_nothing_else(
    manifest: Manifest, harmful: tuple[str, ...]
) -> None:
    model = Model(dict.fromkeys(harmful, 50.0))
    assert sorted(keep(groups_of(manifest), model.harm, model.passes)) == sorted(harmful)
    assert model.runs < 60


def test_the_worst_are_kept_first_and_no_more_than_needed(manifest: Manifest) -> None:
    model = Model({"heads.edge": 0.5, "heads.sal": 0.3, "stem.blocks.1.mlp.fc1": 0.9})
    assert keep(groups_of(manifest), model.harm, model.passes) == ("stem.blocks.1.mlp.fc1",)


def test_what_computes_no_number_is_the_worst() -> None:
    groups = [Group("a"), Group("b"), Group("c")]
    harms = {"a": 5.0, "b": float("nan"), "c": 1.0}
    kept = keep(groups, lambda name, parts: harms[name], lambda floats: "b" in floats)
    assert kept == ("b",)
