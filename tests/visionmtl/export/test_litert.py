"""LiteRT models: run by LiteRT in a process that has nothing else, and equal to the model they came from."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf
import toys
from ai_edge_litert.interpreter import Interpreter
from shown import pictures, spread

from visionmtl import export, sharing
from visionmtl.errors import UsageError
from visionmtl.tasks import Segmentation

EVERY = ("scene", "objects", "ground", "weather", "range")
SIZES = [(50, 71), (33, 20), (1, 2), (32, 32), (131, 97)]


@pytest.fixture(scope="module")
def exported(toy_model, tmp_path_factory):
    """The folder of the proven export of a model of every kind of task, which has confidences."""
    model = spread(toy_model(toys.tasks(*EVERY), resize="letterbox"))
    model.confidences = {"objects": {"cat": 0.3, "dog": 0.6}}
    shown = [pictures((1, *size, 3))[0] for size in SIZES]
    return export.save(model, tmp_path_factory.mktemp("exported"), format="litert", pictures=shown)


@pytest.fixture(scope="module")
def interpreter(exported):
    """The model as LiteRT loads it."""
    return Interpreter(str(exported / "model.tflite"))


@pytest.mark.slow
def test_every_task_says_of_pictures_of_any_size_what_the_model_says(exported):
    record = json.loads((exported / "export.json").read_text())
    assert record["pictures"] == [list(size) for size in SIZES]
    assert {each["output"] for each in record["formats"]["litert"]} >= {
        "objects_boxes",
        "ground_classes",
        "range_depth",
        "scene_probabilities",
    }


@pytest.mark.slow
def test_it_tells_objects_by_the_confidences_of_their_classes_or_by_those_given_with_a_picture(interpreter):
    picture = pictures((1, 50, 71, 3))
    own = interpreter.get_signature_runner("serving_default")(images=picture)
    assert own["objects_count"] > 5
    assert own["image_sizes"].tolist() == [[50, 71]]
    told = own["objects_classes"] >= 0
    assert (own["objects_scores"][told] >= np.array([0.3, 0.6])[own["objects_classes"][told]]).all()
    given = interpreter.get_signature_runner("serving_default_confidence")
    alike = given(images=picture, objects_confidence=np.array([0.3, 0.6], "float32"))
    np.testing.assert_array_equal(alike["objects_boxes"], own["objects_boxes"])
    none = given(images=picture, objects_confidence=np.array([1, 1], "float32"))
    assert none["objects_count"] == [0]
    assert set(none["objects_classes"].flat) == {-1}


@pytest.mark.slow
def test_the_weights_of_both_signatures_are_there_once_and_are_aligned(exported, toy_model):
    from ai_edge_litert import schema_py_generated as schema

    model = schema.Model.GetRootAs((exported / "model.tflite").read_bytes(), 0)
    assert model.SubgraphsLength() == 2
    buffers = [model.Buffers(number)._tab for number in range(1, model.BuffersLength())]
    places = [table.Offset(4) for table in buffers]
    assert {table.Vector(place) % 16 for table, place in zip(buffers, places, strict=True)} == {0}
    weights = sum(table.VectorLen(place) for table, place in zip(buffers, places, strict=True))
    assert weights < 1.3 * 4 * toy_model(toys.tasks(*EVERY)).count_params()


@pytest.mark.parametrize("format", ["litert", pytest.param("onnx", marks=pytest.mark.slow)])
def test_activations_with_a_gradient_of_their_own_and_grouped_convolutions_are_written(toy_model, tmp_path, format):
    image = x = keras.Input((32, 32, 3), name="image")
    features = {}
    for level, activation in enumerate(("relu", "silu", "gelu"), 1):
        groups = 2 if level > 1 else 1
        convolution = keras.layers.Conv2D(
            4, 3, 2, "same", groups=groups, activation=activation, name=f"convolution_{level}"
        )
        x = convolution(x)
        features |= {f"P{level}": x} if level > 1 else {}
    model = toy_model(toys.tasks("scene"), backbone=keras.Model(image, features))
    export.save(model, tmp_path, format=format, pictures=[pictures((1, 50, 71, 3))[0]])


@pytest.mark.slow
@pytest.mark.parametrize("scheme", sharing.names())
def test_every_sharing_scheme_is_written(toy_model, tmp_path, scheme):
    model = spread(toy_model(toys.tasks("scene", "objects", "ground"), sharing=scheme))
    export.save(model, tmp_path, format="litert", pictures=[pictures((1, 50, 71, 3))[0]])


class Strange(Segmentation):
    """A task that decodes by what LiteRT does not have."""

    def decode(self, outputs, image_size, window=None):
        decoded = super().decode(outputs, image_size, window)
        return decoded | {"strange": tf.linalg.svd(outputs["logits"], compute_uv=False)[..., 0]}


class Looping(Segmentation):
    """A task that decodes by a loop."""

    def decode(self, outputs, image_size, window=None):
        decoded = super().decode(outputs, image_size, window)
        steps = tf.reduce_sum(decoded["classes"])
        return decoded | {"looped": tf.while_loop(lambda n: n < steps, lambda n: n + 1, (0,))[0][None]}


@pytest.mark.slow
@pytest.mark.parametrize(("task", "told"), [(Strange, "has no operation Svd"), (Looping, "a loop or a condition")])
def test_what_litert_does_not_have_is_told_and_leaves_no_version(toy_model, tmp_path, task, told):
    with pytest.raises(UsageError, match=told):
        export.save(toy_model([task("ground", 3)]), tmp_path / "toy", format="litert")
    assert list((tmp_path / "toy").iterdir()) == []
