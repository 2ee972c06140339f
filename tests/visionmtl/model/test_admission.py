"""What `fit` and `evaluate` are given: every form that is clear is taken, every other is told in a sentence."""

import keras
import numpy as np
import pytest
import tensorflow as tf
import toys
from given import batch, train

import visionmtl
from visionmtl.errors import UsageError

MASK = np.zeros((4, 32, 32))


def boxes(change):
    labels = toys.batch(toys.tasks())[1]["objects"]
    return change(labels["boxes"], labels["classes"])


@pytest.mark.parametrize(
    ("changed", "weights", "message"),
    [
        (
            {"ground": None, "gruond": MASK},
            None,
            "labels have the key 'gruond', .*did you mean 'ground'",
        ),
        (
            {"ground": None, "Ground": MASK},
            None,
            "'Ground', which is no task, .*did you mean 'ground'",
        ),
        (
            {"scene": None, "objects": None, "ground": None, "x": np.zeros(4)},
            None,
            "labels are of x: expected some",
        ),
        ({}, {"scene": np.ones(4), "objekts": np.ones(4)}, "weights have the key 'objekts', .*did you mean 'objects'"),
        (
            {},
            {"scene": np.ones(4), "what": np.ones(4)},
            "weights have the key 'what', which is no task, and none",
        ),
        (
            {},
            {"ground": np.ones((4, 32, 32))},
            r"task 'ground' have the shape \[B, 32, 32\]: expected \[B\]",
        ),
        ({"scene": np.zeros((4, 2))}, None, r"'scene' have the shape \[B, 2\]: expected class ids \[B\] of 0 to 2"),
        ({"scene": np.array(list("abcd"))}, None, "'scene' are of dtype string: expected class ids"),
        ({"objects": np.zeros((4, 3, 4))}, None, r"'objects' are an array of shape \[B, 3, 4\]: expected a dictionary"),
        ({"objects": {"bbox": np.zeros((4, 3, 4))}}, None, "'objects' have bbox and no 'boxes': expected"),
        (
            {"objects": {"boxes": np.zeros((4, 3, 5)), "classes": np.zeros((4, 3))}},
            None,
            r"shape \[B, 3, 5\]: expected",
        ),
        ({"objects": {"boxes": np.zeros((4, 3, 4)), "classes": np.zeros((4, 2))}}, None, "expected for each box"),
        (
            {"ground": np.zeros((4, 16, 16))},
            None,
            r"'ground' have the shape \[B, 16, 16\]: expected class",
        ),
        ({"ground": {"mask": MASK}}, None, "'ground' are a dictionary of mask: expected class ids"),
    ],
)
def test_names_and_forms_that_are_wrong_are_told(compiled, changed, weights, message):
    images, labels, _ = batch(**changed)
    with pytest.raises(UsageError, match=message):
        train(compiled, images, labels, weights)
    with pytest.raises(UsageError, match=message):
        compiled.evaluate(tf.data.Dataset.from_tensors((images, labels, weights or {})), verbose=0)


@pytest.mark.parametrize("labels", [None, [np.zeros(4)], (np.zeros(4),), np.zeros(4)])
def test_labels_that_are_not_by_task_are_told(compiled, labels):
    images = np.full((4, 32, 32, 3), 99.0)
    data = tf.data.Dataset.from_tensors((images,) if labels is None else (images, labels))
    with pytest.raises(UsageError, match=r"labels were .*: expected a dictionary by task, such as {'scene': ...}; the"):
        compiled.fit(data, verbose=0)


