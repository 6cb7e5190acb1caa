from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from sakedge.format import AdapterInfo, Architecture, Manifest, Preprocess, Provenance, Storage
from sakedge.tasks import TaskInfo


def _architecture(**changes: Any) -> Architecture:
    sizes = {"width": 48, "blocks": 4, "heads": 3, "patch": 16, "mlp": 192, "router": "mor"}
    return Architecture(**{**sizes, **changes})


def _manifest(**changes: Any) -> Manifest:
    parts: dict[str, Any] = {
        "architecture": _architecture(),
        "input_size": (64, 96),
        "levels": (0, 1, 2, 3),
        "tasks": (TaskInfo(name="edge", kind="probability", classes=1),),
        "adapters": (AdapterInfo(name="sam", teacher="SAM", hidden=12),),
        "storage": Storage.uniform("fp32"),
        "provenance": Provenance(tool="test"),
    }
    return Manifest.without_digests(**{**parts, **changes})


def test_a_manifest_survives_json() -> None:
    manifest = _manifest()
    assert Manifest.model_validate_json(manifest.model_dump_json()) == manifest


def test_components_follow_the_parts() -> None:
    assert _manifest().components == ("stem", "adapters.sam", "routers.edge", "heads.edge")
    plain = _manifest(architecture=_architecture(router="none"), adapters=())
    assert plain.components == ("stem", "heads.edge")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"input_size": (64, 100)}, "multiple of the patch"),
        ({"levels": (0, 2, 1)}, "ascending"),
        ({"levels": (0, 4)}, "ascending block indices"),
        ({"levels": ()}, "at least 1"),
        ({"tasks": ()}, "at least 1"),
        ({"tasks": (TaskInfo(name="x3", kind="scalar", classes=1),)}, "cannot be called x3"),
        ({"tasks": (TaskInfo(name="image", kind="scalar", classes=1),)}, "cannot be called"),
        ({"tasks": (TaskInfo(name="a", kind="scalar", classes=1),) * 2}, "share a name"),
        ({"adapters": (AdapterInfo(name="a", teacher="a", hidden=1),) * 2}, "share a name"),
    ],
)
def test_contradictions_are_refused(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        _manifest(**changes)


@pytest.mark.parametrize("changes", [{"width": 50}, {"heads": 5}, {"patch": 6}, {"blocks": 0}])
def test_sizes_that_do_not_divide_are_refused(changes: dict[str, int]) -> None:
    with pytest.raises(ValidationError):
        _architecture(**changes)


@pytest.mark.parametrize("name", ["", "a.b", "../x", "a b", "-a", "a" * 65, "é"])
def test_names_that_no_tensor_or_file_can_have_are_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        AdapterInfo(name=name, teacher="t", hidden=1)


def test_channels_labels_and_colours_must_fit_the_kind() -> None:
    with pytest.raises(ValidationError, match="3 channels"):
        TaskInfo(name="n", kind="normals", classes=4)
    with pytest.raises(ValidationError, match="1 labels for 2 classes"):
        TaskInfo(name="s", kind="labels", classes=2, labels=("one",))
    with pytest.raises(ValidationError):
        TaskInfo(name="s", kind="labels", classes=1, colors=((0, 0, 256),))


def test_a_component_without_a_digest_is_refused() -> None:
    whole = _manifest().model_dump()
    del whole["digests"]["heads.edge"]
    with pytest.raises(ValidationError, match=r"heads\.edge"):
        Manifest.model_validate(whole)


@pytest.mark.parametrize("std", [0.0, -0.2, 1e-300, 1e300, float("inf"), float("nan")])
def test_std_must_be_positive_and_neither_tiny_nor_huge(std: float) -> None:
    with pytest.raises(ValidationError, match=r"std must be positive|finite"):
        Preprocess(std=(0.1, std, 0.1))


@pytest.mark.parametrize("mean", [1e300, -1e7, float("inf"), float("nan")])
def test_a_mean_must_be_of_the_size_of_an_image(mean: float) -> None:
    with pytest.raises(ValidationError, match=r"mean must lie|finite"):
        Preprocess(mean=(mean, 0.5, 0.5))


def _everywhere(fields: Any) -> Any:
    """The same JSON with a field in each object that this version does not know."""
    if isinstance(fields, list):
        return [_everywhere(each) for each in fields]
    if not isinstance(fields, dict):
        return fields
    known = {k: v if k == "digests" else _everywhere(v) for k, v in fields.items()}
    return known | {"from_the_future": {"nested": [1, None, "é"]}}


def test_unknown_fields_are_kept_at_every_level() -> None:
    fields = _everywhere(_manifest().model_dump(mode="json"))
    assert len(str(fields).split("from_the_future")) - 1 == 7
    assert Manifest.model_validate(fields).model_dump(mode="json") == fields


def test_unknown_fields_cannot_take_the_place_of_what_is_known() -> None:
    names = ("components", "grid", "task_names", "model_dump", "__class__")
    manifest = Manifest.model_validate(_manifest().model_dump() | dict.fromkeys(names, "spoilt"))
    assert manifest.components == _manifest().components
    assert manifest.model_dump(mode="json")["components"] == "spoilt"


def test_a_float32_stem_is_its_own_lineage() -> None:
    whole = _manifest().model_dump()
    with pytest.raises(ValidationError, match="lineage of a float32 stem"):
        Manifest.model_validate({**whole, "stem_lineage": "1" * 64})
    half = {**whole, "stem_lineage": "1" * 64, "storage": Storage.uniform("fp16")}
    assert Manifest.model_validate(half).stem_lineage == "1" * 64


def test_each_group_of_components_has_its_own_storage() -> None:
    storage = Storage(stem="fp16", adapters="fp32", routers="fp32", heads="fp16")
    assert storage.of("stem") == storage.of("heads.edge") == "fp16"
    assert storage.of("adapters.sam") == storage.of("routers.edge") == "fp32"
    assert str(storage) == "stem fp16, adapters fp32, routers fp32, heads fp16"
    assert str(Storage.uniform("fp16")) == "fp16"
