"""Images: reading, fitting to a student's input, tiling. Independent of students."""

from sakedge.images.picture import Color, ImageLike, Picture, is_one_image
from sakedge.images.reading import read

__all__ = ["Color", "ImageLike", "Picture", "is_one_image", "read"]
