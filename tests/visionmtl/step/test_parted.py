"""Batch normalisations that learn with the statistics they have."""

import keras
import numpy as np
import pytest
import tensorflow as tf
import toys

import visionmtl
from visionmtl.errors import UsageError
from visionmtl.layers import FusedBatchNormalization


def normalisations(model):
    return {each.name: each for each in model._flatten_layers() if isinstance(each, keras.layers.BatchNormalization)}


@pytest.mark.slow
def test_a_part_keeps_its_statistics_and_uses_them_while_its_weights_learn(tmp_path):
    tasks = toys.tasks("ground")
    model, images = toys.model(tasks), toys.batch(tasks)
    model.compile(keras.optimizers.SGD(0.1), freeze_statistics=["backbone"])
    found = normalisations(model)
    before = {name: [np.array(v) for v in each.variables] for name, each in found.items()}
    model.fit(images[0], images[1], 4, sample_weight=images[2], verbose=0)
    backbone = [name for name in found if name.startswith("normalisation_") and name[-1].isdigit()]
    assert backbone
    for name, each in found.items():
        names = [variable.name for variable in each.variables]
        moved = {n: not np.array_equal(old, v) for n, old, v in zip(names, before[name], each.variables, strict=True)}
        assert moved["moving_mean"] == moved["moving_variance"] == (name not in backbone)
        assert moved["gamma"]
    model.save(tmp_path / "model.keras")
    again = normalisations(keras.saving.load_model(tmp_path / "model.keras"))
    assert [name for name, each in again.items() if each.freezes_statistics] == backbone


def test_statistics_that_stay_normalise_in_training_as_in_prediction():
    layer = FusedBatchNormalization()
    images = np.random.default_rng(0).normal(size=(2, 3, 3, 4)).astype("float32")
    layer.build(images.shape)
    layer.freezes_statistics = True
    np.testing.assert_array_equal(layer(images, training=True), layer(images, training=False))


def test_a_part_without_batch_normalisation_is_refused_and_so_is_one_that_is_not_there():
    model = toys.model(toys.tasks("scene"))
    with pytest.raises(UsageError, match="'scene', in which no layer is a batch normalisation"):
        model.compile(freeze_statistics=["scene"])
    with pytest.raises(UsageError, match="Did you mean 'backbone'"):
        model.compile(freeze_statistics=["backbon"])


def normalised(devices, kind=FusedBatchNormalization, **options):
    """The weights after three steps of a small model with batch normalisations, on one device or several."""
    random = np.random.default_rng(0)
    images, labels = random.normal(size=(12, 6, 6, 2)).astype("float32"), random.normal(size=(12, 1)).astype("float32")
    images[2:4] += 3  # of each batch of four the second half, which another device has, is unlike the first
    images[4:6] *= 2
    place = tf.distribute.MirroredStrategy(devices, tf.distribute.ReductionToOneDevice())
    with place.scope() if len(devices) > 1 else tf.device(devices[0]):
        keras.utils.set_random_seed(0)
        image = keras.Input((6, 6, 2))
        x = kind(momentum=0.5)(keras.layers.Conv2D(3, 3)(image))
        model = visionmtl.BalancedModel(image, {"one": keras.layers.Dense(1)(keras.layers.Flatten()(x))})
        model.compile(keras.optimizers.SGD(0.1), {"one": "mse"}, **options)
    model.fit(images, {"one": labels}, 4, shuffle=False, verbose=0)
    for variable in model.variables if len(devices) > 1 else ():
        first, second = place.experimental_local_results(variable.value)
        np.testing.assert_array_equal(first, second)
    return model.get_weights()


@pytest.mark.slow
def test_statistics_of_all_devices_make_two_train_like_one_and_those_of_each_do_not(two_devices):
    together = normalised(two_devices[:1], synchronise_statistics=True)
    for one, other in zip(together, normalised(two_devices[:1], synchronise_statistics=False), strict=True):
        np.testing.assert_array_equal(one, other)  # of one device nothing changes
    for one, two in zip(together, normalised(two_devices, synchronise_statistics=True), strict=True):
        np.testing.assert_allclose(one, two, atol=1e-5)
    apart = normalised(two_devices, synchronise_statistics=False)
    assert max(np.abs(one - two).max() for one, two in zip(together, apart, strict=True)) > 1e-2
    with pytest.raises(UsageError, match=r"is a BatchNormalization, which would keep other statistics on each of 2"):
        normalised(two_devices, keras.layers.BatchNormalization, synchronise_statistics=False)


def test_statistics_of_vectors_are_the_mean_of_the_devices_too(two_devices):
    place = tf.distribute.MirroredStrategy(two_devices, tf.distribute.ReductionToOneDevice())
    with place.scope():
        layer = FusedBatchNormalization(synchronized=False, momentum=0.5)
        layer.build((None, 3))
    place.run(
        lambda: layer(
            tf.ones((2, 3)) * tf.cast(tf.distribute.get_replica_context().replica_id_in_sync_group, "float32"),
            training=True,
        )
    )
    for one in place.experimental_local_results(layer.moving_mean.value):
        np.testing.assert_allclose(one, [0.25] * 3)
