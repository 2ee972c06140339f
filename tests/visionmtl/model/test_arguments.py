"""What a model, its `fit` and its `predict` are given and cannot take: told in a sentence, not left out."""

import keras
import numpy as np
import pytest
import tensorflow as tf
import toys
from given import batch, train

import visionmtl
from visionmtl.errors import UsageError


def test_weights_of_what_has_no_labels_are_told(compiled):
    images, labels, weights = batch()
    with pytest.raises(UsageError, match="has the key 'grund', of which .* no labels. Did you mean 'ground'"):
        compiled.fit(images, labels, sample_weight={"grund": weights["ground"]}, verbose=0)


def test_labels_of_no_task_are_told_where_a_task_has_none(compiled):
    images, labels, _ = batch(ground=None, street=np.zeros((4, toys.SIZE, toys.SIZE)))
    with pytest.warns(UserWarning, match="labels of street are of no task and are left out; of ground it has none"):
        train(compiled, images, labels)


def test_labels_of_other_tasks_beside_those_of_all_are_no_mistake(compiled, recwarn):
    train(compiled, *batch(street=np.zeros((4, toys.SIZE, toys.SIZE)))[:2])
    assert not [each for each in recwarn if "of no task" in str(each.message)]


def test_lists_of_numbers_are_labels(compiled):
    images, labels, _ = batch()
    lists = labels | {
        "scene": labels["scene"].tolist(),
        "objects": {k: v.tolist() for k, v in labels["objects"].items()},
    }
    expected = compiled.evaluate(images, labels, verbose=0)
    assert compiled.evaluate(images, lists, verbose=0) == expected


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x: x[..., :1], r"The images have the shape \[B, 32, 32, 1\]: expected \[B, 32, 32, 3\]"),
        (lambda x: x[:, 0], r"shape \[B, 32, 3\]: expected .* One picture is images\[None\]"),
    ],
)
def test_images_of_another_shape_are_told_by_predict_too(change, message):
    with pytest.raises(UsageError, match=message):
        toys.model().predict(change(batch()[0]), verbose=0)


def test_images_whose_shape_a_data_set_does_not_know_are_taken():
    model = toys.model(toys.tasks("ground"))
    model.compile("sgd")
    images, labels, _ = toys.batch(toys.tasks("ground"))
    kinds = (tf.TensorSpec(None, tf.float32), {"ground": tf.TensorSpec((None, None, None), tf.int32)})
    data = tf.data.Dataset.from_generator(lambda: iter([(images, labels)]), output_signature=kinds)
    assert model.evaluate(data, verbose=0) == pytest.approx(model.evaluate(images, labels, verbose=0))


@pytest.mark.parametrize("weight", [-1.0, np.nan, np.inf])
def test_weights_that_cannot_be_are_told(compiled, weight):
    images, labels, weights = batch()
    weights = weights | {"scene": np.array([1, weight, 1, 1], "float32")}
    with pytest.raises(UsageError, match="The weights of 'scene' have the number .*: expected at least 0"):
        compiled.fit(images, labels, sample_weight=weights, verbose=0)


def test_images_may_be_named_as_the_input(compiled):
    images, labels, _ = batch()
    expected = compiled.evaluate(images, labels, verbose=0)
    assert compiled.evaluate({"image": images}, labels, verbose=0) == expected
    with pytest.raises(UsageError, match="The images are of type dict of picture: expected an array"):
        compiled.evaluate({"picture": images}, labels, verbose=0)


@pytest.mark.parametrize("name", ["model.h5", "model.hdf5"])
def test_a_file_that_could_not_be_read_again_is_not_written(tmp_path, name):
    with pytest.raises(UsageError, match=r"save it as a file that ends in .keras"):
        toys.model().save(tmp_path / name)
    assert not [*tmp_path.iterdir()]


def test_a_model_that_is_not_compiled_is_told():
    with pytest.raises(UsageError, match="The model is not compiled: call model.compile"):
        toys.model().fit(*batch()[:2], verbose=0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"weights": "imagenet"},
            "weights='imagenet' was given beside backbone 'toy', which is a model",
        ),
        ({"image_shape": (32, 32, 1)}, r"image_shape is \(32, 32, 1\): expected height, width and 3"),
        ({"image_shape": (None, None, 3)}, "expected height, width and 3.* as whole numbers"),
        ({"image_shape": (32, 32)}, "expected height, width and 3"),
        ({"backbone": 3}, "The backbone was given as 3: expected one of"),
    ],
)
def test_what_a_backbone_of_ones_own_does_not_take_is_told(options, message):
    with pytest.raises(UsageError, match=message):
        toys.model(**options)


def test_weights_of_what_is_no_model_are_told():
    with pytest.raises(UsageError, match="Weights are taken from a model, and 'best.keras' is none"):
        toys.model().start_from("best.keras")


def test_an_argument_that_a_model_does_not_have_is_told():
    with pytest.raises(UsageError, match="MultiTaskModel has no argument 'image_size'. Did you mean 'image_shape'"):
        toys.model(image_size=(32, 32))
    x = keras.Input((2,))
    with pytest.raises(UsageError, match="BalancedModel has no argument 'balancing'"):
        visionmtl.BalancedModel(x, {"y": keras.layers.Dense(1)(x)}, balancing="equal")
