"""Fixtures of the tests of the pages."""

from tests.docs.world import furnished, world

__all__ = ["furnished", "world"]
