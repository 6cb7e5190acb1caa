"""Packs of one adapter in several versions, as small as they come."""

from __future__ import annotations

from pathlib import Path

from tools.fuzz.tiny import write_tiny

from sakedge.format import StudentFile, extract_part, write_pack
from sakedge.trust.envelope import sign_file
from sakedge.trust.keys import PrivateKey


def make_packs(folder: Path, versions: int = 3) -> list[Path]:
    """Writes a student, and signed packs of its `sam`: `sam-1.safetensors` and so on."""
    write_tiny(folder / "student.onnx")
    with StudentFile.open(folder / "student.onnx") as file:
        part = extract_part(file, "adapters.sam")
    packs, key = [], PrivateKey.generate()
    for number in range(1, versions + 1):
        factor = 1 + number / 8
        tensors = {
            name: values * values.dtype.type(factor) if name.startswith("norms.") else values
            for name, values in part.tensors.items()
        }
        manifest = part.manifest.model_copy(update={"version": str(number)})
        packs.append(folder / f"sam-{number}.safetensors")
        write_pack(packs[-1], manifest, tensors)
        sign_file(packs[-1], key, predicate={})
    return packs
