"""A model as it predicts: a batch through the network, then pictures of one size decoded together, both compiled."""

import collections
from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf

from visionmtl.drawing import samples
from visionmtl.model import MultiTaskModel
from visionmtl.model.seeing import Looks
from visionmtl.prediction.reading import Sample

Predictions = dict[str, dict[str, np.ndarray]]  # of one picture, by task
PIXELS = 1 << 22  # of all pictures that are decoded together: what is said of each pixel takes memory


class Network:
    """Predicts on batches of pictures.

    Args:
        model: a trained model.
        resize: how pictures are fitted, "stretch" or "letterbox".
        looks: further views of each, whose predictions are merged; None for the pictures alone.
    """

    def __init__(self, model: MultiTaskModel, resize: str, looks: Looks | None = None):
        self.model, self.resize, self.looks = model, resize, looks
        batch = tf.TensorSpec((None, *model.image_size, 3))
        self._forward = tf.function(self._seen).get_concrete_function(batch)
        made = self._forward.structured_outputs
        outputs = {key: tf.TensorSpec((None, *value.shape[1:]), value.dtype) for key, value in made.items()}
        places, size, window = tf.TensorSpec((None,), tf.int32), tf.TensorSpec((2,), tf.int32), tf.TensorSpec((4,))
        self._decode = tf.function(self._decoded).get_concrete_function(outputs, places, size, window)

    def outputs(self, batch: Sequence[Sample]) -> Mapping[str, tf.Tensor]:
        """Return the raw outputs of pictures, `[B, ...]`."""
        return self._forward(tf.constant(np.stack([sample.fitted for sample in batch])))

    def decoded(self, outputs: Mapping[str, tf.Tensor], places: Sequence[int], sample: Sample) -> list[Predictions]:
        """Return what raw outputs of a batch mean, in the pixels of each picture.

        Args:
            outputs: of the batch.
            places: in the batch, of pictures that are alike, as `alike` has them.
            sample: one of these.
        """
        decoded = self._decode(outputs, tf.constant(places), tf.constant(sample.size), tf.constant(sample.window))
        found = {key: np.asarray(value) for key, value in decoded.items()}  # as it lies there: `numpy` copies
        by_task = {name: samples.of_task(found, name, self.model.tasks) for name in self.model.tasks}
        return [
            {name: {key: value[index] for key, value in task.items()} for name, task in by_task.items()}
            for index in range(len(places))
        ]

    def _seen(self, images: tf.Tensor) -> dict[str, tf.Tensor]:
        """Return the raw outputs of all views of pictures, those of each view under its number."""
        views = [self.model(images, training=False)] if self.looks is None else self.looks.outputs(images)
        return {f"{number} {key}": value for number, view in enumerate(views) for key, value in view.items()}

    def _decoded(
        self, outputs: Mapping[str, tf.Tensor], places: tf.Tensor, size: tf.Tensor, window: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        views: dict[str, dict[str, tf.Tensor]] = collections.defaultdict(dict)
        for key, value in outputs.items():
            number, name = key.split(" ", 1)
            views[number][name] = tf.gather(value, places)
        inner = None if self.resize == "stretch" else window
        if self.looks is None:
            return self.model.decode(views["0"], size, inner)
        merged = self.looks.decode([views[str(number)] for number in range(len(views))], size, inner)
        return {f"{task}_{key}": value for task, found in merged.items() for key, value in found.items()}


def alike(batch: Sequence[Sample], most: int) -> list[list[int]]:
    """Return the places of pictures of one size, together so that they are decoded at once.

    Args:
        batch: the pictures.
        most: how many may be together; fewer of large ones.
    """
    by_size: dict[tuple[int, int], list[int]] = {}
    for place, sample in enumerate(batch):
        by_size.setdefault(sample.size, []).append(place)
    groups = []
    for (height, width), places in by_size.items():
        length = max(1, min(most, PIXELS // (height * width)))
        groups += [places[start : start + length] for start in range(0, len(places), length)]
    return groups
