"""The examples of the guide to the Python API run as they stand, one after the other."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sakedge.format import StudentFile, extract_part, write_pack

GUIDE = Path(__file__).parents[2] / "docs" / "python-api.md"


def test_the_examples_of_the_guide_run(
    tiny_student: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(tiny_student, "student.onnx")
    Image.fromarray(np.full((60, 90, 3), 100, np.uint8)).save("part.png")
    Path("images").mkdir()
    for i in range(5):
        Image.fromarray(np.full((80, 70, 3), 40 * i, np.uint8)).save(f"images/{i}.png")
    Path("images/bad.png").write_bytes(b"no image")
    with StudentFile.open("student.onnx") as file:
        pack = extract_part(file, "adapters.sam")
    write_pack("sam-2026-11.safetensors", pack.manifest, pack.tensors)

    examples = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    assert len(examples) > 5
    names: dict[str, object] = {}
    for example in examples:
        exec(compile(example, str(GUIDE), "exec"), names)
    assert {p.name for p in Path("out").iterdir()} >= {"part.png", "part-0017.npz", "4_edge.png"}
    assert names["stream"].error_count == 1  # type: ignore[attr-defined]
