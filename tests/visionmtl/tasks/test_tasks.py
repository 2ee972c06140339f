"""Heads, losses, decoders and drawings of the tasks."""

import re
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from visionmtl import tasks
from visionmtl.drawing import drawing_order
from visionmtl.errors import UsageError
from visionmtl.tasks import Classification, Depth, Detection, Segmentation
from visionmtl.tasks.boxes import IGNORED

SIZE = 64


def _maps(channels=6):
    return {f"P{i}": keras.Input((SIZE // 2**i, SIZE // 2**i, channels)) for i in range(2, 6)}


def _outputs(task, images=2, seed=0):
    """Random raw outputs of a task's head."""
    head = task.outputs(_maps())
    random = np.random.default_rng(seed)
    shapes = {name: (images, *tensor.shape[1:]) for name, tensor in head.items()}
    return {name: tf.constant(random.normal(size=shape), tf.float32) for name, shape in shapes.items()}


def _objects(*images):
    """Labels of detection from a list of (x0, y0, x1, y1, class) an image, padded to three."""
    boxes, classes = np.zeros((len(images), 3, 4), "float32"), np.full((len(images), 3), -1, "int32")
    for i, objects in enumerate(images):
        for j, (*box, kind) in enumerate(objects):
            boxes[i, j], classes[i, j] = box, kind
    return {"boxes": tf.constant(boxes), "classes": tf.constant(classes)}


def test_classification_is_the_cross_entropy():
    outputs = {"logits": tf.constant([[2.0, 0.0, -1.0]])}
    plain, smoothed = Classification("c", 3), Classification("c", 3, label_smoothing=0.3)
    log = np.log(np.exp([2.0, 0, -1]) / np.exp([2.0, 0, -1]).sum())
    assert float(plain.loss(tf.constant([1]), outputs)[0]) == pytest.approx(-log[1], rel=1e-5)
    assert float(smoothed.loss(tf.constant([1]), outputs)[0]) == pytest.approx(-np.dot([0.1, 0.8, 0.1], log), rel=1e-5)


def test_multi_label_does_not_learn_unknown_labels():
    task = Classification("c", 3, multi_label=True)
    outputs = {"logits": tf.constant([[0.0, 3.0, -50.0]])}
    loss = task.loss(tf.constant([[1.0, 0.0, -1.0]]), outputs)[0]
    assert float(loss) == pytest.approx((np.log(2) + np.log(1 + np.exp(3))) / 2, rel=1e-5)
    assert task.loss(tf.constant([[-1.0, -1.0, -1.0]]), outputs) == 0


def test_segmentation_is_the_mean_over_labelled_pixels():
    task = Segmentation("s", 2, dice=0)
    logits = np.zeros((1, 2, 2, 2), "float32")
    logits[..., 1] = 2
    labels = np.full((1, 8, 8), 255)
    labels[0, :2, :2], labels[0, 2:4, :2] = 0, 1
    log = np.log(np.exp([0.0, 2]) / np.exp([0.0, 2]).sum())
    assert float(task.loss(tf.constant(labels), {"logits": tf.constant(logits)})[0]) == pytest.approx(
        -log.mean(), rel=1e-5
    )


def test_segmentation_without_a_labelled_pixel_has_no_loss_and_no_gradient():
    task = Segmentation("s", 3)
    logits = tf.Variable(tf.random.stateless_normal((1, 4, 4, 3), (0, 1)))
    with tf.GradientTape() as tape:
        loss = task.loss(tf.fill((1, 16, 16), 255), {"logits": logits})
    assert loss == 0
    assert (tape.gradient(loss, logits) == 0).numpy().all()


def test_dice_is_small_for_the_truth_and_large_for_its_opposite():
    task = Segmentation("s", 2)
    labels = np.zeros((1, 16, 16), "int32")
    labels[:, :, 8:] = 1
    right = tf.one_hot(labels[:, ::4, ::4], 2) * 40 - 20
    loss = [float(task.loss(labels, {"logits": logits})[0]) for logits in (right, -right)]
    assert loss[0] < 0.2
    assert loss[1] > 10


@pytest.mark.slow
def test_detection_prefers_the_truth_to_noise():
    task = Detection("d", 2)
    labels = _objects([(8, 8, 40, 40, 1)], [(20, 4, 50, 60, 0), (4, 4, 16, 16, 1)])
    outputs = {name: tf.Variable(value) for name, value in _outputs(task).items()}
    variables, optimizer = list(outputs.values()), keras.optimizers.Adam(0.3)
    optimizer.build(variables)

    @tf.function(autograph=False)
    def step():
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(task.loss(labels, {name: value.value() for name, value in outputs.items()}))
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        return loss

    losses = [float(step()) for _ in range(120)]
    assert losses[-1] < losses[0] / 10
    found = task.decode({name: value.value() for name, value in outputs.items()}, (SIZE, SIZE))
    np.testing.assert_allclose(found["boxes"][0, 0], [8, 8, 40, 40], atol=1.5)
    assert found["classes"][0, 0] == 1
    assert sorted(found["classes"][1, :2].numpy().tolist()) == [0, 1]


def test_an_image_without_objects_has_a_finite_loss_and_no_gradient_on_boxes():
    task = Detection("d", 2)
    outputs = {name: tf.Variable(value) for name, value in _outputs(task).items()}
    with tf.GradientTape() as tape:
        loss = task.loss(_objects([], []), {name: value.value() for name, value in outputs.items()})
    slopes = tape.gradient(loss, outputs)
    assert np.isfinite(loss).all()
    for name, slope in slopes.items():
        slope = 0 if slope is None else tf.convert_to_tensor(slope).numpy()
        if name.endswith("distances"):
            assert np.all(slope == 0), name
        else:
            assert np.any(slope != 0), name


def test_an_ignored_region_is_not_learnt():
    task = Detection("d", 2)
    outputs = {name: tf.Variable(value) for name, value in _outputs(task, images=1).items()}
    with tf.GradientTape() as tape:
        loss = task.loss(_objects([(0, 0, 64, 32, IGNORED)]), {name: value.value() for name, value in outputs.items()})
    slope = tape.gradient(loss, outputs["P2_scores"]).numpy()[0]
    assert (slope[:8] == 0).all()
    assert (slope[8:] != 0).all()


@pytest.mark.parametrize("task", [Classification("a", 3), Detection("b", 2), Segmentation("c", 4)])
def test_predictions_refer_to_the_pixels_of_the_window(task):
    outputs = _outputs(task)
    whole = task.decode(outputs, (SIZE, SIZE))
    window = task.decode(outputs, (100, 50), tf.constant([0.25, 0.0, 0.75, 1.0]))
    if task.kind == "detection":
        x_scale, y_scale = 50 / SIZE, 100 / (SIZE / 2)
        expected = (whole["boxes"].numpy() - [0, SIZE / 4, 0, SIZE / 4]) * [x_scale, y_scale, x_scale, y_scale]
        valid = whole["classes"].numpy() >= 0
        clipped = np.clip(expected, 0, [50, 100, 50, 100])
        np.testing.assert_allclose(window["boxes"].numpy()[valid], clipped[valid], atol=1e-3)
    elif task.kind == "segmentation":
        assert window["classes"].shape == (2, 100, 50)
    else:
        np.testing.assert_allclose(window["probabilities"], whole["probabilities"])


class _Spec:
    def __init__(self, name, kind, classes=("a", "b")):
        self.name, self.kind = name, kind
        self.classes = () if kind == "depth" else classes


def test_a_box_is_written_as_its_corner_its_size_its_class_and_its_score():
    predictions = {
        "boxes": np.array([[1.0, 2, 11, 22.004], [0, 0, 0, 0]]),
        "classes": np.array([1, -1]),
        "scores": np.array([0.9, 0.0]),
        "count": np.array(1),
    }
    found = Detection("d", 2).annotations(predictions)
    assert found == [{"class": 1, "bbox": [1.0, 2.0, 10.0, 20.0], "score": 0.9}]


def test_what_is_neither_learnt_nor_counted_is_hatched_on_the_truth_alone():
    task, image = Detection("d", 2), np.full((SIZE, SIZE, 3), 120, "uint8")
    truth = {name: value[0] for name, value in task.truth(_objects([(8, 8, 40, 40, IGNORED)])).items()}
    assert (task.draw(image, truth) == image).all()
    hatched = task.draw_truth(image, truth) != image
    assert hatched[8:40, 8:40].any()
    assert not hatched[40:].any()


def test_masks_are_drawn_under_boxes_and_boxes_under_words():
    kinds = ["multi_label", "detection", "classification", "segmentation", "depth"]
    order = drawing_order([tasks.from_spec(_Spec(kind, kind)) for kind in kinds])
    assert [task.kind for task in order] == ["depth", "segmentation", "detection", "multi_label", "classification"]


def test_nothing_but_the_tasks_asks_for_the_kind_of_a_task():
    """What depends on the kind is said by the task, so that a kind of one's own is no case to add anywhere."""
    root = Path(tasks.__file__).parents[1]
    asks = re.compile(r"\b(task|spec)\.kind\s*(==|!=)|match (task|spec)\.kind\b|isinstance\(task, [A-Z]\w*\)")
    askers = [file for file in root.rglob("*.py") if asks.search(file.read_text(encoding="utf-8"))]
    assert [file.relative_to(root).as_posix() for file in askers if file.parent.name != "tasks"] == []


class Mood(Classification):
    """A task of one's own, for a kind of label of one's own."""

    kinds = ("mood",)

    def __init__(self, name, classes, **options):
        super().__init__(name, classes, **options)
        self.kind = "mood"


def test_a_task_of_ones_own_is_made_known_by_its_kind(monkeypatch):
    monkeypatch.setattr(tasks, "KINDS", dict(tasks.KINDS))
    with pytest.raises(UsageError, match="Unknown kind of task 'mood'"):
        tasks.from_spec(_Spec("m", "mood"))
    assert tasks.register(Mood) is Mood
    assert "mood" in tasks.names()
    assert isinstance(tasks.from_spec(_Spec("m", "mood")), Mood)
    tasks.register(Mood)  # as where its module is read again
    with pytest.raises(UsageError, match="Labels of kind 'mood' are learnt by Mood: Other needs another"):
        tasks.register(type("Other", (Mood,), {}))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Classification("my task", 3), "cannot name a task"),
        (lambda: Classification("c", 0), "no class"),
        (lambda: Segmentation("c", ["a", "b", "a"]), "class 'a' twice"),
        (lambda: Classification("c", "cat"), "classes='cat': give a count of at least 1 or a list of names"),
        *(
            (lambda given=given: Segmentation("c", given), "was given classes=.*: give a count of at least 1 or a list")
            for given in (2.0, True, {"a", "b"}, {1: "a", 2: "b"}, [["a"], ["b"]], ["a", None])
        ),
        (lambda: Classification("c", ["a", ""]), "was given a class without a name, class 1: name each"),
        (lambda: Detection("c", 2, dropout=1.5), "dropout=1.5: expected a number of at least 0 and below 1"),
        (lambda: Detection("c", 2, depth=-1), "depth=-1: expected a whole number of at least 0"),
        (lambda: Detection("c", 2, box_weight=None), "box_weight=None: expected a number of at least 0"),
        (lambda: Segmentation("c", 2, channels=2.5), "channels=2.5: expected a whole number of at least 1"),
        (lambda: Segmentation("c", 2, dice="much"), "Task 'c' was given dice='much': expected a number of at least 0"),
        (lambda: Depth("c", farthest=0), "farthest=0: expected a number above 0"),
        (lambda: tasks.from_spec(_Spec("c", "segmentaton")), "Did you mean 'segmentation'"),
        (lambda: tasks.from_spec(_Spec("c", "detection"), dise=1), "has no option 'dise'"),
    ],
)
def test_mistakes_are_told(make, message):
    with pytest.raises(UsageError, match=message):
        make()


@pytest.mark.parametrize("given", [{1: "b", 0: "a"}, ("a", "b"), np.array(["a", "b"])])
def test_classes_are_named_in_order_or_by_number(given):
    assert Classification("c", given).classes == ("a", "b")
    assert Classification("c", np.int64(2)).classes == ("0", "1")
