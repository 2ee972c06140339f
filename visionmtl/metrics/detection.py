"""Metrics of detection: COCO's average precision and recall, by pycocotools, and what is taken for what."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from visionmtl.metrics import calibration, coco, f1, mistakes
from visionmtl.metrics.metric import Metric, mean_of

CROWD = -2
SHOWN = 0.3  # the score from which on drawings show a box, and calibration counts it
STEPS = 1001  # confidences from 0 to 1 over which curves are drawn


class CocoAveragePrecision(Metric):
    """COCO's AP (mean over IoU 0.50 to 0.95), AP50 and AP75, computed by pycocotools.

    Objects of all sizes count, and at most 100 detections per image and class. Classes without an object in the truth
    are left out of the mean. A truth row of class -2 is a crowd: detections of ANY class that lie in it are neither
    right nor wrong (`iscrowd = 1` for every class). Detections of score 0 are dropped.

    Details are the AP of each class, and, as pycocotools prints them, the AP of small, medium and large objects and the
    AR of the best 1, 10 and 100 detections and of each size. An object is small below 32 x 32 square pixels and large
    above 96 x 96, of its box, IN PIXELS OF THE NETWORK'S INPUT, in which boxes are measured here: pictures that were
    made smaller have more small objects than COCO would count. `ECE` is the expected calibration error of scores.

    Labels: `boxes` float32 `[B, M, 4]` (x_min, y_min, x_max, y_max) and `classes` int32 `[B, M]`, -1 = padding.
    Predictions: `boxes` `[B, N, 4]`, `scores` `[B, N]` and `classes` `[B, N]`, -1 = padding, in the same pixels.
    Reference: Lin et al., Microsoft COCO: Common Objects in Context, 2014; pycocotools `COCOeval`.
    """

    _kept: Any  # pycocotools' evaluation of all sizes, of what has been seen so far

    def statistics(self, labels: Any, predictions: Mapping[str, tf.Tensor], weights: tf.Tensor) -> dict[str, tf.Tensor]:
        return {
            "labelled": weights > 0,
            "truth_boxes": tf.cast(labels["boxes"], tf.float32),
            "truth_classes": tf.cast(labels["classes"], tf.int32),
            "boxes": tf.cast(predictions["boxes"], tf.float32),
            "scores": tf.cast(predictions["scores"], tf.float32),
            "classes": tf.cast(predictions["classes"], tf.int32),
        }

    def update(self, statistics: Mapping[str, np.ndarray]) -> None:
        self._kept = None
        arrays = {key: value[statistics["labelled"]] for key, value in statistics.items()}
        for image, classes in enumerate(arrays["truth_classes"], start=self.images):
            row = image - self.images
            real = (classes >= 0) | (classes == CROWD)
            detected = (arrays["classes"][row] >= 0) & (arrays["scores"][row] > 0)
            self.truth += coco.annotations(image, arrays["truth_boxes"][row][real], classes[real], None)
            of_image = [arrays[key][row][detected] for key in ("boxes", "classes", "scores")]
            self.detections += coco.annotations(image, *of_image)
        self.images += len(arrays["truth_classes"])

    def result(self, details: bool = False) -> dict[str, float]:
        precision = self.precision()
        values = {"AP": mean_of(precision), "AP50": mean_of(precision[0]), "AP75": mean_of(precision[5])}
        if details:
            values |= self._per_class("AP", [mean_of(of_class) for of_class in np.moveaxis(precision, -1, 0)])
            values |= self._further(self._sized())
            values |= self._further({"ECE": calibration.expected_error(self.calibration())})
        return values

    def precision(self) -> np.ndarray:
        """Return float64 `[10, 101, C]`: precision by IoU threshold, recall (0 to 1) and class; NaN where no truth."""
        if not self.truth:
            return np.full((10, 101, len(self.classes)), np.nan)
        return coco.known(self._evaluated().eval["precision"][..., 0, 0])

    def confidences(self) -> np.ndarray:
        """Return the score `[C]` from which on detections of a class have the best F1 at IoU 0.5; NaN where all are 0.

        Reference: `f1.best`.
        """
        return np.array([f1.best(*each) for each in self._at_half()], np.float64)

    def by_confidence(self) -> np.ndarray:
        """Return float64 `[3, 1001, C]`: precision, recall and F1 at IoU 0.5 by confidence (0 to 1) and class."""
        confidences = np.linspace(0, 1, STEPS)
        return np.stack([f1.over(confidences, *each) for each in self._at_half()], axis=-1)

    def calibration(self) -> np.ndarray:
        """Return how many boxes from a score of 0.3 on are right at IoU 0.5, by their score: `calibration.binned`.

        Reference: Küppers et al. 2020, Multivariate Confidence Calibration for Object Detection.
        """
        matched = self._at_half()
        scores, right = (np.concatenate([of[part] for of in matched]) for part in (0, 1))
        return calibration.binned(scores[scores >= SHOWN], right[scores >= SHOWN])

    def confusion(self) -> np.ndarray:
        """Return which objects were taken for what at IoU 0.5, int `[C + 1, C + 1]`; the last is the background.

        A detection counts if its score reaches that of its class in `least`, or where there is none, the one of the
        best F1; a class of which nothing was found has the median of the others.

        Reference: `mistakes.confusion`.
        """
        found = self.confidences()
        if self.least is not None:
            found = np.array([self.least[name] for name in self.classes], np.float64)
        least = np.where(np.isnan(found), 1.0 if np.isnan(found).all() else np.nanmedian(found), found)
        evaluation = self._evaluated()
        truth, detected = (
            {key: row["bbox"] for key, row in of.anns.items()} for of in (evaluation.cocoGt, evaluation.cocoDt)
        )
        return mistakes.confusion(evaluation.evalImgs, truth, detected, least)

    def reset(self) -> None:
        self._kept = None
        self.truth: list[dict] = []
        self.detections: list[dict] = []
        self.images = 0

    def _evaluated(self) -> Any:
        """Return pycocotools' evaluation at all sizes, made once for what has been seen so far."""
        if self._kept is None:
            self._kept = coco.evaluated(self._spread_crowds(), self.detections, self.images, self.classes)
        return self._kept

    def _sized(self) -> dict[str, float]:
        """Return AP by the size of objects, and AR by it and by how many detections count."""
        counts, sizes = [f"AR_{count}" for count in coco.COUNTS], list(coco.SIZES)[1:]
        if not self.truth:
            names = [*(f"AP_{size}" for size in sizes), *counts, *(f"AR_{size}" for size in sizes)]
            return dict.fromkeys(names, float("nan"))
        given = self._spread_crowds(), self.detections, self.images, self.classes
        found = coco.evaluated(*given, list(coco.SIZES), coco.COUNTS).eval
        precision, recall = coco.known(found["precision"]), coco.known(found["recall"])
        values = {f"AP_{size}": mean_of(precision[..., at, -1]) for at, size in enumerate(sizes, 1)}
        values |= {name: mean_of(recall[..., 0, at]) for at, name in enumerate(counts)}
        return values | {f"AR_{size}": mean_of(recall[..., at, -1]) for at, size in enumerate(sizes, 1)}

    def _at_half(self) -> list[tuple[np.ndarray, np.ndarray, int]]:
        """Return of each class what was matched at IoU 0.5: scores `[N]`, whether right `[N]`, how many objects."""
        matched: list[list[dict]] = [[] for _ in self.classes]
        for each in self._evaluated().evalImgs if self.truth else ():
            if each:
                matched[each["category_id"]].append(each)
        return [mistakes.at_half(each) for each in matched]

    def _spread_crowds(self) -> list[dict]:
        """Repeat each crowd once per class: COCO's evaluation looks at one class at a time."""
        objects = [each for each in self.truth if each["category_id"] != CROWD]
        crowds = [each | {"iscrowd": 1} for each in self.truth if each["category_id"] == CROWD]
        return objects + [crowd | {"category_id": c} for crowd in crowds for c in range(len(self.classes))]