def one_based(labels, classes):
    return {"boxes": labels, "classes": np.where(classes >= 0, classes + 1, classes)}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"scene": np.array([1, 2, 3, 1])}, "'scene' have the class id 3: expected 0 to 2.*Count classes from 0"),
        ({"scene": np.array([0.0, 1.5, 2.0, 1.0])}, "'scene' hold what is no class id: a number that"),
        ({"scene": np.ones((4, 3))}, "a row of 3 that has not one 1 and else 0"),
        ({"scene": np.zeros((4, 3))}, "a row of 3 that has not one 1 and else 0"),
        ({"scene": np.full((4, 3), 1 / 3)}, "soft labels are the option label_smoothing"),
        ({"ground": np.full((4, 32, 32, 3), 128)}, "'ground' hold what is no class id"),
        ({"ground": np.full((4, 32, 32), 3)}, "'ground' have the class id 3: expected 0 to 2 or 255"),
        ({"objects": boxes(one_based)}, "'objects' have the class id 2: expected 0 to 1"),
        ({"objects": boxes(lambda b, c: {"boxes": b / 32, "classes": c})}, "as fractions of 1 do: expected x_min"),
        ({"objects": boxes(lambda b, c: {"boxes": b[..., [2, 3, 0, 1]], "classes": c})}, "has a side of -.* pixels"),
        ({"objects": boxes(lambda b, c: {"boxes": b * 9, "classes": c})}, "outside its image of 32 x 32"),
        (
            {"objects": boxes(lambda b, c: {"boxes": b * 2 + 8, "classes": c})},
            "has its centre at .*, outside its image",
        ),
        ({"objects": boxes(lambda b, c: {"boxes": b * 0, "classes": c * 0})}, "has a side of 0 pixels: .* class -1"),
        ({"objects": boxes(lambda b, c: {"boxes": b * np.nan, "classes": c})}, "has a corner at nan"),
    ],
)
@pytest.mark.parametrize("eager", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_values_that_cannot_be_are_told_in_the_first_step(compiled, changed, message, eager):
    compiled.run_eagerly = eager
    images, labels, weights = batch(**changed)
    with pytest.raises(UsageError, match=message):
        train(compiled, images, labels, weights)
    compiled.run_eagerly = True
    compiled.train_function = compiled.test_function = None


@pytest.mark.parametrize(
    ("scale", "shift", "what"),
    [(1 / 255, 0, "do not divide"), (1 / 128, -1, "do not normalise"), (257, 0, "divide pictures of 16 bits by 257")],
)
def test_images_that_were_scaled_are_told(compiled, scale, shift, what):
    images, labels, weights = batch()
    with pytest.raises(UsageError, match=what):
        train(compiled, images * scale + shift, labels, weights)


def test_what_is_not_labelled_may_hold_anything(compiled):
    images, labels, weights = batch(scene=np.array([0, 1, 9, -7]), ground=np.full((4, 32, 32), 77))
    weights |= {"scene": np.array([1.0, 1.0, 0.0, 0.0]), "ground": np.zeros(4)}
    assert train(compiled, images, labels, weights)["loss"][0] > 0


@pytest.mark.slow
def test_values_are_looked_at_in_every_batch_and_not_where_they_are_not_to_be():
    wrong = batch(scene=np.array([1, 2, 3, 1], "int32"))
    model = toys.model()
    model.compile("sgd", check_values=False)
    assert train(model, *wrong)["loss"][0] > 0
    model.compile("sgd")
    good = tf.data.Dataset.from_tensors(batch()).repeat(3)
    with pytest.raises(UsageError, match="class id 3"):  # in the fourth step, and the last before an epoch's end
        model.fit(good.concatenate(tf.data.Dataset.from_tensors(wrong)), epochs=2, verbose=0)
    model.fit(good, verbose=0)
    with pytest.raises(UsageError, match="class id 3"):
        model.evaluate(tf.data.Dataset.from_tensors(wrong), verbose=0)


@pytest.mark.slow
@pytest.mark.parametrize(
    "changed",
    [
        {"scene": lambda label: np.eye(3)[label]},
        {"scene": lambda label: label[:, None]},
        {"scene": lambda label: label.astype("int64")},
        {"scene": lambda label: label.astype("float32")},
        {"ground": lambda label: label[..., None]},
        {"ground": lambda label: np.eye(3)[label]},
        {"ground": lambda label: label.astype("uint8")},
        {"objects": lambda label: {**label, "classes": label["classes"][..., None]}},
        {"objects": lambda label: {**label, "boxes": label["boxes"].astype("float64")}},
    ],
)
def test_other_forms_of_the_same_labels_are_the_same(compiled, changed):
    images, labels, weights = batch()
    expected = compiled.evaluate(tf.data.Dataset.from_tensors((images, labels, weights)), verbose=0)
    labels |= {task: change(labels[task]) for task, change in changed.items()}
    assert compiled.evaluate(tf.data.Dataset.from_tensors((images, labels, weights)), verbose=0) == expected


def test_a_batch_without_any_object_may_have_no_row(compiled):
    nothing = {"boxes": np.zeros((4, 0, 4), "float32"), "classes": np.zeros((4, 0), "int32")}
    images, labels, weights = batch(objects=nothing)
    assert np.isfinite(train(compiled, images, labels, weights)["objects_loss"][0])


@pytest.mark.slow
def test_without_weights_every_sample_of_every_batch_counts():
    tasks = [toys.task(name) for name in toys.MAKERS]
    model = toys.model(tasks)
    model.compile("sgd", run_eagerly=True)
    images, labels, weights = toys.batch(tasks, images=5)
    data = tf.data.Dataset.from_tensor_slices((images, labels, weights))
    expected = model.evaluate(data.batch(2), verbose=0, return_dict=True)
    without = model.evaluate(data.map(lambda x, y, w: (x, y)).batch(2), verbose=0, return_dict=True)
    assert without == pytest.approx(expected, rel=1e-6, nan_ok=True)


@pytest.mark.slow
def test_arrays_with_weights_by_task_train_and_are_held_back(compiled):
    images, labels, weights = batch()
    weights["ground"] = np.array([1.0, 0.0, 1.0, 0.0])
    data = tf.data.Dataset.from_tensors((images, labels, weights))
    expected = compiled.evaluate(data, verbose=0)
    assert compiled.evaluate(images, labels, sample_weight=weights, verbose=0) == expected
    del weights["scene"]
    held = (images, labels, weights)
    log = compiled.fit(images, labels, 2, sample_weight=weights, validation_split=0.5, verbose=0).history
    assert {"val_scene_accuracy", "val_ground_mIoU"} <= log.keys()
    log = compiled.fit(images, labels, 2, sample_weight=weights, validation_data=held, verbose=0).history
    assert "val_objects_AP" in log
    with pytest.raises(UsageError, match="class_weight is for one task alone"):
        compiled.fit(images, labels, class_weight={0: 1.0}, verbose=0)


@pytest.mark.parametrize("tasks", ["detection", ["detection"], [visionmtl.Detection]])
def test_what_is_no_task_is_told(tasks):
    with pytest.raises(UsageError, match=r"was given the task .*: expected one like Detection\("):
        visionmtl.MultiTaskModel(tasks)


@pytest.mark.parametrize("layers", [[], [keras.Input((32, 32, 3))]])
def test_a_backbone_without_feature_maps_is_told(layers):
    backbone = keras.Sequential([*layers, keras.layers.Conv2D(3, 3)])
    with pytest.raises(UsageError, match="is a Sequential that outputs no dict of feature maps"):
        visionmtl.MultiTaskModel(toys.tasks("scene"), backbone=backbone, image_shape=(32, 32, 3))
