"""A detection whose objects have one cell each: nothing is suppressed, and the features learn from a head beside it."""

import keras
import numpy as np
import pytest
import tensorflow as tf
import toys

from visionmtl.export import narrowing
from visionmtl.tasks import ByAmount, Detection, boxes


def test_the_best_cells_are_kept_however_they_overlap_and_padded():
    found = tf.constant([[[0, 0, 10, 10], [1, 0, 11, 10], [20, 20, 30, 30]]], tf.float32)
    scores = tf.constant([[[0.9, 0.004], [0.8, 0.7], [0.5, 0.0]]])
    kept = {name: value.numpy()[0] for name, value in boxes.best(found, scores, limit=8).items()}
    assert kept["count"] == 4
    np.testing.assert_allclose(kept["scores"], [0.9, 0.8, 0.7, 0.5, 0, 0, 0, 0])
    assert kept["classes"].tolist() == [0, 0, 1, 0, -1, -1, -1, -1]
    assert kept["boxes"][:4, 0].tolist() == [0, 1, 1, 20]
    assert (kept["boxes"][4:] == 0).all()
    two = boxes.best(found, scores, limit=2)
    np.testing.assert_allclose(two["scores"], [[0.9, 0.8]])


def test_predictions_have_one_form_with_and_without():
    random = np.random.default_rng(0)
    found, scores = (tf.constant(random.uniform(size=(2, 300, n)), tf.float32) for n in (4, 3))
    one, other = boxes.best(found, scores), boxes.suppress(found, scores)
    assert {name: (x.shape, x.dtype) for name, x in one.items()} == {n: (x.shape, x.dtype) for n, x in other.items()}
    best = np.sort(scores.numpy().reshape(2, -1))[:, ::-1][:, :100]
    np.testing.assert_allclose(one["scores"], best)


@pytest.fixture(scope="module")
def model():
    return toys.model([Detection("objects", 2, end_to_end=True, quality=True)])


def test_what_predicts_reads_the_features_and_does_not_teach_them(model):
    images = toys.batch(model.tasks.values())[0]
    features = [x for x in model.trainable_variables if not x.path.startswith("objects")]
    for teaches in (False, True):
        with tf.GradientTape() as tape:
            said = [x for name, x in model(images).items() if ("_many_" in name) == teaches]
            total = tf.add_n([tf.reduce_sum(x) for x in said])
        slopes = tape.gradient(total, [x.value for x in features])
        assert len(said) == 4
        assert {slope is not None for slope in slopes} == {teaches}


def test_what_predicts_has_no_layer_that_only_learns(model):
    narrow = narrowing.network(model)
    assert not [layer.name for layer in narrow.layers if "many" in layer.name]
    assert [layer.name for layer in model.layers if "many" in layer.name]
    images = toys.batch(model.tasks.values())[0]
    raw = model.raw_outputs("objects", narrow(images))
    task = model.tasks["objects"]
    whole = task.decode(model.raw_outputs("objects", model(images)), (32, 32))
    for name, value in task.decode(raw, (32, 32)).items():
        np.testing.assert_array_equal(value, whole[name], err_msg=name)


@pytest.mark.slow
def test_each_object_is_found_once():
    task = Detection("d", 2, end_to_end=True, normaliser="batch")
    maps = {f"P{i}": keras.Input((32 // 2**i, 32 // 2**i, 4)) for i in (2, 3)}
    random = np.random.default_rng(0)
    raw = {
        key: tf.Variable(random.normal(-2, 1, (2, *x.shape[1:])), dtype="float32")
        for key, x in task.outputs(maps).items()
    }
    truth = {
        "boxes": [[[2, 2, 18, 14], [16, 18, 30, 30]], [[4, 4, 28, 28], [0, 0, 0, 0]]],
        "classes": [[0, 1], [1, -1]],
    }
    labels = {"boxes": tf.constant(truth["boxes"], tf.float32), "classes": tf.constant(truth["classes"])}
    optimizer = keras.optimizers.Adam(0.3)
    optimizer.build(list(raw.values()))

    @tf.function(autograph=False)
    def step():
        with tf.GradientTape() as tape:
            loss = task.loss(labels, {key: x.value() for key, x in raw.items()})
            total = tf.reduce_sum(loss.sums / tf.reduce_sum(loss.amounts, axis=0))
        optimizer.apply_gradients(zip(tape.gradient(total, list(raw.values())), raw.values(), strict=True))
        return loss

    for _ in range(100):
        loss = step()
    assert isinstance(loss, ByAmount)
    np.testing.assert_allclose(loss.amounts[:, 0], [2, 1])  # a cell an object
    assert (loss.amounts[:, 1].numpy() > [2, 1]).all()
    found = task.decode({key: x.value() for key, x in raw.items()}, (32, 32))
    assert (found["scores"] > 0.5).numpy().sum(axis=1).tolist() == [2, 1]
    np.testing.assert_allclose(found["boxes"][1, 0], [4, 4, 28, 28], atol=1)
    order = np.argsort(found["classes"][0, :2])
    np.testing.assert_allclose(found["boxes"].numpy()[0, :2][order], truth["boxes"][0], atol=1)
