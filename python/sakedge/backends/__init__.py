"""The runtimes that run a student's graph: a folder each, behind the protocols of `base`."""
