"""The demo student and its sample images, shipped in the wheel (`docs/demo-student.md`)."""

from __future__ import annotations

from pathlib import Path

_HERE = Path(__file__).parent


def demo_student() -> Path:
    """Path of the demo student: 256 x 256, five tasks, four adapters, int8."""
    return _HERE / "demo-student.onnx"


def samples() -> list[Path]:
    """Paths of the sample images, rendered inspection scenes that the student never saw."""
    return sorted((_HERE / "samples").glob("*.jpg"))
