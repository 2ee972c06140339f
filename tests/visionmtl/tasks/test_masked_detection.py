"""Scores of boxes that ask how well the mask of another task fits."""

import keras
import numpy as np
import pytest
import tensorflow as tf
import toys

from visionmtl import export
from visionmtl.errors import UsageError
from visionmtl.model.seeing import Looks
from visionmtl.tasks import Classification, Detection, Segmentation, boxes, fitting


def tasks(mask="ground", classes=("sky", "dog", "road")):
    return [Detection("objects", ["cat", "dog"], mask=mask), Segmentation("ground", list(classes))]


def drawn(model, images, place=(slice(8, 16), slice(8, 20))):
    """Return a model's outputs with a mask that shows a dog at a place, in cells of two pixels, and with none."""
    outputs = {name: x + 4 if "scores" in name else x for name, x in model(images, training=False).items()}
    logits = np.zeros(outputs["ground_logits"].shape, "float32")
    logits[..., 0] = 20
    plain = outputs | {"ground_logits": tf.constant(logits)}
    logits[:, place[0], place[1]] = [0, 20, 0]
    return outputs | {"ground_logits": tf.constant(logits)}, plain


def test_a_box_is_worth_what_its_class_fills_of_it_and_leaves_around_it():
    region = np.zeros((1, 16, 16, 3), "float32")
    region[:, 4:12, 4:12, 1] = 1
    placed = tf.constant([[[8.0, 8, 24, 24], [8, 8, 24, 16], [4, 4, 28, 28], [0, 0, 6, 6]]])
    factors = fitting.fit(placed, tf.constant(region), [None, 1], (32, 32)).numpy()[0]
    np.testing.assert_array_equal(factors[:, 0], 1)  # the mask knows no cat
    whole, half, loose, elsewhere = factors[:, 1]
    assert whole == pytest.approx(1, abs=1e-3)
    assert whole > half > elsewhere
    assert whole > loose > elsewhere
    assert elsewhere == pytest.approx(fitting.LEAST**fitting.POWER)


def test_boxes_beyond_the_edge_are_those_within():
    maps = tf.random.stateless_uniform((1, 6, 9, 2), [0, 1])
    placed = tf.constant([[[-3.0, 1.2, 5.5, 4], [6, 3, 40, 40], [2, 2, 2, 2], [5, 5, 1, 1]]])
    found = boxes.contrast(placed, maps, (1.0, 1.0)).numpy()
    assert np.isfinite(found).all()
    within = tf.clip_by_value(placed[:, :2], 0, [9.0, 6, 9, 6])
    grown = tf.clip_by_value(placed[:, :2] + [-1.0, -1, 1, 1], 0, [9.0, 6, 9, 6])

    def total(box):  # each cell by what of it lies in the box
        x, y = (np.clip(np.minimum(box[i + 2], np.arange(n) + 1) - np.maximum(box[i], np.arange(n)), 0, 1) for i, n in
                ((0, 9), (1, 6)))  # fmt: skip
        share = (y[:, None] * x[None])[..., None]
        return (share * maps[0].numpy()).sum((0, 1)), share.sum()

    for inner, outer, value in zip(within[0].numpy(), grown[0].numpy(), found[0], strict=False):
        (held, size), (around, larger) = total(inner), total(outer)
        np.testing.assert_allclose(value, held / size - (around - held) / (larger - size), atol=1e-4)


def test_a_models_scores_follow_the_mask_wherever_they_are_decoded():
    model, alone = toys.model(tasks()), toys.model(tasks(mask=None))
    images = tf.constant(toys.batch(model.tasks.values(), images=2)[0])
    seen, nothing = drawn(model, images)
    found = {of: model.decode(outputs) for of, outputs in {"dog": seen, "nothing": nothing}.items()}
    found["head"] = alone.decode(nothing)
    dogs = {of: np.where(each["objects_classes"] == 1, each["objects_scores"], 0) for of, each in found.items()}
    np.testing.assert_allclose(dogs["nothing"].max(), dogs["head"].max() * fitting.LEAST**fitting.POWER, rtol=1e-5)
    assert dogs["nothing"].max() < dogs["dog"].max() < dogs["head"].max()
    assert not np.array_equal(found["dog"]["objects_classes"], found["head"]["objects_classes"])
    merged = Looks(model, "flip").decode([seen, seen])["objects"]["scores"]
    assert not np.allclose(merged, Looks(alone, "flip").decode([seen, seen])["objects"]["scores"])


@pytest.mark.slow
def test_what_is_measured_and_saved_is_what_is_predicted(tmp_path):
    model = toys.model(tasks())
    images, labels, weights = toys.batch(model.tasks.values())
    model.compile("sgd", run_eagerly=True)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert again.tasks["objects"].mask == "ground"
    predicted = model.predict(images, verbose=0)
    np.testing.assert_allclose(again.predict(images, verbose=0)["objects_scores"], predicted["objects_scores"])
    raw = model(images, training=False)
    read = model.tasks["objects"].decode(model.read_outputs("objects", raw), model.image_size)
    np.testing.assert_allclose(read["scores"], predicted["objects_scores"], atol=1e-6)
    alone = toys.model(tasks(mask=None)).predict(images, verbose=0)
    assert not np.allclose(alone["objects_scores"], predicted["objects_scores"])
    figures = model.evaluate(tf.data.Dataset.from_tensors((images, labels, weights)), verbose=0, return_dict=True)
    assert "objects_AP" in figures


@pytest.mark.slow
def test_an_export_answers_with_the_scores_of_the_model(tmp_path):
    model = toys.model(tasks())
    images = np.random.default_rng(0).integers(0, 255, (2, toys.SIZE, toys.SIZE, 3), "uint8")
    version = export.save(model, tmp_path / "model")
    served = tf.saved_model.load(str(version)).signatures["serving_default"](images=tf.constant(images))
    expected = model.predict(images.astype("float32"), verbose=0)
    np.testing.assert_allclose(served["objects_scores"], expected["objects_scores"], atol=1e-4)


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda: tasks(mask="grund"), "no such task: it has ground. Did you mean 'ground'"),
        (lambda: [*tasks(mask="scene"), Classification("scene", 3)], "which is classification"),
        (lambda: tasks(classes=("sky", "Dog", "road")), r"no class of the one \(cat, dog\)"),
        (lambda: tasks(mask={"ground": 1}), "mask of task 'objects'"),
    ],
)
def test_a_mask_that_cannot_be_read_is_refused(made, said):
    with pytest.raises(UsageError, match=said):
        toys.model(made())


@pytest.mark.slow
def test_without_the_other_task_scores_are_the_heads_and_that_is_told(capsys):
    model = toys.model(tasks())
    assert fitting.told(model.tasks) == [
        "Scores of objects ask how well boxes fit the mask of ground: dog; those of other classes stay: cat."
    ]
    smaller = export.narrowing.of_tasks(model, "objects")
    assert "ground, whose mask they were measured with, is left out" in capsys.readouterr().out
    images = toys.batch(model.tasks.values())[0]
    head = toys.model(tasks(mask=None)).predict(images, verbose=0)["objects_scores"]
    np.testing.assert_allclose(smaller.predict(images, verbose=0)["objects_scores"], head, atol=1e-6)
