"""A student as a plain ONNX graph for other runtimes."""

from sakedge.exporting.export import Export, export

__all__ = ["Export", "export"]
