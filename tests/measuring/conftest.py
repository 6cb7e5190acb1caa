"""Tiny data sets."""

from __future__ import annotations

from tests.support.datasets import folder, manifest

__all__ = ["folder", "manifest"]
