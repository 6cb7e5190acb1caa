"""The store of adapters, killed at each of its steps, and on a disk that loses its power."""
