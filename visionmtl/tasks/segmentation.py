"""Segmentation: the class of every pixel."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import keras
import numpy as np
import tensorflow as tf

from pipelines.kinds.spec import IGNORE
from visionmtl import drawing, files, images, keras_graph, metrics
from visionmtl.errors import check_number, one_of
from visionmtl.tasks import emphasis, faults, forms, pixels, undecided
from visionmtl.tasks.class_numbers import ClassNumbers, class_numbers, filled
from visionmtl.tasks.meaning import Meaning
from visionmtl.tasks.task import Classes, Labels, Maps, Outputs, Predictions, Task, head_width
from visionmtl.tasks.views import Seen

SURE = 0.9  # probability from which on a wrong pixel is a confident mistake
TINY = 1e-30  # of which there still is a logarithm


@keras.saving.register_keras_serializable("visionmtl")
class Segmentation(Task):
    """Say of every pixel what it belongs to.

    The head is that of `pixels.head`. The loss of a sample, at half the labels' size, is the mean cross-entropy of its
    labelled pixels plus `dice` times the soft Dice loss of the classes it shows, which counts a thin pole as much as a
    wide road. That mean may count some pixels more than others: those of rare classes (`class_weights`), those near
    another class (`boundary`), or the hardest alone (`hard`).

    Labels: int32 `[B, H, W]`, 255 for unlabelled. Outputs: `logits` `[B, H / 2, W / 2, C]`; with `auxiliary` also
    `coarse` `[B, H / 8, W / 8, C]`.
    Predictions: `classes` int32 `[B, H, W]`.

    Args:
        channels: width of the head; None for the maps' own.
        dice: weight of the Dice loss beside the cross-entropy.
        class_weights: how many times the pixels of a class count in the cross-entropy: one number above 0 for each
            class, or `{class: number}`, where a class that is not named counts once; in a recipe also one number, a
            power of how rare each class is among the training pixels; None for all alike.
        boundary: how many times more a pixel counts that has another class within 2 or 3 pixels.
        hard: fraction of an image's labelled pixels that the cross-entropy is taken of, those with the largest, above 0
            and up to 1.
        upsampling: of the head's logits from stride 4 to 2: "bilinear", or "guided" by what the head sees there.
        favour: how many times the probability of a class counts where the class of a pixel is decided, given as
            `class_weights` is; rare classes are often seen and outvoted. It changes predictions, not what is learnt.
            The power 0.4 gained mIoU on streets never seen.
        auxiliary: weight of the cross-entropy of a map of stride 8, which teaches the neck and predicts nothing.

    Reference: Milletari et al. 2016, V-Net (Dice); Menon et al. 2021, Long-tail Learning via Logit Adjustment, equation
    9 (favour); the rest names its own in `emphasis`.
    """

    kinds = ("segmentation",)
    options = (
        "channels",
        "dice",
        "class_weights",
        "boundary",
        "hard",
        "auxiliary",
        "upsampling",
        "favour",
        "dropout",
        "label_smoothing",
    )
    of_classes = ("class_weights", "favour")
    primary, rank, drawn_at, purpose = "mIoU", 0, 1, "image-segmentation"
    merging: ClassVar[str] = "mean of the probabilities"
    mistaken: ClassVar[str] = f"of its pixels are wrong with a probability of at least {SURE}"
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
        class_weights: ClassNumbers = None,
        boundary: float = 0.0,
        hard: float = 1.0,
        auxiliary: float = 0.0,
        upsampling: str = "bilinear",
        favour: ClassNumbers = None,
    ):
        super().__init__(name, classes, dropout, label_smoothing)
        self.channels = head_width(channels, name)
        self.dice = float(check_number(f"Task '{name}'", "dice", dice, at_least=0))
        self.class_weights = class_numbers(name, "class_weights", class_weights, self.classes)
        self.boundary = float(check_number(f"Task '{name}'", "boundary", boundary, at_least=0))
        self.hard = float(check_number(f"Task '{name}'", "hard", hard, above=0, up_to=1))
        self.auxiliary = float(check_number(f"Task '{name}'", "auxiliary", auxiliary, at_least=0))
        self.upsampling = one_of(upsampling, pixels.UPSAMPLINGS, f"upsampling of task '{name}'")
        self.favour = class_numbers(name, "favour", favour, self.classes)
        self.unread = ("coarse",) if self.auxiliary else ()

    def outputs(self, features: Maps) -> Outputs:
        outputs = {"logits": pixels.head(self, features, len(self.classes), "logits", self.upsampling)}
        if self.auxiliary:
            outputs["coarse"] = pixels.coarse(self, features, len(self.classes), "coarse")
        return outputs

    def evidence(self, outputs: Outputs) -> dict[str, keras.KerasTensor]:
        name = keras_graph.made_by(outputs["logits"])
        return {"": keras.layers.Softmax(name=f"{name}_evidence")(outputs["logits"])}

    def form(self, labels: Labels, size: tuple[int, int]) -> Labels:
        return forms.whole(forms.pixels(self.name, labels, size, "class ids", len(self.classes)))

    def faults(self, labels: Labels, known: tf.Tensor, size: tuple[int, int]) -> faults.Found:
        return faults.ids(self.name, labels, len(self.classes), known[:, None, None], (IGNORE,))

    def loss(self, labels: Labels, outputs: Outputs) -> tf.Tensor:
        target, weight = self._halved(labels)
        logits = _resized(outputs["logits"], weight)
        loss = self._cross_entropy(target, logits, weight, labels)
        if self.auxiliary:
            loss += self.auxiliary * self._coarse(target, outputs["coarse"], weight)
        return loss + self.dice * self._dice(target, logits, weight) if self.dice else loss

    def _cross_entropy(self, target: tf.Tensor, logits: tf.Tensor, weight: tf.Tensor, labels: Labels) -> tf.Tensor:
        """Return the cross-entropy of each sample `[B]`, the mean over its cells as far as each counts."""
        if self.class_weights is not None:
            weights = tf.constant(filled(self.class_weights, self.classes))
            target, weight = emphasis.by_class(target, weight, weights)
        smoothed = target * (1 - self.label_smoothing) + self.label_smoothing / len(self.classes)
        entropy = tf.nn.softmax_cross_entropy_with_logits(smoothed if self.label_smoothing else target, logits)
        if self.boundary:
            weight *= 1 + self.boundary * emphasis.near_boundary(labels)
        if self.hard < 1:
            # A cell of several classes has a cross-entropy that no prediction falls below: that is not hardness.
            least = -tf.math.log(tf.reduce_sum(tf.square(target), axis=-1))
            weight *= emphasis.hardest(entropy - least, weight, self.hard)
        return tf.reduce_sum(entropy * weight, axis=(1, 2)) / tf.maximum(tf.reduce_sum(weight, axis=(1, 2)), 1e-6)

    def _coarse(self, target: tf.Tensor, logits: tf.Tensor, weight: tf.Tensor) -> tf.Tensor:
        """Return the cross-entropy `[B]` of logits for the mean distribution of the labelled pixels in each cell."""
        here = tf.nn.avg_pool2d(tf.concat([target * weight[..., None], weight[..., None]], -1), 4, 4, padding="SAME")
        share = here[..., -1]
        logits = _resized(logits, share)
        entropy = tf.nn.softmax_cross_entropy_with_logits(
            tf.math.divide_no_nan(here[..., :-1], share[..., None]), logits
        )
        return tf.reduce_sum(entropy * share, axis=(1, 2)) / tf.maximum(tf.reduce_sum(share, axis=(1, 2)), 1e-6)

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
        logits = tf.cast(outputs["logits"], tf.float32)
        if self.favour is not None:
            logits += tf.constant(np.log(filled(self.favour, self.classes)), tf.float32)
        return {"classes": images.class_map(logits, image_size, window)}

    def probabilities(self, outputs: Outputs) -> tf.Tensor:
        return tf.nn.softmax(tf.cast(outputs["logits"], tf.float32))

    def entropy(self, outputs: Outputs) -> tf.Tensor:
        return tf.reduce_mean(undecided.of_classes(outputs["logits"]), axis=(1, 2))

    def mistakes(self, labels: Labels, predictions: Outputs) -> tf.Tensor:
        truth, found = (tf.cast(each, tf.int32)[:, ::2, ::2] for each in (labels, predictions["classes"]))
        known = tf.cast(truth != IGNORE, tf.float32)
        wrong = tf.cast((truth != found) & (predictions["certainty"] >= SURE), tf.float32) * known
        return tf.math.divide_no_nan(tf.reduce_sum(wrong, axis=(1, 2)), tf.reduce_sum(known, axis=(1, 2)))

    def merged(self, seen: Seen, image_size: Any, window: Any = None) -> Outputs:
        return self.decode({"logits": tf.math.log(_mean(seen) + TINY)}, image_size, window)

    def certainty(self, seen: Seen) -> Outputs:
        size = seen.plain.outputs["logits"].shape[1:3]
        return {"certainty": tf.reduce_max(tf.image.resize(_mean(seen), size), axis=-1)}

    def metrics(self) -> list[metrics.Metric]:
        return [metrics.MeanIoU(self.classes), metrics.BoundaryIoU(self.classes)]

    def charts(self, measured: Sequence[Any]) -> dict[str, np.ndarray]:
        charts, bins = {"confusion": measured[0].confusion}, measured[0].calibration
        return charts | ({"calibration": bins} if bins.any() else {})

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


def _mean(seen: Seen) -> tf.Tensor:
    """Return the mean over several views of the probability of each class, `[B, h, w, C]`."""
    return seen.mean_map("logits", lambda logits, view: tf.nn.softmax(logits))


def _resized(logits: tf.Tensor, like: tf.Tensor) -> tf.Tensor:
    """Return logits `[B, h, w, C]`, float32, of the height and width of a map `[B, H, W]`."""
    size = like.shape[1:3] if like.shape[1:3].is_fully_defined() else tf.shape(like)[1:3]
    return tf.image.resize(tf.cast(logits, tf.float32), size)
