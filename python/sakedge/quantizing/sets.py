"""Three sets of images that share none: one calibrates, one searches, one judges.

What was tuned on images looks better on them than it is. So the images that a student is judged by
have had no part in making it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from sakedge.errors import DatasetError

FEWEST_TO_CALIBRATE = 8
FEWEST_TO_JUDGE = 16
"""Of the search and of the judgement each: an interval over fewer images is mostly chance."""


def in_parts(digests: Sequence[str], parts: int) -> list[tuple[int, ...]]:
    """Splits images into equal parts by their digests alone.

    The same images are split alike whatever their names and their order, and images with the same
    pixels stay together.

    Args:
        digests: Each image's.
        parts: How many.

    Returns:
        Numbers of the images of each part, ascending.
    """
    # Hashed once more, so that the order says nothing, also where digests were made to be sorted.
    order = sorted({*digests}, key=lambda digest: hashlib.sha256(digest.encode()).digest())
    place = {digest: i % parts for i, digest in enumerate(order)}
    return [
        tuple(i for i, digest in enumerate(digests) if place[digest] == part)
        for part in range(parts)
    ]


def spread(count: int, most: int) -> tuple[int, ...]:
    """Numbers of at most `most` of `count` images, spread over them."""
    some = np.linspace(0, count - 1, min(count, most)).round().astype(int)
    return tuple(int(i) for i in np.unique(some))


def check_disjoint(calibration: Sequence[str], evaluation: Sequence[str]) -> None:
    """Checks that no image calibrates and judges.

    Args:
        calibration: Digests of the one's images.
        evaluation: Digests of the other's.

    Raises:
        DatasetError: Some do.
    """
    shared = len({*calibration} & {*evaluation})
    if shared:
        raise DatasetError(
            f"{shared} of the calibration images are also in the evaluation data",
            expected="images that share no pixels with those that the student is judged by",
            got=f"{shared} of {len({*calibration})} calibration images in both",
            remedy="Take them out of one of the two, or leave out the evaluation data: then the "
            "calibration images are split",
        )


def check_enough(what: str, count: int, fewest: int, shares: int = 1) -> None:
    """Checks that there are enough images.

    Args:
        what: What they are.
        count: How many different ones there are.
        fewest: How many each share needs.
        shares: In how many they are split.

    Raises:
        DatasetError: There are too few.
    """
    if count < fewest * shares:
        each = f", {fewest} in each of {shares} parts" if shares > 1 else ""
        raise DatasetError(
            f"too few {what}",
            expected=f"at least {fewest * shares} different images{each}",
            got=str(count),
            remedy="Add images like those that the student will see",
        )
