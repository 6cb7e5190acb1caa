"""mIoU against cases worked out by hand and against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, jaccard_score

from sakedge.errors import OptionError
from sakedge.measuring.metrics import LabelAgreement, MeanIoU

TRUTH = np.array([[0, 0, 1], [1, 255, 2]], np.uint8)
FOUND = np.array([[0, 1, 1], [1, 0, 0]], np.uint8)


def test_a_case_worked_out_by_hand() -> None:
    metric = MeanIoU(4)
    sums = metric.measure(FOUND, TRUTH)
    # class 0: 1 right of 3; class 1: 2 of 3; class 2: 0 of 1; class 3: nowhere, not counted
    np.testing.assert_allclose(metric.class_iou(sums), [100 / 3, 200 / 3, 0, np.nan])
    assert metric.value(sums) == pytest.approx(100 / 3)


@pytest.mark.parametrize("classes", [5, 70])
def test_random_maps_as_in_scikit_learn(classes: int) -> None:
    random = np.random.default_rng(classes)
    truth = random.integers(classes, size=(4, 24, 30)).astype(np.uint8)
    found = np.where(random.random(truth.shape) < 0.7, truth, random.integers(classes))
    truth[random.random(truth.shape) < 0.1] = 255
    metric = MeanIoU(classes)
    sums = np.sum([metric.measure(f, t) for f, t in zip(found, truth, strict=True)], 0)
    valid = truth != 255
    expected = 100 * jaccard_score(truth[valid], found[valid], average="macro")
    assert metric.value(sums) == pytest.approx(expected, abs=1e-9)


def test_the_confusion_matrix_is_that_of_scikit_learn() -> None:
    random = np.random.default_rng(1)
    truth, found = random.integers(6, size=(2, 20, 20)).astype(np.uint8)
    metric = MeanIoU(6)
    matrix = metric.confusion(metric.measure(found, truth))
    np.testing.assert_array_equal(matrix, confusion_matrix(truth.ravel(), found.ravel()))
    assert MeanIoU(65).confusion(np.zeros(3 * 65)) is None


def test_counts_per_class_give_what_the_matrix_gives() -> None:
    random = np.random.default_rng(2)
    truth, found = random.integers(9, size=(2, 20, 20)).astype(np.uint8)
    values = [m.value(m.measure(found, truth)) for m in (MeanIoU(64), MeanIoU(65))]
    assert values[0] == pytest.approx(values[1], abs=1e-12)


def test_images_of_nothing_but_background_are_left_out_where_the_rule_says_so() -> None:
    empty = np.array([[0, 0, 255]], np.uint8)
    found = np.array([[0, 1, 1]], np.uint8)
    assert MeanIoU(3).measure(found, empty).sum() == 2
    assert not MeanIoU(3, background=0).measure(found, empty).any()
    people = np.array([[0, 1, 255]], np.uint8)
    assert MeanIoU(3, background=0).measure(found, people).sum() == 2


def test_a_label_beyond_the_classes_is_refused() -> None:
    with pytest.raises(OptionError, match="expected 0 to 1, or 255 where there is none; got 2"):
        MeanIoU(2).measure(FOUND, TRUTH)


def test_agreement_is_the_share_of_equal_labels() -> None:
    metric = LabelAgreement()
    first = metric.measure(np.array([[1, 2, 3, 4]]), np.array([[1, 2, 3, 0]]))
    second = metric.measure(np.array([[0, 0]]), np.array([[0, 1]]))
    assert metric.value(first) == 75
    assert metric.value(first + second) == pytest.approx(100 * 4 / 6)
