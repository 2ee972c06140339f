"""What `fit`, `evaluate`, `predict` and steps on a batch are given that is no array or data set of batches."""

import re

import keras
import numpy as np
import pytest
import tensorflow as tf
import toys
from PIL import Image

from visionmtl.errors import UsageError

IMAGES = np.full((4, 32, 32, 3), 99, "uint8")
SCENE = np.array([0, 1, 2, 0])
LABELS = {"scene": SCENE}


@pytest.fixture(scope="module")
def model():
    """A model that every test here may train on."""
    model = toys.model(toys.tasks("scene"))
    model.compile("sgd", run_eagerly=True)
    return model


def batches(images=IMAGES, labels=LABELS):
    return tf.data.Dataset.from_tensor_slices((images, labels))


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (None, "There are no images: expected an array"),
        ([], "The images are an empty list"),
        ("a.jpg", "given by a path, as 'a.jpg': .*visionmtl.prediction.predict"),
        (["a.jpg", "b.jpg"], "given by paths, as 'a.jpg'"),
        (Image.new("RGB", (32, 32)), "The images are pictures of Pillow: .*np.stack"),
        ([Image.new("RGB", (32, 32))] * 2, "a list of pictures of Pillow"),
        ([*IMAGES], "The images are a list of 4, which Keras takes for 4 inputs: .*np.stack"),
        (iter([(IMAGES, LABELS)]), "an iterator, list_iterator: .*for batch in batches"),
        (batches, r"a function, batches: .*call it, as batches\(\)"),
        (IMAGES.astype("complex64"), "an array of complex numbers"),
        (np.ma.masked_equal(IMAGES, 99), "masked array, whose mask Keras passes over"),
        (IMAGES[0], r"\[B, 32, 3\]: .* One picture is images.None.*data.batch"),
        (IMAGES / 255, "no number larger than 0.388.*: expected 0 to 255"),
        (IMAGES / 9.0 - 100, "The images have the number -89: expected 0 to 255"),
        (np.where(IMAGES == 99, np.nan, 0), "NaN or infinite"),
    ],
)
def test_predict_tells_what_is_no_batch_of_images(model, images, message):
    with pytest.raises(UsageError, match=message):
        model.predict(images, verbose=0)


def test_predict_tells_of_values_in_a_graph_and_of_a_model_that_is_not_compiled():
    model = toys.model(toys.tasks("scene"))
    assert model.predict(IMAGES, verbose=0)["scene_probabilities"].shape == (4, 3)
    dark = np.ones_like(IMAGES)  # as a film has
    assert model.predict(dark, verbose=0)["scene_probabilities"].shape == (4, 3)
    for predict in (model.predict, model.predict_on_batch):
        with pytest.raises(UsageError, match="^The images have no number larger than 0.388.*do not divide.$"):
            predict(IMAGES / 255.0)


@pytest.mark.parametrize("empty", [IMAGES[:0], batches(IMAGES, SCENE).batch(2).take(0)])
def test_nothing_to_predict_on_is_told(model, empty):
    with pytest.raises(UsageError, match="no sample.*nothing to predict"):
        model.predict(empty, verbose=0)


@pytest.mark.filterwarnings("ignore:Your input ran out of data")
def test_no_sample_is_no_score_and_no_training(model):
    none = batches().batch(2).take(0)
    for measure in (model.evaluate, model.fit):
        for given in ((IMAGES[:0], {"scene": SCENE[:0]}), (none,)):
            with pytest.raises(UsageError, match="no sample.*nothing to (measure|learn)"):
                measure(*given, verbose=0)
    with pytest.raises(UsageError, match="nothing to measure"):
        model.fit(IMAGES, LABELS, validation_data=none, verbose=0)


@pytest.mark.parametrize(
    ("labels", "weights", "message"),
    [
        ({"scene": np.ma.masked_equal(SCENE, 0)}, None, r"labels of 'scene' are a masked array.*filled\(-1\)"),
        ({"scene": SCENE[:3]}, None, "There are 4 images and 3 labels of 'scene'"),
        ({"scene": [{"id": 1}] * 4}, None, "a list of dictionaries, one an image"),
        ({"scene": np.array(["a"] * 4, object)}, None, "an array of texts"),
        (LABELS, {"scene": np.ones(3)}, "There are 4 images and 3 weights of 'scene'"),
        (LABELS, {"scene": {0: 2.0}}, "The weights of 'scene' are a dictionary of 0: expected a number for each"),
        (LABELS, {"scene": np.array(["1"] * 4)}, "The weights of 'scene' are an array of texts"),
    ],
)
def test_labels_and_weights_that_are_not_one_number_a_sample_are_told(model, labels, weights, message):
    with pytest.raises(UsageError, match=message):
        model.fit(IMAGES, labels, sample_weight=weights, verbose=0)
    with pytest.raises(UsageError, match=message):  # of validation, before any step
        model.fit(IMAGES, LABELS, validation_data=(IMAGES, labels, weights), verbose=0)


