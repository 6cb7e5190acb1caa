"""Regions of maps: held against SciPy's labelling, and as a caller meets them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from sakedge.errors import OptionError
from sakedge.tasks.info import TaskInfo
from sakedge.tasks.labels import LabelsResult
from sakedge.tasks.probability import ProbabilityResult
from sakedge.tasks.regions import Region, find_regions

NAMES = ("a", "b", "c")
SIDES = st.tuples(st.integers(1, 24), st.integers(1, 24))


def expected(classes: np.ndarray, scores: np.ndarray) -> list[Region]:
    found = []
    for k, name in enumerate(NAMES):
        numbers, _ = ndimage.label(classes == k, np.ones((3, 3)))
        for i, (rows, columns) in enumerate(ndimage.find_objects(numbers)):
            inside = numbers[rows, columns] == i + 1
            box = (columns.start, rows.start, columns.stop, rows.stop)
            best = float(scores[rows, columns][inside].max())
            found.append(Region(name, int(inside.sum()), box, best))
    return found


@given(SIDES.flatmap(lambda shape: arrays(np.int16, shape, elements=st.integers(-1, 2))))
def test_regions_are_the_connected_pixels_of_each_class(classes: np.ndarray) -> None:
    scores = np.random.default_rng(0).random(classes.shape, np.float32)
    found = find_regions(classes, NAMES, scores)
    assert sorted(found, key=repr) == sorted(expected(classes, scores), key=repr)
    areas = [region.area for region in found]
    assert areas == sorted(areas, reverse=True)
    assert find_regions(classes, NAMES, min_area=3) == [
        Region(each.label, each.area, each.box) for each in found if each.area >= 3
    ]


def test_a_spiral_is_one_region() -> None:
    spiral = np.full((101, 101), -1, np.int8)
    for k in range(0, 50, 2):
        spiral[k, max(k - 2, 0) : 101 - k] = 0
        spiral[k : 101 - k, 100 - k] = 0
        spiral[100 - k, k : 101 - k] = 0
        spiral[k + 2 : 101 - k, k] = 0
    (region,) = find_regions(spiral, NAMES)
    assert (region.area, region.box) == (int((spiral == 0).sum()), (0, 0, 101, 101))


def labels() -> LabelsResult:
    info = TaskInfo(name="semseg", kind="labels", classes=3, labels=("part", "dent", "scratch"))
    values = np.zeros((6, 8), np.uint8)
    values[1:3, 2:5] = 1
    values[4, 0:8] = 2
    values[0, 7] = 1
    return LabelsResult(info, values)


def probability() -> ProbabilityResult:
    values = np.zeros((6, 8), np.float32)
    values[1, 3], values[4, 0], values[5, 5] = 0.9, 0.6, 0.5
    return ProbabilityResult(TaskInfo(name="sal", kind="probability", classes=1), values)


def test_labels_have_regions_of_all_classes_but_the_background() -> None:
    found = labels().regions(scores=probability())
    assert found == [
        Region("scratch", 8, (0, 4, 8, 5), pytest.approx(0.6)),
        Region("dent", 6, (2, 1, 5, 3), pytest.approx(0.9)),
        Region("dent", 1, (7, 0, 8, 1), 0.0),
    ]
    assert (found[0].width, found[0].height) == (8, 1)
    assert [each.label for each in labels().regions(["dent"], min_area=2)] == ["dent"]
    assert [each.area for each in labels().regions(["part"])] == [25, 8]


def test_classes_of_one_name_are_taken_together_and_stay_apart() -> None:
    info = TaskInfo(name="semseg", kind="labels", classes=3, labels=("part", "dent", "dent"))
    found = LabelsResult(info, labels().values).regions(["dent"])
    assert [(each.label, each.area) for each in found] == [("dent", 8), ("dent", 6), ("dent", 1)]
    assert found == LabelsResult(info, labels().values).regions()


def test_a_probability_has_regions_above_a_threshold_and_a_score() -> None:
    found = probability()
    assert [region.box for region in found.regions()] == [(3, 1, 4, 2), (0, 4, 1, 5)]
    assert {region.label for region in found.regions(0.4)} == {"sal"}
    assert found.regions(1) == []
    assert found.score() == pytest.approx(0.9)
    assert found.score(area=3) == pytest.approx(0.5)
    assert found.score(area=48) == 0


def test_what_cannot_be_asked_for_is_refused() -> None:
    with pytest.raises(OptionError, match=r"one of part, dent, scratch; got 'dust'"):
        labels().regions(["dust"])
    with pytest.raises(OptionError, match="another image"):
        small = ProbabilityResult(probability().info, np.zeros((2, 2), np.float32))
        labels().regions(scores=small)
    with pytest.raises(OptionError, match="min_area"):
        labels().regions(min_area=0)
    with pytest.raises(OptionError, match="threshold"):
        probability().regions(1.5)
    with pytest.raises(OptionError, match="area"):
        probability().score(area=49)
