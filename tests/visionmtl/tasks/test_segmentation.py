"""A segmentation's head and what teaches it beside the pixels it predicts."""

import keras
import numpy as np
import pytest
import tensorflow as tf
import toys

from visionmtl.export import narrowing
from visionmtl.layers import GuidedUpsampling
from visionmtl.tasks import Segmentation


def test_the_auxiliary_loss_is_the_cross_entropy_of_each_cells_mean_distribution():
    labels = np.full((1, 16, 16), 255)
    labels[0, :8, :4], labels[0, :8, 4:8] = 0, 1  # one cell, half and half; of the next to it, a quarter is labelled
    labels[0, :4, 8:12] = 1
    outputs = {"logits": tf.zeros((1, 8, 8, 2)), "coarse": tf.constant([[[[0.0, 2.0]] * 2] * 2])}
    plain, taught = (float(Segmentation("s", 2, auxiliary=x).loss(labels, outputs)[0]) for x in (0, 0.5))
    wrong, right = np.log1p(np.exp(2.0)), np.log1p(np.exp(-2.0))
    assert taught - plain == pytest.approx(0.5 * (4 * (wrong + right) / 2 + right) / 5, rel=1e-5)


@pytest.mark.slow
def test_what_only_teaches_is_in_no_export_and_changes_no_prediction():
    model = toys.model([Segmentation("ground", 3, auxiliary=0.4)])
    network = narrowing.network(model)
    assert [*network.output] == ["ground_logits"]
    images = toys.batch(model.tasks.values())[0]
    told = model.decode(network.predict(images, verbose=0))["ground_classes"]
    np.testing.assert_array_equal(told, model.predict(images, verbose=0)["ground_classes"])


def test_a_guided_upsampling_starts_as_the_bilinear_one():
    x = tf.random.stateless_normal((2, 5, 4, 3), (0, 1))
    bilinear = keras.layers.UpSampling2D(2, interpolation="bilinear")(x)
    np.testing.assert_allclose(GuidedUpsampling()([x, tf.zeros((2, 5, 4, 6))]), bilinear, atol=1e-6)


def test_guides_say_for_each_pixel_from_which_of_four_cells_it_reads():
    x = tf.reshape(tf.range(4.0), (1, 2, 2, 1))  # 0 1 above 2 3
    guides = np.full((1, 2, 2, 6), -50.0, "float32")
    stay = GuidedUpsampling()([x, tf.constant(guides)])[0, ..., 0].numpy()
    np.testing.assert_allclose(stay, [[0, 0, 1, 1], [0, 0, 1, 1], [2, 2, 3, 3], [2, 2, 3, 3]], atol=1e-6)
    guides[0, 0, 0, 1] = 50  # the lower pixels of the first cell go down,
    guides[0, 0, 0, 5] = 50  # and of them the right one then goes right
    moved = GuidedUpsampling()([x, tf.constant(guides)])[0, ..., 0].numpy()
    np.testing.assert_allclose(moved, [[0, 0, 1, 1], [2, 1, 1, 1], [2, 2, 3, 3], [2, 2, 3, 3]], atol=1e-6)


def test_a_favoured_class_wins_where_its_probability_times_its_number_is_the_largest_and_learns_the_same():
    probabilities = np.array([[0.7, 0.3], [0.8, 0.2]], "float32")
    outputs = {"logits": tf.math.log(np.tile(probabilities[None, :, None], (1, 1, 2, 1)))}
    plain, favoured = Segmentation("s", ["road", "pole"]), Segmentation("s", ["road", "pole"], favour={"pole": 3})
    size, labels = (2, 2), np.ones((1, 4, 4), "int32")
    assert plain.decode(outputs, size)["classes"].numpy().tolist() == [[[0, 0], [0, 0]]]
    assert favoured.decode(outputs, size)["classes"].numpy().tolist() == [[[1, 1], [0, 0]]]
    assert favoured.loss(labels, outputs) == plain.loss(labels, outputs)
