"""Colours, legends and panels. Knows no task and no student."""
