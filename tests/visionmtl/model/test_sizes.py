"""Training at smaller images first."""

import keras
import numpy as np
import pytest
import tensorflow as tf
import toys

from visionmtl.errors import UsageError
from visionmtl.model.resizing import resized
from visionmtl.model.sizes import Sizes
from visionmtl.tasks import shrinking

FULL, HALF = 64, 32
KINDS, TRAINED = ("scene", "objects", "ground", "range"), ("scene", "ground")


def made(sizes=None, sharing="hard", balancing="equal"):
    keras.utils.set_random_seed(0)
    backbone, shape = toys.backbone(size=FULL), (FULL, FULL, 3)
    model = toys.model(toys.tasks(*TRAINED), backbone=backbone, image_shape=shape, sharing=sharing)
    model.compile(keras.optimizers.SGD(0.01), balancing=balancing, sizes=sizes)
    return model


def fit(model, batch, epochs=1, **options):
    images, labels, weights = batch
    return model.fit(images, labels, 4, epochs, 0, sample_weight=weights, shuffle=False, **options)


def batch():
    return toys.batch(toys.tasks(*TRAINED), size=FULL)


def assert_alike(one, other, atol=1e-6):
    for first, second in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(first, second, atol=atol)


def test_an_image_of_half_the_size_is_the_mean_of_its_areas_and_its_labels_follow():
    images, labels, _ = toys.batch(toys.tasks(*KINDS), size=FULL)
    small = shrinking.images(tf.constant(images), (HALF, HALF))
    np.testing.assert_allclose(small, tf.nn.avg_pool2d(images, 2, 2, "VALID"), rtol=1e-5)
    of = {task.name: task for task in toys.tasks(*KINDS)}
    given = tf.nest.map_structure(tf.constant, labels)
    shrunk = {name: shrinking.labels(of[name], given[name], (FULL, FULL), (HALF, HALF)) for name in of}
    np.testing.assert_array_equal(shrunk["scene"], labels["scene"])
    np.testing.assert_allclose(shrunk["objects"]["boxes"], labels["objects"]["boxes"] / 2)
    np.testing.assert_array_equal(shrunk["objects"]["classes"], labels["objects"]["classes"])
    for name in ("ground", "range"):
        np.testing.assert_array_equal(shrunk[name], labels[name][:, 1::2, 1::2])


@pytest.mark.parametrize("long", [288, 384, 64])
@pytest.mark.parametrize("short", [32, 160, 224])
def test_areas_add_up_to_one_for_a_pixel_and_cover_all_alike(long, short):
    areas = shrinking.areas(long, short)
    np.testing.assert_allclose(areas.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(areas.sum(axis=0), short / long, rtol=1e-4)


@pytest.mark.parametrize("balancing", ["equal", pytest.param("pcgrad", marks=pytest.mark.slow)])
def test_a_small_epoch_trains_as_a_model_of_that_size_does(balancing):
    images, labels, weights = batch()
    model, small = made({0: 0.5, 1: 1.0}, balancing=balancing), resized(made(), (HALF, HALF))
    small.compile(keras.optimizers.SGD(0.01), balancing=balancing)
    fit(model, (images, labels, weights))
    given = tf.nest.map_structure(tf.constant, labels)
    shrunk = {
        name: shrinking.labels(task, given[name], (FULL, FULL), (HALF, HALF)) for name, task in model.tasks.items()
    }
    shrunk = tf.nest.map_structure(np.array, shrunk)
    fit(small, (np.array(shrinking.images(tf.constant(images), (HALF, HALF))), shrunk, weights))
    assert_alike(model, small)
    with pytest.raises(ValueError, match="incompatible"):
        model(images[:, :HALF, :HALF])  # it takes whole images alone, beside its training


@pytest.mark.slow
def test_the_epochs_after_small_ones_train_on_whole_images_wherever_a_training_goes_on():
    model, whole = made({0: 0.5, 1: 1.0}), made()
    fit(model, batch())
    whole.set_weights(model.get_weights())
    fit(model, batch(), epochs=2, initial_epoch=1)
    fit(whole, batch())
    assert_alike(model, whole, atol=1e-5)


@pytest.mark.slow
def test_two_devices_train_on_smaller_images_like_one(two_devices):
    strategy = tf.distribute.MirroredStrategy(two_devices, tf.distribute.ReductionToOneDevice())
    with strategy.scope():
        mirrored = made({0: 0.5})
    alone = made({0: 0.5})
    for model in (mirrored, alone):
        fit(model, batch())
    assert_alike(mirrored, alone, atol=1e-5)


def test_a_saved_model_keeps_its_sizes(tmp_path):
    made({0: 0.5, 2: 1}).save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert again.sizes.by_epoch == {0: (HALF, HALF), 2: (FULL, FULL)}
    assert again.sizes.all == ((HALF, HALF), None)


@pytest.mark.parametrize(
    ("sizes", "said"),
    [
        ({1: 0.5}, "say nothing of epoch 0"),
        ({0: 1.5}, r"sizes\[0\]"),
        ({"first": 0.5}, "expected fractions by epoch"),
        (0.5, "expected fractions by epoch"),
    ],
)
def test_what_are_no_sizes_is_refused(sizes, said):
    with pytest.raises(UsageError, match=said):
        Sizes((FULL, FULL), sizes)


def test_labels_that_nothing_is_known_of_are_refused_and_a_task_may_say_how():
    (scene,) = toys.tasks("scene")
    points = tf.zeros((4, 7, 3))
    with pytest.raises(UsageError, match="method shrunk"):
        shrinking.labels(scene, points, (FULL, FULL), (HALF, HALF))
    scene.shrunk = lambda labels, before, size: labels + size[0] / before[0]
    np.testing.assert_array_equal(shrinking.labels(scene, points, (FULL, FULL), (HALF, HALF)), points + 0.5)
