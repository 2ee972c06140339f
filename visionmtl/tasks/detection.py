"""Detection: a box, a class and a score for every object."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import keras
import numpy as np
import tensorflow as tf

from visionmtl import drawing, images, keras_graph, metrics
from visionmtl.errors import UsageError, check_flag, check_number, one_of
from visionmtl.tasks import box_decoding, box_head, box_loss, boxes, cells, faults, fitting, forms, undecided
from visionmtl.tasks.amounts import ByAmount
from visionmtl.tasks.meaning import Meaning
from visionmtl.tasks.task import Classes, Labels, Maps, Outputs, Predictions, Task, head_width
from visionmtl.tasks.views import Seen

TOWERS = ("shared", "apart")
NORMALISERS = ("image", "batch")


@keras.saving.register_keras_serializable("visionmtl")
class Detection(Task):
    """Find objects with one look at every cell of the pyramid, without anchors.

    Each cell of each map predicts a score per class and, for each side of the box, a distribution over its distance in
    strides. Cells are matched with objects by `boxes.assign`. The loss of a sample is the quality focal loss of its
    scores, the generalised IoU loss and the distribution focal loss of its boxes, divided by a sum of alignments of
    cells, as `normaliser` says. An image without objects teaches the scores alone.

    Labels: `{"boxes": float32 [B, M, 4], "classes": int32 [B, M]}`, class -1 past the last object, -2 for a region that
    is neither learnt nor counted. Outputs: for each level such as P2, maps `P2_scores`
    `[B, H / stride, W / stride, C]` and `P2_distances` `[B, H / stride, W / stride, 32]`.
    Predictions: `boxes` `[B, 100, 4]`, `scores` `[B, 100]`, `classes` int32 `[B, 100]` (-1 past the last) and
    `count` `[B]`.

    Args:
        channels: width of the head; None for the maps' own.
        depth: convolutions of the head before its outputs; all levels share their kernels, not their normalisation.
        box_weight: weight of the IoU loss beside the scores' loss.
        distance_weight: weight of the distribution focal loss.
        quality: whether scores are multiplied by what the distributions of the sides say of how well they are placed,
            so that of several boxes on an object the best placed is kept.
        towers: "shared" for convolutions that scores and boxes have in common, "apart" for some of their own at half
            the width each.
        normaliser: "image" divides each image's sum of losses by its own alignments, so that an image of ten objects
            weighs as much as one of two; "batch" by the mean of the images labelled in the whole batch, so that an
            object weighs as much wherever it is.
        extra_levels: how many levels coarser than the maps the head makes for itself; None for as many as an object
            takes that fills the image, which a model keeps at other sizes of its input too. None are made of the
            maps P2 to P5 of images of up to 416 pixels. A side reaches 7 strides of its cell.
        end_to_end: whether each object is learnt by one cell, so that predictions are the best cells and nothing is
            suppressed. A second head, of which no export knows, has many cells an object and teaches the features.
        assignment: by which rule objects take cells, as `{"candidates": 13}`; see `boxes.Rule`. Of the head that has
            one cell an object, all but `candidates`.
        iou_threshold: boxes of one class that overlap more are one object, of which the best is kept; 0 to 1. Larger
            where objects lie on each other. It changes predictions, not what is learnt, and nothing of `end_to_end`.
        vote: whether a box is the mean of those around it, weighed by scores; None for where boxes are suppressed.
            It changes predictions, not what is learnt.
        mask: the name of a segmentation task of the same model. Where a class has the same name there, the score of a
            box is multiplied by the fourth root of how much more of the class lies in the box than in a ring of half a
            pixel around it, 0.01 at least, so that of several boxes on an object that is kept which the mask fits. It
            changes predictions, not what is learnt; a model of other tasks (`subset`) has scores as they are.

    Reference: Tian et al. 2019, FCOS; Li et al. 2020, Generalized Focal Loss (quality and distribution focal loss);
    Feng et al. 2021, TOOD (assignment); Wang et al. 2024, YOLOv10 (`end_to_end`).
    """

    kinds = ("detection",)
    options = (
        "channels",
        "depth",
        "box_weight",
        "distance_weight",
        "quality",
        "towers",
        "normaliser",
        "extra_levels",
        "end_to_end",
        "assignment",
        "iou_threshold",
        "vote",
        "mask",
        "dropout",
        "label_smoothing",
    )
    primary, rank, drawn_at, annotates, purpose = "AP", 1, 2, True, "object-detection"
    by_level = True
    static = False  # as many rows as the fullest image of a batch has objects, and as many cells as take one
    merging: ClassVar[str] = "boxes of all views suppressed together"
    mistaken: ClassVar[str] = "score of a box that fits no object"
    meanings: ClassVar[Mapping[str, Meaning]] = {
        "boxes": Meaning(
            "pixels of the picture", "x_min, y_min, x_max, y_max of each object, from the top left corner"
        ),
        "scores": Meaning("0 to 1", "how sure the model is of each object, the surest first"),
        "classes": Meaning("class number", "of each object; -1 in rows past the last object, whose boxes say nothing"),
        "count": Meaning("objects", "how many of the rows are objects; they come first"),
    }

    def __init__(
        self,
        name: str,
        classes: Classes,
        channels: int | None = None,
        depth: int = 2,
        box_weight: float = 2.0,
        distance_weight: float = 0.5,
        quality: bool = False,
        towers: str = "shared",
        normaliser: str = "image",
        extra_levels: int | None = None,
        end_to_end: bool = False,
        assignment: Mapping[str, Any] | None = None,
        iou_threshold: float = boxes.OVERLAP,
        vote: bool | None = None,
        mask: str | None = None,
        dropout: float = 0.0,
        label_smoothing: float = 0.0,
    ):
        super().__init__(name, classes, dropout, label_smoothing)
        self.channels = head_width(channels, name)
        self.depth = int(check_number(f"Task '{name}'", "depth", depth, at_least=0, whole=True))
        self.box_weight = float(check_number(f"Task '{name}'", "box_weight", box_weight, at_least=0))
        self.distance_weight = float(check_number(f"Task '{name}'", "distance_weight", distance_weight, at_least=0))
        self.quality = check_flag(f"Task '{name}'", "quality", quality)
        self.towers = one_of(towers, TOWERS, f"towers of task '{name}'")
        self.normaliser = one_of(normaliser, NORMALISERS, f"normaliser of task '{name}'")
        self.end_to_end = check_flag(f"Task '{name}'", "end_to_end", end_to_end)
        self.unread = box_head.UNREAD if self.end_to_end else ()
        self.assignment = boxes.Rule.read(assignment, f"Task '{name}'").config()
        check_number(f"Task '{name}'", "iou_threshold", iou_threshold, at_least=0, up_to=1)
        self.iou_threshold = float(iou_threshold)
        self.vote = not self.end_to_end if vote is None else check_flag(f"Task '{name}'", "vote", vote)
        if self.vote and self.end_to_end:
            raise UsageError(f"Task '{name}' was given vote beside end_to_end, whose objects have one cell each.")
        if extra_levels is not None:
            check_number(f"Task '{name}'", "extra_levels", extra_levels, at_least=0, whole=True)
        self.extra_levels, self._built = extra_levels, extra_levels
        if not isinstance(mask, str | None):
            raise UsageError(f"mask of task '{name}' was given {mask!r}: expected the name of a task of segmentation.")
        self.mask = mask
        self.shown: list[int | None] = []  # where each class stands among those of the mask

    def meet(self, tasks: Mapping[str, Task]) -> None:
        if self.mask is not None:
            self.shown = fitting.shown(self, tasks)

    def outputs(self, features: Maps) -> Outputs:
        finest = cells.by_stride(features)[0]
        height, width = (side * cells.stride(finest) for side in features[finest].shape[1:3])
        further = self.extra_levels
        self._built = cells.missing(features, (height, width)) if further is None else further
        return box_head.head(self, features, self._built)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"extra_levels": self._built}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Detection":
        return cls(**({"extra_levels": 0, "vote": False, "iou_threshold": 0.6} | config))  # version 0.1.0 had none

    def evidence(self, outputs: Outputs) -> dict[str, keras.KerasTensor]:
        evidence = {}
        for key, scores in outputs.items():
            level, _, kind = key.partition("_")
            if kind == "scores":
                name = f"{keras_graph.made_by(scores)}_{level}_evidence"
                evidence[level] = keras.layers.Activation("sigmoid", name=name)(scores)
        return evidence

    def entropy(self, outputs: Outputs) -> tf.Tensor:
        """Return the entropy of the scores, each weighed by the score: of a thousand cells nearly all show nothing."""
        logits = self._cells(outputs).logits
        scores = tf.stop_gradient(tf.sigmoid(logits))
        whole = tf.reduce_sum(scores * undecided.of_scores(logits), axis=(1, 2))
        return tf.math.divide_no_nan(whole, tf.reduce_sum(scores, axis=(1, 2)))

    def form(self, labels: Labels, size: tuple[int, int]) -> Labels:
        return forms.objects(self.name, labels)

    def faults(self, labels: Labels, known: tf.Tensor, size: tuple[int, int]) -> faults.Found:
        classes = labels["classes"]
        real = known[:, None] & (classes >= 0)
        found = faults.ids(self.name, classes, len(self.classes), known[:, None], (boxes.PADDING, boxes.IGNORED))
        return found | faults.corners(self.name, labels["boxes"], real, size)

    def loss(self, labels: Labels, outputs: Outputs) -> tf.Tensor | ByAmount:
        objects, classes = box_loss.trimmed(labels)
        rule = boxes.Rule.read(self.assignment, self.name)
        heads = {"": replace(rule, candidates=1), box_head.MANY: rule} if self.end_to_end else {"": rule}
        terms = [
            box_loss.sums_and_amounts(self, self._cells(outputs, head), objects, classes, rule)
            for head, rule in heads.items()
        ]
        if self.normaliser == "batch":
            sums, amounts = (tf.stack(each, axis=1) for each in zip(*terms, strict=True))
            return ByAmount(sums, amounts)
        return tf.add_n([sums / tf.maximum(amounts, 1.0) for sums, amounts in terms])

    def _cells(self, outputs: Outputs, head: str = "") -> cells.Cells:
        return cells.unpack(outputs, len(self.classes), head)

    def decode(self, outputs: Outputs, image_size: Any, window: Any = None) -> Outputs:
        placed, scores, size = box_decoding.candidates(self, outputs)
        kept = box_decoding.objects(self, placed, scores)
        return kept | {"boxes": images.map_boxes(kept["boxes"], size, image_size, window)}

    def mistakes(self, labels: Labels, predictions: Outputs) -> tf.Tensor:
        """Return the best score of a box without an object of its class at IoU 0.5, outside of what is ignored."""
        truth, found = tf.cast(labels["classes"], tf.int32), tf.cast(predictions["classes"], tf.int32)
        overlap = boxes.pairwise_iou(tf.cast(predictions["boxes"], tf.float32), tf.cast(labels["boxes"], tf.float32))
        fits = (overlap >= 0.5) & (found[:, :, None] == truth[:, None])
        aside = (overlap > 0) & (truth == boxes.IGNORED)[:, None]
        wrong = (found >= 0) & ~tf.reduce_any(fits | aside, axis=2)
        return tf.reduce_max(tf.where(wrong, tf.cast(predictions["scores"], tf.float32), 0.0), axis=1)

    def merged(self, seen: Seen, image_size: Any, window: Any = None) -> Outputs:
        kept = box_decoding.merged(self, seen)
        return kept | {"boxes": images.map_boxes(kept["boxes"], seen.plain.size, image_size, window)}

    def confident(self, predictions: Outputs, confidences: Any) -> Outputs:
        if isinstance(confidences, Mapping):
            confidences = [confidences[name] for name in self.classes]
        classes = predictions["classes"]
        least = tf.convert_to_tensor(confidences, tf.float32)
        least = tf.broadcast_to(least, (tf.shape(classes)[0], len(self.classes)))
        return boxes.at_least(predictions, tf.gather(least, tf.maximum(classes, 0), batch_dims=1))

    def metrics(self) -> list[metrics.Metric]:
        return [metrics.CocoAveragePrecision(self.classes)]

    def confidences(self, measured: Sequence[Any]) -> dict[str, float] | None:
        """Return those of the best F1 at IoU 0.5; a class of which no object was found has the median of the others."""
        found = measured[0].confidences()
        if np.isnan(found).all():
            return None
        found = np.where(np.isnan(found), np.nanmedian(found), found)
        return dict(zip(self.classes, found.tolist(), strict=True))

    def charts(self, measured: Sequence[Any]) -> dict[str, np.ndarray]:
        precision = measured[0].precision()[0]  # at IoU 0.5
        curves = {"precision_recall": precision, "by_confidence": measured[0].by_confidence()}
        return curves | {"confusion": measured[0].confusion(), "calibration": measured[0].calibration()}

    def truth(self, labels: Labels) -> dict[str, np.ndarray]:
        classes = np.asarray(labels["classes"])
        real = classes >= 0
        return {
            "boxes": np.asarray(labels["boxes"]),
            "scores": real.astype("float32"),
            "classes": classes,
            "count": real.sum(axis=-1).astype("int32"),
        }

    def draw(self, image: np.ndarray, predictions: Predictions) -> np.ndarray:
        shown = (predictions["classes"] >= 0) & predictions.get("shown", predictions["scores"] >= 0.3)
        shown[shown] = ~boxes.covered(predictions["boxes"][shown])  # other classes of an object, not worth drawing
        found = {key: predictions[key][shown] for key in ("boxes", "classes", "scores", "sides") if key in predictions}
        scores = None if (found["scores"] == 1).all() else found["scores"]
        return drawing.boxes(image, found["boxes"], found["classes"], self.colours, scores, found.get("sides"))

    def draw_truth(self, image: np.ndarray, truth: Predictions) -> np.ndarray:
        return self.draw(drawing.hatched(image, truth["boxes"][truth["classes"] == boxes.IGNORED]), truth)

    def describe(self, predictions: Predictions, folder: Path, picture: str) -> None:
        """Say nothing: its objects are annotations."""

    def annotations(self, predictions: Predictions) -> list[dict[str, Any]]:
        count = int(predictions["count"])
        corners, classes = predictions["boxes"][:count], predictions["classes"][:count]
        extents = np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1)
        # in all digits: rounded ones would tie, and be ordered otherwise when precision is measured
        scores = map(float, predictions["scores"][:count].astype(np.float32).astype(str))
        each = zip(classes.tolist(), extents.tolist(), scores, strict=True)
        return [
            {"class": label, "bbox": [round(float(x), 2) for x in box], "score": score} for label, box, score in each
        ]
