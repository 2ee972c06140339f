"""The fractions of several sources, and the orders drawn from them."""

import numpy as np
import pytest
import tensorflow as tf

from pipelines import DataError
from pipelines.epochs.order import Mixture
from pipelines.epochs.rules import METHODS
from pipelines.epochs.sampling import Sampling, apportioned, lag

SIZES = {"large": 40, "small": 10}
LABELLED = {"large": ("boxes", "mask"), "small": ("boxes",)}
TASKS = ["boxes", "mask"]


def mixture(method="uniform", length="longest", batch_size=4, seed=0, **options):
    rows = {"large": np.arange(40), "small": np.arange(40, 50)}
    sampling = Sampling.check({"method": method, "epochs": 5, **options})
    return Mixture(rows, LABELLED, TASKS, sampling, batch_size, length, seed)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("proportional", [0.8, 0.2]),
        ("uniform", [0.5, 0.5]),
        ({"method": "temperature", "temperature": 1}, [0.8, 0.2]),
        ({"method": "temperature", "temperature": 2}, [2 / 3, 1 / 3]),
        ({"method": "temperature", "temperature": 1e9}, [0.5, 0.5]),
        ({"method": "annealed", "epochs": 3}, [0.8, 0.2]),
    ],
)
def test_fractions_are_those_of_the_formula(options, expected):
    np.testing.assert_allclose(Sampling.check(options).fractions([40, 10]), expected, rtol=1e-6)


def test_annealing_ends_uniform_and_goes_by_way_of_the_square_root():
    annealed = Sampling.check({"method": "annealed", "epochs": 3})
    np.testing.assert_allclose(annealed.fractions([40, 10], 1), [2 / 3, 1 / 3])
    for last in (2, 7):
        np.testing.assert_allclose(annealed.fractions([40, 10], last), [0.5, 0.5])


def test_a_curriculum_draws_more_of_what_lags_and_keeps_a_floor():
    curriculum = Sampling.check({"method": "curriculum", "floor": 0.2})
    np.testing.assert_allclose(curriculum.fractions([40, 10]), [0.5, 0.5])
    np.testing.assert_allclose(curriculum.fractions([40, 10], 3, [3.0, 1.0]), [0.1 + 0.8 * 0.75, 0.1 + 0.8 * 0.25])
    np.testing.assert_allclose(curriculum.fractions([40, 10], 3, [1.0, 0.0]), [0.9, 0.1])
    np.testing.assert_allclose(curriculum.fractions([40, 10], 3, [0.0, 0.0]), [0.5, 0.5])


def test_a_source_lags_by_the_mean_of_its_tasks():
    losses = [{"boxes": 2.0, "mask": float("nan")}, {"boxes": 1.0, "mask": 4.0}, {"boxes": 0.5, "mask": 3.0}]
    assert lag(["boxes"], losses) == 0.25
    assert lag(["boxes", "mask"], losses) == pytest.approx((0.25 + 0.75) / 2)
    assert lag(["mask"], losses[:2]) == 1.0  # known once


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ("proportionl", "Did you mean 'proportional'"),
        ({"method": "temperature", "temperature": 0.5}, "at least 1"),
        ({"method": "curriculum", "floor": 2}, "from 0 to 1"),
        ({"method": "annealed"}, "needs epochs"),
        ({"methd": "uniform"}, "Did you mean 'method'"),
    ],
)
def test_a_wrong_option_is_named(options, sentence):
    with pytest.raises(DataError, match=sentence):
        Sampling.check(options)


def test_apportioning_adds_up_and_is_off_by_less_than_one():
    fractions = np.array([0.5, 0.3, 0.15, 0.05])
    for total in range(30):
        counts = apportioned(total, fractions)
        assert counts.sum() == total
        assert np.abs(counts - total * fractions).max() < 1


@pytest.mark.parametrize(
    ("method", "length", "steps"),
    [
        ("proportional", "longest", 12),  # 50 images, whichever end
        ("proportional", "shortest", 12),
        ("uniform", "longest", 20),  # 40 of each
        ("uniform", "shortest", 5),  # 10 of each
        ("uniform", 7, 7),
        ("alternate", "longest", 24),  # 12 batches of the 50 images with boxes, and as many of masks
        ("alternate", "shortest", 20),  # 10 batches of the 40 images with masks
    ],
)
def test_an_epoch_is_as_long_as_documented(method, length, steps):
    mixed = mixture(method, length)
    rows, _ = mixed(0)
    assert (mixed.steps, len(rows)) == (steps, 4 * steps)


