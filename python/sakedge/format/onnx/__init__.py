"""ONNX files, byte by byte: wire format, scanning, writing. Independent of students."""
