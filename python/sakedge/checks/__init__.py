"""Capabilities behind the verbs `verify`, `benchmark` and `doctor`."""
