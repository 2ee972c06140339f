"""Learning rates by layer: what they change, on several devices, and in a saved model."""

from types import MappingProxyType
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
import toys

import visionmtl
from visionmtl.errors import UsageError

RATES = {"backbone": 0.5, "P2": 0.5, "neck": 2.0}


@pytest.mark.slow
def test_parts_move_and_decay_by_their_fraction_and_those_of_parts_that_overlap_are_multiplied():
    made = []
    for rates in (None, RATES):
        model = toys.model(toys.tasks("scene"))
        model.compile(keras.optimizers.AdamW(weight_decay=0.1), rates=rates)
        images, labels, weights = toys.batch(toys.tasks("scene"))
        model.fit(images, labels, 4, sample_weight=weights, verbose=0)
        made.append(model.layers)
    for first, one, other in zip(toys.model(toys.tasks("scene")).layers, *made, strict=True):
        fraction = np.prod([fraction for part, fraction in RATES.items() if first.name in model.parts[part]])
        for start, moved, less in zip(*(layer.trainable_weights for layer in (first, one, other)), strict=True):
            expected = (np.array(moved) - np.array(start)) * fraction
            np.testing.assert_allclose(np.array(less) - np.array(start), expected, atol=1e-6)


def small(rates: Any = MappingProxyType({"shared": 0.1})) -> visionmtl.BalancedModel:
    """Return a small model, compiled, whose first layer learns and decays at a tenth of the rate."""
    keras.utils.set_random_seed(0)
    table = keras.Input((3,))
    shared = keras.layers.Dense(4, name="shared")(table)
    model = visionmtl.BalancedModel(table, {name: keras.layers.Dense(1, name=name)(shared) for name in "ab"})
    optimizer = keras.optimizers.AdamW(0.01, weight_decay=0.5)
    model.compile(optimizer, dict.fromkeys("ab", "mse"), rates=rates, clip_norm=1.0)
    return model


def fit(model: visionmtl.BalancedModel, seed: int = 0) -> None:
    random = np.random.default_rng(seed)
    table, labels = random.normal(size=(8, 3)), {name: random.normal(size=8) for name in "ab"}
    model.fit(table.astype("float32"), labels, 4, shuffle=False, verbose=0)


@pytest.mark.slow
def test_fractions_of_one_change_no_bit():
    plain, ones = small(None), small({"shared": 1.0})
    for model in (plain, ones):
        fit(model)
    for one, other in zip(plain.get_weights(), ones.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.slow
def test_two_devices_train_with_fractions_as_one(two_devices):
    strategy = tf.distribute.MirroredStrategy(two_devices, tf.distribute.ReductionToOneDevice())
    with strategy.scope():
        mirrored = small()
    alone = small()
    for model in (mirrored, alone):
        fit(model)
    for one, other in zip(mirrored.trainable_variables, alone.trainable_variables, strict=True):
        np.testing.assert_allclose(np.array(one), np.array(other), atol=1e-6)


@pytest.mark.slow
def test_a_saved_model_goes_on_with_its_fractions_to_the_bit(tmp_path):
    model = small()
    fit(model)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    for each in (model, again):
        fit(each, seed=1)
    for one, other in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("rates", "said"),
    [
        ({"backbon": 0.1}, "Did you mean 'backbone'"),
        ({"neck": 0}, "a rate of 'neck'"),
        (0.1, "expected fractions by part"),
    ],
)
def test_what_is_no_fraction_of_a_part_is_refused(rates, said):
    with pytest.raises(UsageError, match=said):
        toys.model(toys.tasks("scene")).compile(rates=rates)
