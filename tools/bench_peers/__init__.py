"""The comparison with stock runtimes that docs/performance.md shows."""
