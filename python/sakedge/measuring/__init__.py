"""Labelled images, what is measured on them, and how sure that is."""
