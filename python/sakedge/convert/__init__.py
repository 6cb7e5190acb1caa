"""Official SAK checkpoint to student.onnx, or to a pack. The only place that reads torch files."""

from sakedge.convert.converter import convert
from sakedge.convert.packing import Packed, pack_adapter
from sakedge.convert.report import Report

__all__ = ["Packed", "Report", "convert", "pack_adapter"]
