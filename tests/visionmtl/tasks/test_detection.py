"""What may be chosen of a detection: its head, and what its losses are divided by."""

import keras
import numpy as np
import pytest
import tensorflow as tf
import toys

from visionmtl.errors import UsageError
from visionmtl.tasks import ByAmount, Detection

CHOSEN = {"quality": True, "towers": "apart", "normaliser": "batch"}


def model(**options):
    return toys.model([Detection("objects", 2, **options)])


def test_without_a_word_the_head_has_the_layers_that_saved_models_name():
    layers = {layer.name for layer in model().layers if layer.name.startswith("objects")}
    assert layers == {"objects_tower_0", "objects_tower_1", "objects_scores", "objects_distances"}


def test_scores_and_boxes_have_towers_of_their_own_at_half_the_width():
    made = model(towers="apart")
    towers = {name: made.get_layer(f"objects_{name}_tower_1") for name in ("scores", "sides")}
    assert {tower.channels for tower in towers.values()} == {4}
    images = toys.batch(made.tasks.values())[0]
    for output, own in (("scores", towers["scores"]), ("distances", towers["sides"])):
        with tf.GradientTape() as tape:
            found = tf.add_n([tf.reduce_sum(x) for name, x in made(images).items() if name.endswith(output)])
        slopes = tape.gradient(found, [tower.pointwise.kernel.value for tower in towers.values()])
        assert [slope is not None for slope in slopes] == [tower is own for tower in towers.values()]


@pytest.mark.slow
def test_it_learns_with_all_that_may_be_chosen_and_is_saved_with_it(tmp_path):
    made = model(**CHOSEN)
    batch = toys.batch(made.tasks.values())
    made.compile(keras.optimizers.Adam(3e-2), balancing="uncertainty", run_eagerly=True)
    losses = [made.train_on_batch(*batch, return_dict=True)["objects_loss"] for _ in range(12)]
    assert losses[-1] < losses[0] * 0.8
    made.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert {key: again.tasks["objects"].get_config()[key] for key in CHOSEN} == CHOSEN
    for name, value in made.predict(batch[0], verbose=0).items():
        np.testing.assert_array_equal(again.predict(batch[0], verbose=0)[name], value, err_msg=name)


def test_an_object_counts_alike_wherever_it_is():
    """Of two images of one object and one image of both, the loss by image is half as much, by batch the same."""
    apart = _labels([[(4, 4, 14, 14, 0)], [(18, 18, 28, 28, 1)]])
    together = _labels([[(4, 4, 14, 14, 0), (18, 18, 28, 28, 1)], []])
    images = np.zeros((2, 32, 32, 3), "float32")
    losses = {}
    for normaliser in ("image", "batch"):
        made = model(normaliser=normaliser)
        outputs = made(images)
        task = made.tasks["objects"]
        loss = [task.loss(labels, made.raw_outputs("objects", outputs)) for labels in (apart, together)]
        if normaliser == "batch":
            assert all(isinstance(each, ByAmount) for each in loss)
            np.testing.assert_allclose(*[tf.reduce_sum(each.amounts) for each in loss], rtol=1e-5)
        losses[normaliser] = [
            float(tf.reduce_mean(made.sample_losses({"objects": labels}, outputs)["objects"]))
            for labels in (apart, together)
        ]
    assert losses["batch"][1] == pytest.approx(losses["batch"][0], rel=0.1)  # cells without objects differ
    assert losses["image"][1] < losses["image"][0] * 0.9


def test_an_image_without_labels_neither_counts_nor_teaches_in_a_batch():
    made = model(normaliser="batch")
    images, labels, _ = toys.batch(made.tasks.values())
    outputs = made(images)
    some = made.task_losses(labels, outputs, {"objects": np.array([1, 1, 0, 0], "float32")})
    first = tf.nest.map_structure(lambda x: x[:2], (labels, outputs))
    alone = made.task_losses(*first, None)
    np.testing.assert_allclose(some.means, alone.means, rtol=1e-6)
    none = made.task_losses(labels, outputs, {"objects": np.zeros(4, "float32")})
    assert none.means.numpy().tolist() == [0]


def test_sub_batches_add_up_to_the_batch():
    made = model(normaliser="batch")
    images, labels, _ = toys.batch(made.tasks.values())
    labels["objects"]["classes"][0] = -1
    outputs = made(images)
    whole, parts = (made.task_losses(labels, outputs, None, sub_batches=n) for n in (1, 2))
    np.testing.assert_allclose(whole.means, parts.means, rtol=1e-6)
    np.testing.assert_allclose(whole.local[0], sum(parts.local), rtol=1e-6)


@pytest.mark.slow
def test_two_devices_divide_by_what_both_hold(two_devices):
    images, labels, weights = toys.batch([Detection("objects", 2)])
    labels["objects"]["classes"][0] = -1  # the halves differ in objects and in labelled images
    weights["objects"][3] = 0
    batch = tf.data.Dataset.from_tensors((images, labels, weights)).unbatch().batch(4)
    strategy = tf.distribute.MirroredStrategy(two_devices, cross_device_ops=tf.distribute.ReductionToOneDevice())
    alone = model(normaliser="batch")
    alone.compile(keras.optimizers.SGD(0.01), run_eagerly=True)
    with strategy.scope():
        mirrored = model(normaliser="batch")
        mirrored.compile(keras.optimizers.SGD(0.01), run_eagerly=True)
    logs = [made.fit(batch, verbose=0).history["objects_loss"] for made in (alone, mirrored)]
    np.testing.assert_allclose(*logs, rtol=1e-5)
    for a, b in zip(alone.get_weights(), mirrored.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"end_to_end": 1}, "end_to_end=1: expected true or false"),
        ({"vote": True, "end_to_end": True}, "vote beside end_to_end, whose objects have one cell each"),
        ({"extra_levels": -1}, "extra_levels=-1: expected a whole number of at least 0"),
        ({"assignment": 3}, "assignment=3: expected some of candidates, score_power"),
        ({"assignment": {"regoin": 2}}, "the assignment 'regoin'. Did you mean 'region'"),
        ({"assignment": {"region": 0.5}}, "Task 'd' was given assignment.region=0.5: expected a number of at least 1"),
        ({"assignment": {"closeness": "giou"}}, "Unknown assignment.closeness of task 'd' 'giou'"),
        ({"quality": "yes"}, "Task 'd' was given quality='yes': expected true or false"),
        ({"towers": "apar"}, "Unknown towers of task 'd' 'apar'. Did you mean 'apart'"),
        ({"normaliser": "object"}, "Unknown normaliser of task 'd' 'object'. Valid: image, batch"),
    ],
)
def test_mistakes_are_told(options, message):
    with pytest.raises(UsageError, match=message):
        Detection("d", 2, **options)


def _labels(images):
    boxes, classes = np.zeros((len(images), 2, 4), "float32"), np.full((len(images), 2), -1, "int32")
    for i, objects in enumerate(images):
        for j, (*box, kind) in enumerate(objects):
            boxes[i, j], classes[i, j] = box, kind
    return {"boxes": tf.constant(boxes), "classes": tf.constant(classes)}
