"""A pytest plugin that keeps what launches kernels by the path of `--cuda-path`.

The other tests of tests/cuda are of the emulator itself and of the driver that is made of it.
"""

from __future__ import annotations

import pytest

FIXTURES = frozenset({"emulator", "machine"})


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselects what uses neither fixture."""
    kept = [item for item in items if FIXTURES & set(getattr(item, "fixturenames", ()))]
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = kept
