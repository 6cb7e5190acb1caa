"""TIFF and BigTIFF: the first image, with all its bits, white where the file says it is."""

from sakedge.images.codecs.tiff.codec import MAGICS, open_tiff

__all__ = ["MAGICS", "open_tiff"]
