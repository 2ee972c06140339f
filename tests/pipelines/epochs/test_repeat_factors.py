"""Pictures with rare classes drawn more often."""

import numpy as np
import pytest

import pipelines
from pipelines.epochs.balanced import Balanced, repeat_factors
from pipelines.epochs.sampling import Sampling

NAN = float("nan")


def balanced(factors, batch_size=4, seed=0, length="longest"):
    rows = {"one": np.arange(len(factors))}
    return Balanced(factors, rows, {"one": ("a",)}, ["a"], Sampling("balanced"), batch_size, length, seed)


def test_factors_are_those_of_lvis_over_what_is_labelled():
    objects = np.array([[3.0, 1, 0, 0]] + [[1.0, 0, 0, 1]] * 7 + [[NAN] * 4] * 2)
    pictures, classes = repeat_factors({"boxes": objects}, 0.5)
    np.testing.assert_allclose(classes["boxes"], [2.0, 2.0, 1.0, 1.0])
    np.testing.assert_allclose(pictures, [2.0] + [1.0] * 9)


def test_of_what_is_everywhere_a_picture_has_a_class_if_it_has_much_of_it():
    pixels = np.array([[90.0, 80.0]] + [[90.0, 10.0]] * 3)
    pictures, classes = repeat_factors({"mask": pixels, "label": np.ones((4, 1))}, 1.0)
    np.testing.assert_allclose(classes["mask"], [1.0, 2.0])
    np.testing.assert_allclose(pictures, [2.0, 1.0, 1.0, 1.0])


@pytest.mark.parametrize("length", ["longest", 5])
def test_each_is_drawn_in_proportion_to_its_factor_rounded_down_or_up(length):
    factors = np.array([3.0] * 4 + [1.0] * 28)
    order = balanced(factors, length=length)
    expected = factors * order.steps * 4 / factors.sum()
    counts = np.array([np.bincount(order(epoch)[0], minlength=32) for epoch in range(40)])
    assert order.steps == (8 if length == "longest" else 5)
    assert (counts.sum(axis=1) == order.steps * 4).all()
    assert (np.abs(counts - expected) < 1).all()
    np.testing.assert_allclose(counts.mean(axis=0), expected, atol=0.3)


def test_an_order_follows_from_seed_and_epoch_alone():
    one, again, other = balanced(np.ones(12)), balanced(np.ones(12)), balanced(np.ones(12), seed=1)
    one(0)
    np.testing.assert_array_equal(one(3)[0], again(3)[0])
    assert (one(3)[0] != one(4)[0]).any()
    assert (one(3)[0] != other(3)[0]).any()
    assert sorted(one(3)[0]) == list(range(12))


@pytest.mark.slow
def test_load_counts_the_labels_and_says_what_it_draws_more_often(coco):
    rows = {f"{i}.png": [(3, 5, 5, 20, 20)] + ([(7, 40, 10, 8, 8)] if i == 3 else []) for i in range(16)}
    folder, options = coco(rows, masks=True), {"splits": ["train"], "sampling": "balanced"}
    with pytest.warns(UserWarning, match=r"balanced' draws a picture 0.9 times.*: bar .detection. 2.8, bar .seg"):
        data = pipelines.load("coco", (32, 32), 8, path=folder, tasks=["detection", "segmentation"], **options)
    drawn = [name for epoch in range(8) for step in range(2) for name in data.names(epoch, step)]
    assert 16 <= sum(name.endswith("/3.png") for name in drawn) <= 24
