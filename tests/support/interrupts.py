"""Interrupts at any instruction: what a Ctrl-C may leave behind."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any


def interrupted_at(step: int, call: Callable[[], object]) -> bool:
    """Makes a call with an interrupt at one of its instructions: whether it had that many."""
    left = step

    def at_each_instruction(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal left
        frame.f_trace_opcodes = True
        left -= event == "opcode"
        if event == "opcode" and left == 0:
            raise KeyboardInterrupt
        return at_each_instruction

    before = sys.gettrace()
    sys.settrace(at_each_instruction)
    try:
        call()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)
    return False
