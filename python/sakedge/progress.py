"""How long work reports progress: one signature for every caller and every verb."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, float], None]
"""Called with what is being done now and the share of it that is done, 0…1."""
