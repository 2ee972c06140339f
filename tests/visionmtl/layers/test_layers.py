"""The layers, each alone."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from visionmtl.layers.convolution import ConvBlock
from visionmtl.layers.normalisation import FusedBatchNormalization, fuse_normalisation
from visionmtl.layers.uncertainty import UncertaintyWeighting


@pytest.mark.parametrize("options", [{}, {"strides": 2}, {"separable": False, "kernel_size": 1, "activation": None}])
def test_conv_block_says_its_shape_and_is_made_again_from_its_config(options):
    block = ConvBlock(6, **options)
    x = tf.random.stateless_uniform((2, 9, 8, 3), (0, 1))
    assert tuple(block(x).shape) == block.compute_output_shape((2, 9, 8, 3))
    again = ConvBlock.from_config(block.get_config())
    again.build(x.shape)
    again.set_weights(block.get_weights())
    np.testing.assert_array_equal(again(x), block(x))


@pytest.mark.parametrize("training", [True, False])
def test_fused_normalisation_equals_keras(training):
    x = tf.random.stateless_normal((4, 6, 5, 3), (0, 1)) * 3 + 2
    fused, plain = FusedBatchNormalization(momentum=0.9), keras.layers.BatchNormalization(momentum=0.9)
    results = []
    for layer in (fused, plain):
        layer.build(x.shape)
        layer.set_weights([np.array([1.0, 2, 3]), np.array([0.5, 0, -1]), np.array([2.0, 1, 0]), np.array([4.0, 9, 1])])
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x, training=training)
            loss = tf.reduce_sum(y**3)
        slopes = tape.gradient(loss, [x, layer.gamma.value, layer.beta.value])
        results.append([y, *slopes, layer.moving_mean.numpy(), layer.moving_variance.numpy()])
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-3)


def test_fused_normalisation_takes_vectors_and_bfloat16():
    assert FusedBatchNormalization()(tf.ones((3, 4))).shape == (3, 4)
    layer = FusedBatchNormalization(dtype="mixed_bfloat16")
    assert layer(tf.ones((2, 4, 4, 3)), training=True).dtype == tf.bfloat16


def test_fusing_a_model_keeps_its_outputs(toy_backbone):
    model = toy_backbone()
    fused = fuse_normalisation(model)
    x = np.random.default_rng(0).uniform(0, 255, (2, 32, 32, 3)).astype("float32")
    kinds = [type(layer) for layer in fused.layers]
    assert keras.layers.BatchNormalization not in kinds
    assert FusedBatchNormalization in kinds
    for level, features in model(x).items():
        np.testing.assert_allclose(features, fused(x)[level], atol=1e-5)


def test_uncertainty_weighting_is_kendalls_sum():
    layer = UncertaintyWeighting(regression=[True, False])
    layer.build((2,))
    layer.set_weights([np.array([0.4, -0.3], "float32")])
    total = layer([tf.constant(2.0), tf.constant(5.0)])
    assert float(total) == pytest.approx(2 * np.exp(-0.4) / 2 + 0.4 / 2 + 5 * np.exp(0.3) - 0.3 / 2, rel=1e-6)
    absent = layer([tf.constant(2.0), tf.constant(0.0)], present=tf.constant([1.0, 0.0]))
    assert float(absent) == pytest.approx(2 * np.exp(-0.4) / 2 + 0.4 / 2, rel=1e-6)


@pytest.mark.slow
def test_uncertainty_weighting_works_alone_in_a_plain_keras_model():
    random = np.random.default_rng(0)
    x = random.normal(size=(256, 4)).astype("float32")
    quiet = x @ random.normal(size=4).astype("float32")
    noisy = quiet + random.normal(size=256).astype("float32") * 3

    features, first, second = (keras.Input(shape) for shape in ((4,), (), ()))
    losses = [keras.ops.square(keras.layers.Dense(1)(features)[:, 0] - target) for target in (first, second)]
    weighting = UncertaintyWeighting(regression=[True, True])
    model = keras.Model([features, first, second], weighting(losses))
    model.compile(keras.optimizers.Adam(0.05), loss=lambda _, total: total)
    data = tf.data.Dataset.from_tensor_slices(((x, quiet, noisy), np.zeros(256))).batch(64)
    model.fit(data.repeat(60), verbose=0)

    # At the optimum s is the log of the mean squared error: the noise's variance is 9, the quiet task has none.
    assert weighting.log_variance.numpy()[1] == pytest.approx(np.log(9), abs=0.3)
    assert weighting.log_variance.numpy()[0] < 0
