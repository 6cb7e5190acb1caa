"""A tiny student for the tests of the CUDA path, and its float64 reference."""
