"""student.onnx: its manifest, reading, writing, and its graph."""
