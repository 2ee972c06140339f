"""Segmentation: the class of every pixel."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import keras
import numpy as np
import tensorflow as tf

from pipelines.kinds.spec import IGNORE
from visionmtl import drawing, files, images, keras_graph, metrics
from visionmtl.errors import check_number
from visionmtl.tasks import faults, forms, pixels
from visionmtl.tasks.meaning import Meaning
from visionmtl.tasks.task import Classes, Labels, Maps, Outputs, Predictions, Task, head_width


@keras.saving.register_keras_serializable("visionmtl")
class Segmentation(Task):
    """Say of every pixel what it belongs to.

    The head is that of `pixels.head`. The loss of a sample, at half the labels' size, is the mean cross-entropy of its
    labelled pixels plus `dice` times the soft Dice loss of the classes it shows, which counts a thin pole as much as a
    wide road.

    Labels: int32 `[B, H, W]`, 255 for unlabelled. Outputs: `logits` `[B, H / 2, W / 2, C]`.
    Predictions: `classes` int32 `[B, H, W]`.

    Args:
        channels: width of the head; None for the maps' own.
        dice: weight of the Dice loss beside the cross-entropy.

    Reference: Milletari et al. 2016, V-Net (Dice).
    """

    kinds = ("segmentation",)
    options = ("channels", "dice", "dropout", "label_smoothing")
    primary, rank, drawn_at, purpose = "mIoU", 0, 1, "image-segmentation"
    meanings: ClassVar[Mapping[str, Meaning]] = {
        "classes": Meaning("class number", "of each pixel of the picture; 255 beyond it, where others are larger")
    }
    maps: ClassVar[Mapping[str, float]] = {"classes": IGNORE}

    def __init__(
        self,
        name: str,
        classes: Classes,
        channels: int | None = None,
        dice: float = 0.5,
        dropout: float = 0.0,
        label_smoothing: float = 0.0,
    ):
        super().__init__(name, classes, dropout, label_smoothing)
        self.channels = head_width(channels, name)
        self.dice = float(check_number(f"Task '{name}'", "dice", dice, at_least=0))

    def outputs(self, features: Maps) -> Outputs:
        return {"logits": pixels.head(self, features, len(self.classes), "logits")}

    def evidence(self, outputs: Outputs) -> dict[str, keras.KerasTensor]:
        name = keras_graph.made_by(outputs["logits"])
        return {"": keras.layers.Softmax(name=f"{name}_evidence")(outputs["logits"])}

    def form(self, labels: Labels, size: tuple[int, int]) -> Labels:
        return forms.whole(forms.pixels(self.name, labels, size, "class ids", len(self.classes)))

    def faults(self, labels: Labels, known: tf.Tensor, size: tuple[int, int]) -> faults.Found:
        return faults.ids(self.name, labels, len(self.classes), known[:, None, None], (IGNORE,))

    def loss(self, labels: Labels, outputs: Outputs) -> tf.Tensor:
        target, weight = self._halved(labels)
        size = weight.shape[1:3] if weight.shape[1:3].is_fully_defined() else tf.shape(weight)[1:3]
        logits = tf.image.resize(tf.cast(outputs["logits"], tf.float32), size)
        smoothed = target * (1 - self.label_smoothing) + self.label_smoothing / len(self.classes)
        entropy = tf.nn.softmax_cross_entropy_with_logits(smoothed if self.label_smoothing else target, logits) * weight
        loss = tf.reduce_sum(entropy, axis=(1, 2)) / tf.maximum(tf.reduce_sum(weight, axis=(1, 2)), 1e-6)
        return loss + self.dice * self._dice(target, logits, weight) if self.dice else loss

    def _halved(self, labels: Labels) -> tuple[tf.Tensor, tf.Tensor]:
        """Return the labels of every 2 x 2 pixels as one distribution over the classes, and their labelled fraction.

        Every pixel teaches, at a quarter of the cost of a loss at full size.
        """
        classes = tf.one_hot(tf.cast(labels, tf.int32), len(self.classes))
        target = tf.nn.avg_pool2d(classes, 2, 2, padding="SAME")
        weight = tf.reduce_sum(target, axis=-1)
        return tf.math.divide_no_nan(target, weight[..., None]), weight

    def _dice(self, target: tf.Tensor, logits: tf.Tensor, weight: tf.Tensor) -> tf.Tensor:
        """Return the soft Dice loss of each sample `[B]`, the mean over the classes it shows."""
        probabilities = tf.nn.softmax(logits) * weight[..., None]
        common = tf.reduce_sum(probabilities * target, axis=(1, 2))
        truth = tf.reduce_sum(target * weight[..., None], axis=(1, 2))
        size = tf.reduce_sum(probabilities, axis=(1, 2)) + truth
        shown = tf.cast(truth > 0, tf.float32)
        loss = (1 - (2 * common + 1) / (size + 1)) * shown
        return tf.reduce_sum(loss, axis=1) / tf.maximum(tf.reduce_sum(shown, axis=1), 1.0)

    def decode(self, outputs: Outputs, image_size: Any, window: Any = None) -> Outputs:
        return {"classes": images.class_map(tf.cast(outputs["logits"], tf.float32), image_size, window)}

    def metrics(self) -> list[metrics.Metric]:
        return [metrics.MeanIoU(self.classes)]

    def charts(self, measured: Sequence[Any]) -> dict[str, np.ndarray]:
        return {"confusion": measured[0].confusion}

    def truth(self, labels: Labels) -> dict[str, np.ndarray]:
        return {"classes": np.asarray(labels)}

    def draw(self, image: np.ndarray, predictions: Predictions) -> np.ndarray:
        return drawing.masks(image, predictions["classes"], self.colours)

    @property
    def legend(self) -> drawing.Colours:
        return self.colours

    def describe(self, predictions: Predictions, folder: Path, picture: str) -> str:
        path = Path("masks", self.name, f"{picture}.png")
        files.write_png(folder / path, predictions["classes"].astype(np.uint8))
        return path.as_posix()
