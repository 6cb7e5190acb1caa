"""Students quantised to int8, and the gate per task that a quantised student has to pass."""

from sakedge.quantizing.quantize import quantize
from sakedge.quantizing.report import Quantization
from sakedge.quantizing.verdict import Verdict

__all__ = ["Quantization", "Verdict", "quantize"]
