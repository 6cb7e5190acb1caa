"""Official SAK checkpoint to student.onnx. The only place that reads torch files."""

from sakedge.convert.converter import convert
from sakedge.convert.report import Report

__all__ = ["Report", "convert"]
