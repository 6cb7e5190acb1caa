"""Formats of image files, a file each: what their header says, and how their pixels are decoded.

Pixels first: a decoder is given the parts of a file that pixels are made of and nothing else, so
that odd metadata can neither refuse an image nor cost anything. The parts that Pillow would read
wrongly or with fewer bits are decoded here.
"""
