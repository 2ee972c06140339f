"""Arrays that `fit` is given in another form than the contract's: told in a sentence, not by an error of Keras."""

import keras
import numpy as np
import pytest
import tensorflow as tf
import toys

from visionmtl import BalancedModel
from visionmtl.errors import UsageError

IMAGES = np.full((4, 32, 32, 3), 99, "uint8")
SCENE = np.array([0, 1, 2, 0])


@pytest.fixture(scope="module")
def compiled():
    """A model of two tasks that every test here may train on."""
    model = toys.model(toys.tasks("scene", "objects"))
    model.compile("sgd", run_eagerly=True)
    return model


@pytest.fixture
def traced(compiled):
    """The same, whose steps are graphs, in which shapes may be unknown."""
    compiled.run_eagerly, compiled.train_function = False, None
    yield compiled
    compiled.run_eagerly, compiled.train_function = True, None


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (IMAGES.transpose(0, 3, 1, 2), r"\[B, 3, 32, 32\]: expected \[B, 32, 32, 3\]. Their channels come first"),
        (IMAGES[..., :1], r"\[B, 32, 32, 1\]: .* Grey pictures are repeated"),
        (IMAGES[..., 0], r"\[B, 32, 32\]: .* Grey pictures need channels"),
        (np.concatenate([IMAGES, IMAGES[..., :1]], -1), "The fourth channel, alpha, is left out"),
        (np.full((4, 48, 48, 3), 99), "Resize them with their labels, or build the model with image_shape"),
        (list(IMAGES), "The images are a list of 4, which Keras takes for 4 inputs: .*np.stack"),
        (np.array(["a.jpg"] * 4), "The images are an array of texts: expected numbers"),
    ],
)
def test_images_of_another_form_are_told_with_what_makes_them_fit(compiled, images, message):
    with pytest.raises(UsageError, match=message):
        compiled.fit(images, {"scene": SCENE}, verbose=0)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ({"scene": np.array(["indoor"] * 4)}, "The labels of 'scene' are an array of texts: .* numbered in the order"),
        ({"scene": np.array([0, 1, None, 2])}, "The labels of 'scene' are an array of objects"),
        (
            {"objects": {"boxes": [[[1, 2, 9, 9]], [], [], []], "classes": [[0], [], [], []]}},
            "The labels of 'objects' are lists of unequal lengths: .* class -1",
        ),
    ],
)
def test_labels_that_are_no_arrays_of_numbers_are_told(compiled, labels, message):
    with pytest.raises(UsageError, match=message):
        compiled.fit(IMAGES, labels, verbose=0)


def test_shapes_that_are_not_known_are_told(traced):
    kinds = (tf.uint8, {"scene": tf.int32})
    data = tf.data.Dataset.from_generator(lambda: iter([(IMAGES, {"scene": SCENE})]), output_types=kinds)
    with pytest.raises(UsageError, match="not known how many axes the labels of 'scene' have: .*output_signature"):
        traced.fit(data, verbose=0)


def test_a_padded_batch_without_any_object_trains(traced):
    kinds = {"boxes": tf.TensorSpec((None, 4)), "classes": tf.TensorSpec((None,), tf.int32)}

    def none():
        for image in IMAGES:
            yield image, {"objects": {"boxes": np.zeros((0, 4)), "classes": np.zeros(0, int)}}

    signature = (tf.TensorSpec((32, 32, 3), tf.uint8), {"objects": kinds})
    data = tf.data.Dataset.from_generator(none, output_signature=signature).padded_batch(2)
    assert np.isfinite(traced.fit(data, verbose=0).history["objects_loss"][0])


def test_models_of_several_inputs_still_take_a_list():
    inputs = [keras.Input((2,)), keras.Input((2,))]
    merged = keras.layers.Add()(inputs)
    model = BalancedModel(inputs, {"one": keras.layers.Dense(1, name="one")(merged)})
    model.compile("sgd", loss={"one": "mse"})
    assert model.fit([np.ones((2, 2)), np.ones((2, 2))], {"one": np.ones((2, 1))}, verbose=0).history["loss"]
