"""Bundles: all that a box without internet needs, in one folder or file, locked and signed."""
