"""One command that builds, tests and measures the CUDA backend on a machine with a GPU."""
