"""DSelect-k's gate, against what the paper says, and where its selectors end."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from visionmtl import sharing
from visionmtl.errors import UsageError
from visionmtl.sharing.dselect_k import Selection, binary_codes, selected, smooth_step


def step_in_words(x, width):
    """The paper's equation, in float64."""
    if x <= -width / 2:
        return 0.0
    return 1.0 if x >= width / 2 else -2 / width**3 * x**3 + 3 / (2 * width) * x + 0.5


@pytest.mark.parametrize("width", [0.5, 1.0, 3.0])
def test_the_smooth_step_is_the_papers_and_exact_at_its_ends(width):
    x = np.linspace(-width, width, 41)
    found = np.asarray(smooth_step(tf.constant(x, tf.float32), width))
    np.testing.assert_allclose(found, [step_in_words(each, width) for each in x], atol=1e-6)
    assert set(found[np.abs(x) > width / 2]) == {0.0, 1.0}


@pytest.mark.parametrize("count", [2, 3, 5, 8])
def test_a_selector_takes_of_each_expert_the_product_over_its_digits(count):
    codes, z = binary_codes(count), np.random.default_rng(count).uniform(-0.6, 0.6, (3, (count - 1).bit_length()))
    assert ["".join(str(int(digit)) for digit in code) for code in codes] == [
        np.binary_repr(number, codes.shape[1]) for number in range(count)
    ]
    steps = np.vectorize(lambda x: step_in_words(x, 1.0))(z)
    expected = [
        [np.prod([x if bit else 1 - x for x, bit in zip(row, code, strict=True)]) for code in codes] for row in steps
    ]
    np.testing.assert_allclose(selected(tf.constant(z, tf.float32), codes, 1.0), expected, atol=1e-6)


@pytest.mark.parametrize("count", [4, 5])
def test_a_trained_gate_ends_with_at_most_k_experts_whose_weights_sum_to_one(count):
    keras.utils.set_random_seed(0)
    gate, worth = Selection(count, 2), tf.constant([1.0, 3.0, 0.0, 2.9, 0.5][:count])
    gate.build((None, 1))
    optimizer = keras.optimizers.Adam(0.05)

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            loss = gate.penalty(0.05) - tf.reduce_sum(worth * gate.weights_of_experts())
        optimizer.apply_gradients([(tape.gradient(loss, gate.z), gate.z)])

    optimizer.build([gate.z])
    for _ in range(150):
        step()
    weights = np.asarray(gate.weights_of_experts())
    assert 1 <= np.count_nonzero(weights) <= 2
    assert weights.sum() == pytest.approx(1, abs=1e-6)
    assert weights[2] == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [({"k": 5}, "k=5 of count=4 experts"), ({"count": 1}, "count=1: expected a whole"), ({"width": 0}, "width=0")],
)
def test_what_a_gate_cannot_be_is_refused(options, message):
    with pytest.raises(UsageError, match=message):
        sharing.get("dselect_k", **options)
