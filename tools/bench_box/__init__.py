"""Measures a box with everything that `sakedge benchmark` has; the same on x86 and on a Jetson."""
