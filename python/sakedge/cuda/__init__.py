"""Python's side of the CUDA kernels, and the only importer of their compiled module."""
