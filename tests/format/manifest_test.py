from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from sakedge.format import AdapterInfo, Architecture, Manifest, Precision, Preprocess, Provenance
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
        "precision": Precision(weights="fp32"),
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


def test_std_must_be_positive_and_unknown_fields_are_refused() -> None:
    with pytest.raises(ValidationError, match="positive"):
        Preprocess(std=(0.1, 0.0, 0.1))
    with pytest.raises(ValidationError, match="extra"):
        Manifest.model_validate({**_manifest().model_dump(), "surprise": 1})
