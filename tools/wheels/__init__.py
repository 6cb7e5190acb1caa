"""Wheels for every supported Python and machine, built on one: `python -m tools.wheels`."""
