"""Metrics of detection: COCO's average precision, by pycocotools."""

import contextlib
import io
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from visionmtl.metrics import f1
from visionmtl.metrics.metric import Metric, mean_of

CROWD = -2


class CocoAveragePrecision(Metric):
    """COCO's AP (mean over IoU 0.50 to 0.95), AP50 and AP75, computed by pycocotools.

    Objects of all sizes count, and at most 100 detections per image and class. Classes without an object in the truth
    are left out of the mean. A truth row of class -2 is a crowd: detections of ANY class that lie in it are neither
    right nor wrong (`iscrowd = 1` for every class). Detections of score 0 are dropped.
    Labels: `boxes` float32 `[B, M, 4]` (x_min, y_min, x_max, y_max) and `classes` int32 `[B, M]`, -1 = padding.
    Predictions: `boxes` `[B, N, 4]`, `scores` `[B, N]` and `classes` `[B, N]`, -1 = padding, in the same pixels.
    Reference: Lin et al., Microsoft COCO: Common Objects in Context, 2014; pycocotools `COCOeval`.
    """

    _kept: tuple[np.ndarray, np.ndarray] | None

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
            self.truth += _annotations(image, arrays["truth_boxes"][row][real], classes[real], None)
            of_image = [arrays[key][row][detected] for key in ("boxes", "classes", "scores")]
            self.detections += _annotations(image, *of_image)
        self.images += len(arrays["truth_classes"])

    def result(self, details: bool = False) -> dict[str, float]:
        precision = self.precision()
        values = {"AP": mean_of(precision), "AP50": mean_of(precision[0]), "AP75": mean_of(precision[5])}
        if details:
            values |= self._per_class("AP", [mean_of(of_class) for of_class in np.moveaxis(precision, -1, 0)])
        return values

    def precision(self) -> np.ndarray:
        """Return float64 `[10, 101, C]`: precision by IoU threshold, recall (0 to 1) and class; NaN where no truth."""
        return self._measured()[0]

    def confidences(self) -> np.ndarray:
        """Return the score `[C]` from which on detections of a class have the best F1 at IoU 0.5; NaN where all are 0.

        Reference: `f1.best`.
        """
        return self._measured()[1]

    def _measured(self) -> tuple[np.ndarray, np.ndarray]:
        """Return `precision` and `confidences`, reckoned once for what has been seen so far."""
        self._kept = kept = self._kept or self._measure()
        return kept

    def _measure(self) -> tuple[np.ndarray, np.ndarray]:
        classes = len(self.classes)
        if not self.truth:
            return np.full((10, 101, classes), np.nan), np.full(classes, np.nan)
        with contextlib.redirect_stdout(io.StringIO()):
            evaluation = COCOeval(self._coco(self._spread_crowds()), self._coco(self.detections), "bbox")
            evaluation.params.areaRng, evaluation.params.areaRngLbl = [[0, np.inf]], ["all"]
            evaluation.params.maxDets = [100]
            evaluation.evaluate()
            evaluation.accumulate()
        precision = evaluation.eval["precision"][..., 0, 0]
        matched = [[each for each in evaluation.evalImgs if each and each["category_id"] == c] for c in range(classes)]
        confidences = np.array([f1.best(*_at_half(each)) for each in matched], np.float64)
        return np.where(precision < 0, np.nan, precision), confidences

    def reset(self) -> None:
        self._kept = None
        self.truth: list[dict] = []
        self.detections: list[dict] = []
        self.images = 0

    def _spread_crowds(self) -> list[dict]:
        """Repeat each crowd once per class: COCO's evaluation looks at one class at a time."""
        objects = [each for each in self.truth if each["category_id"] != CROWD]
        crowds = [each | {"iscrowd": 1} for each in self.truth if each["category_id"] == CROWD]
        return objects + [crowd | {"category_id": c} for crowd in crowds for c in range(len(self.classes))]

    def _coco(self, annotations: list[dict]) -> COCO:
        """Build pycocotools' index straight from the annotations, without a detour over JSON."""
        coco = COCO()
        coco.dataset = {
            "images": [{"id": image} for image in range(self.images)],
            "categories": [{"id": index, "name": name} for index, name in enumerate(self.classes)],
            # Ids start at 1: COCOeval takes a match with id 0 for no match.
            "annotations": [each | {"id": index} for index, each in enumerate(annotations, start=1)],
        }
        coco.createIndex()
        return coco


def _at_half(matched: list[dict]) -> tuple[np.ndarray, np.ndarray, int]:
    """Return what pycocotools matched of a class at IoU 0.5: scores `[N]`, whether right `[N]`, how many objects."""
    counted = [~each["dtIgnore"][0].astype(bool) for each in matched]
    pairs = list(zip(matched, counted, strict=True))
    scores = [np.asarray(each["dtScores"], np.float64)[counts] for each, counts in pairs]
    right = [each["dtMatches"][0][counts] > 0 for each, counts in pairs]
    objects = sum(int((~each["gtIgnore"].astype(bool)).sum()) for each in matched)
    return np.concatenate([np.empty(0), *scores]), np.concatenate([np.empty(0, bool), *right]), objects


def _annotations(image: int, boxes: np.ndarray, classes: np.ndarray, scores: np.ndarray | None) -> list[dict]:
    """Describe the boxes of one image as COCO does: x, y, width, height, and area."""
    corners = boxes.astype(np.float64)
    sizes = corners[:, 2:] - corners[:, :2]
    scores = np.ones(len(classes)) if scores is None else scores
    return [
        {"image_id": image, "category_id": c, "bbox": box, "area": area, "score": score, "iscrowd": 0}
        for c, box, area, score in zip(
            classes.tolist(),
            np.concatenate([corners[:, :2], sizes], axis=1).tolist(),
            sizes.prod(axis=1).tolist(),
            scores.tolist(),
            strict=True,
        )
    ]
