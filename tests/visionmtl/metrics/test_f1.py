"""The score from which on detections are believed, by hand."""

import math

import numpy as np
import pytest

from visionmtl.metrics import f1


@pytest.mark.parametrize(
    ("scores", "right", "objects", "expected"),
    [
        ([0.9, 0.8, 0.7], [1, 0, 1], 2, 0.35),  # 2 of 3 right, both found: 0.8; the best alone: 0.67
        ([0.9, 0.8, 0.7], [1, 0, 0], 2, 0.85),
        ([0.3, 0.9, 0.5], [0, 1, 0], 1, 0.7),  # in any order
        ([0.6, 0.6, 0.2], [1, 0, 0], 1, 0.4),  # scores that are equal are believed together
        ([0.00004, 0.00002], [1, 0], 1, 0.00003),  # rounded, it would leave out what it is to keep
    ],
)
def test_the_confidence_lies_halfway_below_the_last_score_of_the_best_f1(scores, right, objects, expected):
    assert f1.best(np.array(scores), np.array(right, bool), objects) == pytest.approx(expected)


def test_of_what_is_never_right_no_confidence_is_told():
    assert math.isnan(f1.best(np.array([0.9]), np.array([False]), 3))
    assert math.isnan(f1.best(np.empty(0), np.empty(0, bool), 3))
