"""ONNX files, byte by byte: wire format, scanning, writing. Knows no student."""
