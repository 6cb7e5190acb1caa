"""Pictures: reading, fitting to an input, tiling."""
