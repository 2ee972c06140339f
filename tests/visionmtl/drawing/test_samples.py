"""Which samples are drawn, and what is drawn on them."""

import numpy as np
import pytest
import tensorflow as tf

from visionmtl import Detection
from visionmtl.drawing import samples
from visionmtl.errors import UsageError


class Finder:
    """Finds a cat and a dog in every picture, of a score each."""

    tasks, confidences = {"pets": Detection("pets", ["cat", "dog"])}, None

    def predict(self, images, batch_size, verbose):
        each = {"boxes": [[2, 2, 14, 20], [26, 4, 44, 30]], "scores": [0.2, 0.5], "classes": [0, 1], "count": 2}
        return {f"pets_{key}": np.array([value] * len(images)) for key, value in each.items()}


def test_samples_have_the_objects_that_reach_the_confidences_of_the_model():
    def drawn(confidences):
        model.confidences = confidences
        strip = next(iter(samples.strips(model, *picture)))
        return [bool((strip == colour).all(axis=-1).any()) for colour in model.tasks["pets"].colours.values()]

    model, picture = Finder(), (np.full((1, 32, 48, 3), 90, np.uint8), {}, {})
    assert drawn(None) == drawn({"pets": None}) == [False, True]
    assert drawn({"pets": {"cat": 0.1, "dog": 0.4}}) == [True, True]
    assert drawn({"pets": {"cat": 0.1, "dog": 0.6}}) == [True, False]


def test_pictures_are_picked_far_apart_and_as_many_as_asked_for():
    dataset = tf.data.Dataset.from_tensor_slices((np.arange(24), {"a": np.arange(24)}, {"a": np.ones(24)})).batch(2)
    assert samples.pick(dataset, 4)[0].tolist() == [0, 6, 12, 18]
    assert samples.pick(dataset, 20)[1]["a"].tolist() == list(range(20))
    assert samples.pick(dataset.take(1), 4)[0].tolist() == [0, 1]
    uncounted = dataset.filter(lambda *_: True)
    assert samples.pick(uncounted, 4)[0].tolist() == [0, 1, 2, 3]


def test_an_empty_split_has_no_pictures():
    dataset = tf.data.Dataset.from_tensors((np.zeros(1), {}, {}))
    with pytest.raises(UsageError, match="empty"):
        samples.pick(dataset.take(0), 4)
