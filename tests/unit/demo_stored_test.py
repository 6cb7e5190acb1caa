"""A student file in torch and back: the shipped weights stay, a new adapter is added."""

import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tools.demo_student import spec  # noqa: E402
from tools.demo_student.adapt import NEW, STORED  # noqa: E402
from tools.demo_student.config_file import write_config  # noqa: E402
from tools.demo_student.model import Student  # noqa: E402
from tools.demo_student.stored import (  # noqa: E402
    load_stored,
    write_with_adapter,
    write_without_adapter,
)

from sakedge.convert import convert  # noqa: E402
from sakedge.format import AdapterInfo, StudentFile  # noqa: E402

SHIPPED = Path(__file__).parents[1] / "format" / "data" / "version_1.json"
"""The manifest of the first demo student."""


@pytest.fixture(scope="module")
def trained() -> Student:
    torch.manual_seed(0)
    student = Student(dict.fromkeys(spec.TEACHERS, 1)).eval()
    for module in student.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
    return student


@pytest.fixture(scope="module")
def base(trained: Student, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    torch.save({"model": trained.state_dict()}, folder / "student.pt")
    write_config(folder / "config.yml")
    convert(folder / "student.pt", folder / "config.yml", folder / "student.onnx")
    return folder / "student.onnx"


def test_a_stored_student_is_the_trained_one(trained: Student, base: Path) -> None:
    image = torch.randn(1, 3, spec.SIZE, spec.SIZE)
    with torch.no_grad():
        logits, routing = trained(image)
        again, weights = load_stored(base)(image)
    for task in spec.TASK_NAMES:
        assert torch.allclose(weights[task], routing[task], atol=1e-6)
        assert torch.allclose(again[task], logits[task], atol=1e-4 * logits[task].abs().max())


def test_a_new_adapter_leaves_every_stored_weight_as_it_is(base: Path, tmp_path: Path) -> None:
    student = load_stored(base, new="pcb")
    with torch.no_grad():
        for name, parameter in student.named_parameters():
            if ".tsap.pcb." in name:
                parameter *= 1.1
            if ".module.3." in name:
                parameter[1 + len(spec.TEACHERS)] = 0.1
    adapter = AdapterInfo(name="pcb", teacher="none", hidden=spec.CHANNELS // 4)
    path = tmp_path / "wider.onnx"
    write_with_adapter(base, student, adapter, path)
    with StudentFile.open(base) as old, StudentFile.open(path) as new:
        assert new.manifest.adapter_names == (*spec.TEACHERS, "pcb")
        routers = {f"routers.{task}" for task in spec.TASK_NAMES}
        for component in set(old.manifest.components) - routers:
            assert new.manifest.digests[component] == old.manifest.digests[component]
        for router in routers:
            wide = new.component(router)
            for name, values in old.component(router).items():
                assert np.array_equal(wide[name][..., : values.shape[-1]], values), name
    back = write_without_adapter(path, "pcb", tmp_path / "back.onnx")
    with StudentFile.open(base) as old:
        assert back.digests == old.manifest.digests
    image = torch.randn(1, 3, spec.SIZE, spec.SIZE)
    with torch.no_grad():
        logits, _ = student(image)
        again, _ = load_stored(path)(image)
    for task in spec.TASK_NAMES:
        assert torch.allclose(again[task], logits[task], atol=1e-4 * logits[task].abs().max())


def test_without_its_new_adapter_the_student_is_the_one_that_was_shipped_before(
    tmp_path: Path,
) -> None:
    """Bit for bit: every weight of stem, adapters, routers and heads."""
    shipped = json.loads(SHIPPED.read_text())
    found = write_without_adapter(STORED, NEW, tmp_path / "student.onnx")
    assert found.digests == shipped["digests"]
    assert found.graph_digest == shipped["graph_digest"]
