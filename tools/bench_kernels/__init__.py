"""Times every kernel on every instruction set of this CPU: `python -m tools.bench_kernels`."""
