"""A want of memory in plain `fit` stays the error it was, with a note of what would fit."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import visionmtl
from visionmtl.step.plain_words import plain_words


@pytest.mark.parametrize(
    ("given", "step", "half"),
    [
        ("arrays", "6 images of 8 x 4 pixels", "batches of 3"),
        ("batches of a kind", "6 images of 8 x 4 pixels", "batches of 3"),
        ("batches of any size", "so many images of 8 x 4 pixels", "batches of half the size"),
    ],
)
def test_what_would_fit_is_a_note_to_the_error(given, step, half):
    image = keras.Input((8, 4, 3))
    model = visionmtl.BalancedModel(image, {"one": keras.layers.Dense(1)(keras.layers.Flatten()(image))})
    model.compile("sgd", {"one": "mse"})
    images, labels = np.zeros((12, 8, 4, 3)), {"one": np.zeros(12)}
    dataset = tf.data.Dataset.from_tensor_slices((images, labels))

    def exhausted(iterator):
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")

    model.train_function = exhausted
    arguments = (images, labels, 6) if given == "arrays" else (dataset.batch(6, drop_remainder=given[-4:] == "kind"),)
    with pytest.raises(tf.errors.ResourceExhaustedError) as raised:
        model.fit(*arguments, verbose=0)
    (note,) = raised.value.__notes__
    assert note.startswith(
        f"There is not enough memory for a step of {step}: {half}, with gradient_accumulation_steps="
    )


@pytest.mark.parametrize(
    ("replicas", "said"),
    [
        (1, "batches of 2, with gradient_accumulation_steps=2 in the optimizer, take"),
        (2, "batches of 2, with gradient_accumulation_steps=2 in the optimizer, take"),
        (None, "batches of 2 take"),
    ],
)
def test_no_advice_is_of_what_cannot_be_done(replicas, said):
    with (
        pytest.raises(MemoryError) as raised,
        plain_words(np.zeros((4, 8, 4, 3)), 4, replicas),
    ):
        raise MemoryError
    assert said in raised.value.__notes__[0]
