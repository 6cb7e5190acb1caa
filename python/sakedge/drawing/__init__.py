"""Colours, legends and panels. Independent of tasks and students."""