def test_weights_may_be_one_number_or_a_list(model):
    expected = model.evaluate(IMAGES, LABELS, sample_weight={"scene": np.full(4, 2.0)}, verbose=0)
    for weights in (2.0, [2.0] * 4):
        assert model.evaluate(IMAGES, LABELS, sample_weight={"scene": weights}, verbose=0) == expected


def test_arguments_given_by_their_places_are_those_of_their_names(model):
    weights = {"scene": np.array([1.0, 0, 0, 0])}
    expected = model.evaluate(IMAGES, LABELS, sample_weight=weights, verbose=0)
    assert model.evaluate(IMAGES, LABELS, None, 0, weights) == expected
    with pytest.raises(UsageError, match="class_weight is for one task alone"):
        model.fit(IMAGES, LABELS, 4, 1, 0, None, 0.0, None, True, {0: 1.0})
    for step in (model.train_on_batch, model.test_on_batch):
        with pytest.raises(UsageError, match="3 weights of 'scene'"):
            step(IMAGES, LABELS, {"scene": np.ones(3)})


def test_what_is_wrong_with_one_batch_is_told_at_once_and_of_no_later_one(model):
    wrong = {"scene": SCENE + 1}
    for step in (model.train_on_batch, model.test_on_batch):
        for _ in range(3):
            with pytest.raises(UsageError, match="class id 3: expected 0 to 2"):
                step(IMAGES, wrong)
        step(IMAGES, LABELS)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epochs": -1}, "epochs=-1: expected a whole number of at least 0"),
        ({"epochs": "2"}, "epochs='2'"),
        ({"batch_size": 0}, "batch_size=0: expected a whole number of at least 1"),
        ({"steps_per_epoch": 0}, "steps_per_epoch=0"),
        ({"validation_split": 1.5}, "validation_split is 1.5: expected a number between 0 and 1"),
        ({"callbacks": [keras.callbacks.EarlyStopping]}, r"callbacks has EarlyStopping: .*as EarlyStopping\(\)"),
        ({"callbacks": "early"}, "callbacks has 'early'"),
        ({"callbacks": [None]}, "callbacks has None"),
        ({"validation_data": (IMAGES, LABELS, None, 3)}, "validation_data has 4 parts"),
        ({"validation_data": ([*IMAGES], LABELS)}, "The images are a list of 4"),
    ],
)
def test_arguments_of_fit_that_cannot_be_are_told(model, options, message):
    with pytest.raises(UsageError, match=message):
        model.fit(IMAGES, LABELS, verbose=0, **options)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (batches(), r"\[B, 32, 3\]: .*single pictures is batched, by data.batch"),
        (
            tf.data.Dataset.from_tensor_slices({"picture": IMAGES, "scene": SCENE}).batch(2),
            r"A batch is a dictionary of picture, scene: .*\(each\['picture'\], \{'scene': each\['scene'\]\}\)",
        ),
        (tf.data.Dataset.from_tensors((IMAGES, LABELS, {"scene": np.ones(4)}, SCENE)), "A batch has 4 parts"),
        (((image, {"scene": 0}) for image in IMAGES), "batches of the generator are in no form .*first axis"),
    ],
)
def test_batches_of_another_form_are_told(model, data, message):
    with pytest.raises(UsageError, match=message):
        model.fit(data, shuffle=False, verbose=0)


def test_a_data_set_is_not_divided_and_has_batches_of_its_own(model):
    with pytest.raises(UsageError, match=re.escape("data.take(n) and data.skip(n)")):
        model.fit(batches().batch(2), validation_split=0.5, verbose=0)
    with pytest.warns(UserWarning, match="batch_size=4 is passed over"):
        model.fit(batches().batch(2), batch_size=4, shuffle=False, verbose=0)
