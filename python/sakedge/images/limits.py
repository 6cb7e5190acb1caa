"""How large an image may be, checked before anything of it is decoded or copied."""

from __future__ import annotations

from dataclasses import dataclass

from sakedge.arguments import in_range
from sakedge.errors import ImageError

MAX_PIXELS = 178_956_970
"""Pixels that an image may have by default: of 8-bit RGB half a gibibyte."""
BYTES_PER_PIXEL = 4
"""A file that decodes to more bytes than this times the limit is refused, whatever its pixels:
with float32 grey or 8-bit CMYK an image may have all the pixels, with float32 RGB a third."""


@dataclass(frozen=True)
class Limits:
    """What an image may measure.

    Attributes:
        pixels: Most pixels.
        largest: Most rows and columns, for an image that is padded; None for any.
    """

    pixels: int
    largest: tuple[int, int] | None = None

    @classmethod
    def of(cls, max_pixels: int | None, largest: tuple[int, int] | None = None) -> Limits:
        """Checks a caller's limits.

        Raises:
            OptionError: `max_pixels` is no positive integer.
        """
        if max_pixels is None:
            return cls(MAX_PIXELS, largest)
        in_range("max_pixels", max_pixels, low=1, whole=True)
        return cls(int(max_pixels), largest)

    @property
    def bytes(self) -> int:
        """Most bytes that a file may decode to."""
        return BYTES_PER_PIXEL * self.pixels

    def check(self, size: tuple[int, int], name: str, memory: int = 0) -> None:
        """Checks an image by its header.

        Args:
            size: Rows and columns, turned upright.
            name: What a message calls the image.
            memory: Bytes that it decodes to.

        Raises:
            ImageError: It is empty or too large.
        """
        height, width = size
        if height < 1 or width < 1:
            raise ImageError(
                f"{name} has no pixels",
                expected="at least one row and one column",
                got=f"{height} x {width} (height x width)",
            )
        if self.largest is not None:
            check_padding(size, self.largest, name)
        if height * width > self.pixels:
            raise self._refusal(
                name,
                f"at most {self.pixels} pixels",
                f"{height} x {width} (height x width), {height * width} pixels",
            )
        if memory > self.bytes:
            raise self._refusal(name, f"at most {self.bytes} bytes when decoded", f"{memory} bytes")

    def check_encoded(self, length: int, name: str) -> None:
        """Checks the length of a file that has to be read as a whole.

        Raises:
            ImageError: It is longer than any image within the limit.
        """
        if length > self.bytes:
            raise self._refusal(name, f"a file of at most {self.bytes} bytes", f"{length} bytes")

    @staticmethod
    def _refusal(name: str, expected: str, got: str) -> ImageError:
        return ImageError(
            f"{name} is larger than the limit",
            expected=expected,
            got=got,
            remedy="If you trust it, raise max_pixels (--max-pixels of the command line)",
        )


def check_padding(size: tuple[int, int], largest: tuple[int, int], name: str) -> None:
    """Checks that a picture fits a student's input at its own scale.

    Raises:
        ImageError: The picture is larger than the input.
    """
    if size[0] > largest[0] or size[1] > largest[1]:
        raise ImageError(
            f"{name} is larger than the student's input",
            expected=f"at most {largest[0]} x {largest[1]} (height x width) with fit='pad'",
            got=f"{size[0]} x {size[1]}",
            remedy="Use fit='letterbox' to shrink it or fit='tile' to keep its scale",
        )
