"""Tiny data sets, and the student that is measured on them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.datasets import folder, manifest

import sakedge

__all__ = ["folder", "manifest", "student"]


@pytest.fixture(scope="session")
def student(tiny_student: Path) -> Iterator[sakedge.Student]:
    """In the backend in which the tests evaluate, whatever `auto` takes on this CPU."""
    with sakedge.load(tiny_student, backend="onnxruntime", precision="fp32", threads=1) as loaded:
        yield loaded
