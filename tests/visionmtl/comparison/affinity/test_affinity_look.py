"""A look at a training sees what gradients do to losses, counted by hand, and moves nothing."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf
import toys

from visionmtl import BalancedModel
from visionmtl.comparison.affinity.look import DIRECTIONS, WHOLE, Look
from visionmtl.comparison.affinity.pace import FEWEST, Pace
from visionmtl.comparison.affinity.record import Record
from visionmtl.comparison.affinity.watch import AffinityWatch
from visionmtl.errors import UsageError


def line(name, weight, values):
    """Multiply by a weight."""
    return keras.layers.Dense(1, use_bias=False, name=name, kernel_initializer=keras.initializers.Constant(weight))(
        values
    )


@pytest.fixture(scope="module")
def by_hand():
    """y = 2 x, which one task reads as it is and two turn over."""
    x = keras.Input((1,))
    y = line("trunk", 2.0, x)
    model = BalancedModel(
        x, {"same": line("same", 1.0, y), "turned": line("turned", -1.0, y), "ill": line("ill", -1.0, y)}
    )
    model.compile("sgd", loss=dict.fromkeys(("same", "turned", "ill"), "mean_squared_error"))
    return Look(model, rate=0.25)


def one(**labels):
    """A batch of the number 1, with labels by task."""
    return tf.ones((1, 1)), {name: tf.constant([[value]]) for name, value in labels.items()}


def test_losses_after_a_step_for_one_task_are_those_counted_by_hand(by_hand):
    seen = by_hand(one(same=0.0, turned=0.0, ill=-4.0))
    assert seen.before == pytest.approx([4.0, 4.0, 4.0])  # outputs 2, -2, -2
    # By the shared weight the slopes are 4, 4 and -4: it becomes 1 for the first two, and 3 for the last.
    assert seen.after == pytest.approx(np.array([[1.0, 1.0, 9.0], [1.0, 1.0, 9.0], [9.0, 9.0, 1.0]]))
    assert seen.gramians[WHOLE] == pytest.approx(16.0 * np.outer([1, 1, -1], [1, 1, -1]))
    found = Record.of(["a", "b", "c"], [0], [seen], np.ones((3, 3)), None)
    assert found.lookahead[0, 0] == pytest.approx([0.75, 0.75, -1.25])
    assert found.cosines[WHOLE][0, 2] == pytest.approx([-1, -1, 1])


def test_a_step_is_no_longer_than_the_limit_of_the_training(by_hand):
    limited = Look(by_hand.model, rate=0.25, limit=2.0)
    assert limited(one(same=0.0, turned=0.0, ill=-4.0)).after[0, 0] == pytest.approx(1.5**2)


def test_projected_gradients_have_the_products_of_the_whole(by_hand):
    gradients, losses = by_hand.sketch(one(same=0.0, turned=0.0, ill=-4.0))
    assert gradients.shape == (3, DIRECTIONS)
    assert losses == pytest.approx([4.0, 4.0, 4.0])
    assert gradients @ gradients.T == pytest.approx(16.0 * np.outer([1, 1, -1], [1, 1, -1]))


def test_what_has_no_labels_is_not_known(by_hand):
    seen = by_hand(one(same=0.0, ill=-4.0))
    assert np.isnan(seen.before[1])
    assert np.isnan(seen.after[1]).all()
    assert np.isnan(seen.after[:, 1]).all()
    assert seen.after[0, 2] == pytest.approx(9.0)
    assert np.isnan(by_hand.sketch(one(same=0.0, ill=-4.0))[0][1]).all()


def test_a_loss_that_is_not_finite_counts_for_nothing_and_the_look_is_told(by_hand):
    seen = by_hand(one(same=0.0, turned=1e30, ill=-4.0))
    assert seen.broken
    found = Record.of(["a", "b", "c"], [0], [seen], np.ones((3, 3)), None)
    assert np.isfinite(found.lookahead[0]).tolist() == [[True, False, True], [False] * 3, [True, False, True]]
    assert not by_hand(one(same=0.0, ill=-4.0)).broken, "a task without labels breaks nothing"


def test_gradients_that_half_precision_has_no_number_for_are_seen():
    x = keras.Input((1,))
    half = {"dtype": "mixed_float16", "use_bias": False, "kernel_initializer": keras.initializers.Constant(1e-4)}
    y = keras.layers.Dense(1, name="trunk", **half)(x)
    model = BalancedModel(x, {name: keras.layers.Dense(1, name=name, **half)(y) for name in ("one", "other")})
    scaled = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(), initial_scale=2.0**15)
    model.compile(scaled, loss=dict.fromkeys(("one", "other"), "mean_squared_error"))
    seen = Look(model, rate=0.25)(one(one=-1e-4, other=-1e-4))  # slopes 2e-4 times 1e-4, below the least of 6e-8
    assert seen.gramians[WHOLE] == pytest.approx(np.full((2, 2), (2e-8) ** 2), rel=0.01)


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    """A training of two tasks that was watched, its weights, and those of one that was not."""
    tasks = [toys.task("scene"), toys.task("weather")]
    batches = tf.data.Dataset.from_tensors(toys.batch(tasks, missing=())).repeat()
    weights = []
    file = tmp_path_factory.mktemp("watched") / "seen.npz"
    watches = [AffinityWatch(1e-2, 10.0, file=file), None]
    for watch in watches:
        model = toys.model(tasks)
        model.compile(keras.optimizers.Adam(1e-3))
        model.fit(batches, steps_per_epoch=6, epochs=2, verbose=0, callbacks=[watch] if watch else [])
        weights.append(model.get_weights())
    return watches[0], weights


@pytest.mark.slow
def test_a_training_that_is_looked_at_goes_as_it_would(watched):
    for one, other in zip(*watched[1], strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


@pytest.mark.slow
def test_looks_are_kept_with_the_levels_of_the_backbone_and_the_images_counted(watched, tmp_path):
    record = watched[0].record
    assert len(record.steps) >= FEWEST
    assert record.lookahead.shape == (len(record.steps), 2, 2)
    assert list(record.cosines) == ["P2", "P3", "neck", WHOLE]
    assert record.both.tolist() == [[48, 48], [48, 48]]  # twelve batches of four
    assert record.ratio > 1
    again = Record.read(watched[0].file)
    assert again.tasks == ["scene", "weather"]
    np.testing.assert_array_equal(again.sketches.gradients, record.sketches.gradients)
    (tmp_path / "seen.npz").write_bytes(watched[0].file.read_bytes()[:-100])
    with pytest.raises(UsageError, match="was cut or changed"):
        Record.read(tmp_path / "seen.npz")


@pytest.mark.slow
def test_the_gradients_at_the_end_are_of_images_of_one_epoch(watched):
    assert len(watched[0].batches) == 6


@pytest.mark.slow
def test_what_was_seen_before_a_stop_is_kept_in_a_checkpoint(watched):
    watch = watched[0]
    kept = json.loads(json.dumps(watch.keep()))
    resumed = AffinityWatch(1e-2)
    resumed.pace = Pace(10)
    resumed.go_on(kept)
    assert resumed.steps == watch.steps
    np.testing.assert_array_equal(resumed.both, watch.both)
    for now, before in zip(resumed.seen, watch.seen, strict=True):
        np.testing.assert_array_equal(now.after, before.after)
        np.testing.assert_array_equal(now.gramians[WHOLE], before.gramians[WHOLE])
    assert resumed.pace.spent == watch.pace.spent
    assert resumed.pace.plain == pytest.approx(kept["plain"], abs=1.0)


@pytest.mark.parametrize(
    ("tasks", "sharing", "words"), [(1, "hard", "none to get on with"), (2, "soft", "sharing=soft")]
)
def test_where_no_gradients_meet_a_sentence_says_so(tasks, sharing, words):
    model = toys.model([toys.task("scene"), toys.task("weather")][:tasks], sharing=sharing)
    model.compile("sgd")
    with pytest.raises(UsageError, match=words):
        Look(model, 0.1)


def test_several_steps_at_once_are_told_not_to_be_looked_at():
    model = toys.model([toys.task("scene"), toys.task("weather")])
    model.compile("sgd", steps_per_execution=2)
    watch = AffinityWatch(0.1)
    watch.set_model(model)
    with pytest.raises(UsageError, match="between one step and the next"):
        watch.on_train_begin()


def test_where_all_that_is_shared_is_frozen_a_sentence_says_so():
    model = toys.model([toys.task("scene"), toys.task("weather")])
    model.freeze(["backbone", "neck"])
    model.compile("sgd")
    with pytest.raises(UsageError, match=r"frozen.*leave .* out of training.freeze"):
        Look(model, 0.1)


def paced(total, step, look, trace):
    """Return the pace of a training whose steps and looks take so many seconds, and the seconds of all."""
    now = [0.0]
    pace = Pace(total, clock=lambda: now[0])
    for number in range(total):
        if pace.due(number):
            took = look + (trace if not pace.looks else 0.0)
            now[0] += took
            pace.looked(number, took)
        now[0] += step
        pace.stepped(step)
    return pace


@pytest.mark.parametrize(("step", "look", "trace"), [(0.2, 0.6, 6.0), (0.2, 1.0, 3.0), (0.01, 0.05, 0.1)])
def test_looks_stay_within_their_part_of_the_budget(step, look, trace):
    pace = paced(400, step, look, trace)
    assert FEWEST < pace.looks < 400
    assert 1.1 < pace.ratio < 1.2
    assert pace.rest > 0


def test_a_training_that_is_too_short_is_looked_at_a_few_times():
    assert paced(20, 0.01, 0.1, 5.0).looks == FEWEST
    assert paced(3, 0.01, 0.1, 5.0).looks == 3