@pytest.mark.parametrize("method", METHODS)
def test_no_image_comes_again_before_all_of_its_source_came(method):
    mixed = mixture(method, 3)
    if method == "curriculum":
        for epoch in range(20):
            mixed.observe(epoch, {"boxes": 1.0 / (epoch + 1), "mask": 2.0})
    drawn = [mixed(epoch) for epoch in range(20)]
    rows, turns = (np.concatenate(part) for part in zip(*drawn, strict=True))
    streams = [rows[turns == task] for task in (0, 1)] if method == "alternate" else [rows[rows < 40], rows[rows >= 40]]
    for stream, size in zip(streams, (50, 40) if method == "alternate" else (40, 10), strict=True):
        assert len(stream) > size
        for start in range(0, len(stream) - size + 1, size):
            assert len(set(stream[start : start + size])) == size


def test_the_samples_of_a_source_lie_evenly_in_its_epoch():
    rows, _ = mixture("uniform", 10, batch_size=8)(0)
    of_small = (rows.reshape(10, 8) >= 40).sum(axis=1)
    assert of_small.sum() == 40
    assert of_small.min() >= 2
    assert of_small.max() <= 6


def test_one_seed_gives_one_order_epoch_by_epoch_from_any_epoch_on():
    first, again, other = mixture(), mixture(), mixture(seed=1)
    np.testing.assert_array_equal(first(3)[0], again(3)[0])
    assert (first(3)[0] != first(2)[0]).any()
    assert (first(3)[0] != other(3)[0]).any()


def test_a_resumed_curriculum_goes_on_as_it_would_have():
    whole, resumed = mixture("curriculum", 10), mixture("curriculum", 10)
    losses = [{"boxes": 2.0 / 3**epoch, "mask": 1.0} for epoch in range(4)]
    for epoch, row in enumerate(losses):
        whole(epoch)
        whole.observe(epoch, row)
    for epoch, row in enumerate(losses):  # from a history of eight digits
        resumed.observe(epoch, {task: float(f"{loss:.8g}") for task, loss in row.items()})
    np.testing.assert_array_equal(whole(4)[0], resumed(4)[0])
    assert whole.report(4)["share/large"] > whole.report(0)["share/large"]  # its mask does not get better


def test_alternating_takes_one_task_a_batch_from_what_labels_it_and_goes_on_over_epochs():
    mixed = mixture("alternate", 3)
    turns = np.concatenate([mixed(epoch)[1] for epoch in range(2)]).reshape(-1, 4)
    np.testing.assert_array_equal(turns, np.repeat([[0], [1], [0], [1], [0], [1]], 4, axis=1))
    rows, turns = mixture("alternate", "longest")(0)
    assert (rows[turns == 1] < 40).all()
    assert (rows[turns == 0] >= 40).any()


def test_a_report_counts_what_was_taken():
    weights = np.ones((50, 2))
    weights[40:, 1] = 0.0
    weights[:20, 0] = 0.0
    rows = {"large": np.arange(40), "small": np.arange(40, 50)}
    mixed = Mixture(rows, LABELLED, TASKS, Sampling("uniform"), 4, "longest", weights=lambda: weights)
    expected = {"share/large": 0.5, "share/small": 0.5, "labelled/boxes": 0.75, "labelled/mask": 0.5}
    assert mixed.report(0) == pytest.approx(expected)


def test_the_order_in_graph_is_the_same():
    mixed = mixture()
    rows, turns = tf.function(mixed.order)(tf.constant(2, tf.int64))
    np.testing.assert_array_equal(rows, mixed(2)[0])
    np.testing.assert_array_equal(turns, mixed(2)[1])


def test_a_source_without_a_usable_image_is_named():
    with pytest.raises(DataError, match="'small' has no usable image"):
        Mixture({"large": np.arange(4), "small": np.arange(0)}, LABELLED, TASKS, Sampling(), 2)
