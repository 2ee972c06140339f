"""What each task is judged by, in two halves: statistics of a batch in graph, sums and results on the host.

The halves make a metric right by construction where others go wrong: statistics of several replicas and batches are
concatenated along axis 0 before anything is averaged, and a sample whose label is missing (weight 0) never enters.
"""

import contextlib
import io
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import tensorflow as tf
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

IGNORED_PIXEL = 255
DELTA = 1.25  # a depth is right by d1 within this factor of the truth, by d2 and d3 within its square and cube
CROWD = -2


class Metric:
    """A measure of one task over a whole data split.

    Args:
        classes: names of the C classes, in the order of the task's outputs.

    A subclass defines `statistics` (a TensorFlow function), `update` and `result` (NumPy, float64) and `reset`.
    Without a single labelled sample every value of `result` is NaN.

    Example:
        >>> metric = MeanIoU(["road", "car"])
        >>> statistics = metric.statistics(labels, predictions, weights)            # in graph, on every replica
        >>> metric.update({key: value.numpy() for key, value in statistics.items()})
        >>> metric.result()["mIoU"]
    """

    def __init__(self, classes: Sequence[str]):
        self.classes = tuple(classes)
        self.reset()

    def statistics(self, labels, predictions: Mapping[str, tf.Tensor], weights: tf.Tensor) -> dict[str, tf.Tensor]:
        """Return what `update` needs of one batch; axis 0 of each tensor may be concatenated with other batches'.

        Args:
            labels: the task's labels of B images, as `pipelines` yields them.
            predictions: the task's decoded predictions of the same images.
            weights: float32 `[B]`; images of weight 0 do not count, all others count alike.
        """
        raise NotImplementedError

    def update(self, statistics: Mapping[str, np.ndarray]) -> None:
        """Add the statistics of one or more batches, as NumPy arrays."""
        raise NotImplementedError

    def result(self, details: bool = False) -> dict[str, float]:
        """Return the values so far; `details` adds one value per class, such as "IoU/car"."""
        raise NotImplementedError

    def reset(self) -> None:
        """Forget everything seen."""
        raise NotImplementedError

    def _per_class(self, name: str, values: Iterable[float]) -> dict[str, float]:
        return {f"{name}/{label}": float(value) for label, value in zip(self.classes, values, strict=True)}


class Accuracy(Metric):
    """Accuracy, top-5 accuracy and macro F1 of a single-label classification.

    `top5` is given for more than five classes. `macro_F1` averages F1 over the classes that occur in the truth or
    among the predictions. Of equal probabilities the lower class index comes first.
    Labels: int32 `[B]`, negative = unknown. Predictions: `probabilities` float32 `[B, C]`.
    """

    def statistics(self, labels, predictions, weights):
        best = tf.math.top_k(predictions["probabilities"], min(5, len(self.classes))).indices
        labels = tf.where(weights > 0, tf.cast(labels, tf.int32), -1)
        return {"truth": labels, "prediction": best[:, 0], "top5": tf.reduce_any(best == labels[:, None], axis=1)}

    def update(self, statistics):
        known = statistics["truth"] >= 0
        pairs = statistics["truth"][known].astype(np.int64) * len(self.classes) + statistics["prediction"][known]
        self.confusion += np.bincount(pairs, minlength=self.confusion.size).reshape(self.confusion.shape)
        self.top5 += int(statistics["top5"][known].sum())

    def result(self, details=False):
        hits, truth, predicted = _margins(self.confusion)
        f1 = _ratio(2 * hits, truth + predicted)
        values = {"accuracy": float(_ratio(hits.sum(), truth.sum())), "macro_F1": _mean(f1)}
        if len(self.classes) > 5:
            values["top5"] = float(_ratio(self.top5, truth.sum()))
        return values | (self._per_class("F1", f1) if details else {})

    def reset(self):
        self.confusion = np.zeros((len(self.classes), len(self.classes)), np.int64)  # rows: truth, columns: prediction
        self.top5 = 0


class MultiLabel(Metric):
    """Mean average precision, macro F1 and accuracy of a multi-label classification.

    `mAP` is the exact average precision (no interpolation, equal scores share one threshold), averaged over the classes
    with at least one positive. `macro_F1` thresholds probabilities at 0.5 and averages over the classes that occur in
    the truth or among the predictions. `accuracy` is that of single label decisions at 0.5.
    Labels: float32 `[B, C]`, -1 = unknown. Predictions: `probabilities` float32 `[B, C]`.
    """

    def statistics(self, labels, predictions, weights):
        labels = tf.where(weights[:, None] > 0, tf.cast(labels, tf.float32), -1.0)
        return {"truth": labels, "scores": tf.cast(predictions["probabilities"], tf.float32)}

    def update(self, statistics):
        self.truth.append(statistics["truth"])
        self.scores.append(statistics["scores"])

    def result(self, details=False):
        truth, scores = np.concatenate(self.truth), np.concatenate(self.scores)
        known, positive, predicted = truth >= 0, truth > 0.5, scores >= 0.5
        f1 = _ratio(2 * (positive & predicted).sum(0), positive.sum(0) + (predicted & known).sum(0))
        precision = np.array(
            [average_precision(p[k], s[k]) for p, s, k in zip(positive.T, scores.T, known.T, strict=True)]
        )
        values = {
            "mAP": _mean(precision),
            "macro_F1": _mean(f1),
            "accuracy": float(_ratio(((positive == predicted) & known).sum(), known.sum())),
        }
        if details:
            values |= self._per_class("AP", precision) | self._per_class("F1", f1)
        return values

    def reset(self):
        self.truth = [np.zeros((0, len(self.classes)), np.float32)]
        self.scores = [np.zeros((0, len(self.classes)), np.float32)]


class CocoAveragePrecision(Metric):
    """COCO's AP (mean over IoU 0.50 to 0.95), AP50 and AP75, computed by pycocotools.

    Objects of all sizes count, and at most 100 detections per image and class. Classes without an object in the truth
    are left out of the mean. A truth row of class -2 is a crowd: detections of ANY class that lie in it are neither
    right nor wrong (`iscrowd = 1` for every class). Detections of score 0 are dropped.
    Labels: `boxes` float32 `[B, M, 4]` (x_min, y_min, x_max, y_max) and `classes` int32 `[B, M]`, -1 = padding.
    Predictions: `boxes` `[B, N, 4]`, `scores` `[B, N]` and `classes` `[B, N]`, -1 = padding, in the same pixels.
    Reference: Lin et al., Microsoft COCO: Common Objects in Context, 2014; pycocotools `COCOeval`.
    """

    def statistics(self, labels, predictions, weights):
        return {
            "labelled": weights > 0,
            "truth_boxes": tf.cast(labels["boxes"], tf.float32),
            "truth_classes": tf.cast(labels["classes"], tf.int32),
            "boxes": tf.cast(predictions["boxes"], tf.float32),
            "scores": tf.cast(predictions["scores"], tf.float32),
            "classes": tf.cast(predictions["classes"], tf.int32),
        }

    def update(self, statistics):
        arrays = {key: value[statistics["labelled"]] for key, value in statistics.items()}
        for image, classes in enumerate(arrays["truth_classes"], start=self.images):
            row = image - self.images
            real = (classes >= 0) | (classes == CROWD)
            found = (arrays["classes"][row] >= 0) & (arrays["scores"][row] > 0)
            self.truth += _annotations(image, arrays["truth_boxes"][row][real], classes[real], None)
            self.found += _annotations(
                image, arrays["boxes"][row][found], arrays["classes"][row][found], arrays["scores"][row][found]
            )
        self.images += len(arrays["truth_classes"])

    def result(self, details=False):
        precision = self.precision()
        values = {"AP": _mean(precision), "AP50": _mean(precision[0]), "AP75": _mean(precision[5])}
        if details:
            values |= self._per_class("AP", [_mean(of_class) for of_class in np.moveaxis(precision, -1, 0)])
        return values

    def precision(self) -> np.ndarray:
        """Return float64 `[10, 101, C]`: precision by IoU threshold, recall (0 to 1) and class; NaN where no truth."""
        if not self.truth:
            return np.full((10, 101, len(self.classes)), np.nan)
        with contextlib.redirect_stdout(io.StringIO()):
            evaluation = COCOeval(self._coco(self._spread_crowds()), self._coco(self.found), "bbox")
            evaluation.params.areaRng, evaluation.params.areaRngLbl = [[0, np.inf]], ["all"]
            evaluation.params.maxDets = [100]
            evaluation.evaluate()
            evaluation.accumulate()
        precision = evaluation.eval["precision"][..., 0, 0]
        return np.where(precision < 0, np.nan, precision)

    def reset(self):
        self.truth, self.found, self.images = [], [], 0

    def _spread_crowds(self) -> list[dict]:
        """Repeat each crowd once per class: COCO's evaluation looks at one class at a time."""
        objects = [each for each in self.truth if each["category_id"] != CROWD]
        crowds = [each | {"iscrowd": 1} for each in self.truth if each["category_id"] == CROWD]
        return objects + [crowd | {"category_id": c} for crowd in crowds for c in range(len(self.classes))]

    def _coco(self, annotations: list[dict]):
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


class MeanIoU(Metric):
    """Mean intersection over union and pixel accuracy of a segmentation.

    `mIoU` averages over the classes that occur in the truth or among the predictions of the whole split.
    Labels: int32 `[B, H, W]`, 255 = ignore. Predictions: `classes` int32 `[B, H, W]`.
    """

    def statistics(self, labels, predictions, weights):
        count = len(self.classes)
        labels = tf.cast(labels, tf.int32)
        known = (labels != IGNORED_PIXEL) & (labels >= 0) & (weights > 0)[:, None, None]
        # Pixels that do not count go to one bin past the matrix: cheaper than gathering those that do.
        bins = tf.where(known, count * labels + tf.cast(predictions["classes"], tf.int32), count * count)
        counts = tf.math.bincount(tf.reshape(bins, [-1]), minlength=count * count + 1, maxlength=count * count + 1)
        return {"confusion": tf.reshape(tf.cast(counts[:-1], tf.int64), [1, count, count])}

    def update(self, statistics):
        self.confusion += statistics["confusion"].sum(axis=0)

    def result(self, details=False):
        hits, truth, predicted = _margins(self.confusion)
        iou = _ratio(hits, truth + predicted - hits)
        values = {"mIoU": _mean(iou), "pixel_accuracy": float(_ratio(hits.sum(), truth.sum()))}
        return values | (self._per_class("IoU", iou) if details else {})

    def reset(self):
        self.confusion = np.zeros((len(self.classes), len(self.classes)), np.int64)  # rows: truth, columns: prediction


class DepthError(Metric):
    """Root mean squared error, absolute relative error and delta accuracies of depth.

    All are means over the known pixels of the whole split: `RMSE` of the error in metres, `abs_rel` of the error as a
    share of the truth, and `d1`, `d2` and `d3` of whether prediction and truth differ by less than a factor of 1.25,
    its square and its cube.
    Labels: float32 `[B, H, W]` in metres, 0 or NaN = unknown. Predictions: `depth` float32 `[B, H, W]`, above 0.
    Reference: Eigen et al. 2014, Depth Map Prediction from a Single Image using a Multi-Scale Deep Network, section 3.
    """

    def __init__(self, classes=()):
        super().__init__(classes)

    def statistics(self, labels, predictions, weights):
        truth = tf.cast(labels, tf.float32)
        known = known_depth(truth) & (weights > 0)[:, None, None]
        truth = tf.where(known, truth, 1.0)
        found = tf.where(known, tf.cast(predictions["depth"], tf.float32), 1.0)  # unknown pixels have no error
        error, factor = tf.abs(found - truth), tf.maximum(found / truth, truth / found)
        within = [tf.cast(known & (factor < DELTA**power), tf.float32) for power in (1, 2, 3)]
        terms = [tf.cast(known, tf.float32), error**2, error / truth, *within]
        return {"sums": tf.stack([tf.reduce_sum(term, axis=(1, 2)) for term in terms], axis=1)}

    def update(self, statistics):
        self.sums += statistics["sums"].astype(np.float64).sum(axis=0)

    def result(self, details=False):
        squared, *means = _ratio(self.sums[1:], self.sums[0])
        named = zip(("abs_rel", "d1", "d2", "d3"), map(float, means), strict=True)
        return {"RMSE": float(np.sqrt(squared)), **dict(named)}

    def reset(self):
        self.sums = np.zeros(6)  # known pixels, squared errors, relative errors, and pixels within each factor


def known_depth(depth: tf.Tensor) -> tf.Tensor:
    """Return where a depth in metres is known: not where it is 0, NaN or without end."""
    return tf.math.is_finite(depth) & (depth > 0)


def average_precision(positive: np.ndarray, scores: np.ndarray) -> float:
    """Return the area under the precision-recall steps; NaN without a positive.

    Args:
        positive: bool `[N]`, the truth.
        scores: float `[N]`, higher is more likely; samples of equal score enter at one threshold, together.
    """
    if not positive.any():
        return np.nan
    order = np.argsort(-scores, kind="stable")
    positive, scores = positive[order], scores[order]
    last_of_tie = np.append(np.flatnonzero(np.diff(scores)), len(scores) - 1)
    hits = np.cumsum(positive)[last_of_tie]
    precision = hits / (last_of_tie + 1.0)
    return float(np.sum(np.diff(hits, prepend=0) * precision) / positive.sum())


def _margins(confusion: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return hits, truths and predictions of each class, `[C]` each, from a `[C, C]` confusion matrix."""
    return np.diagonal(confusion), confusion.sum(axis=1), confusion.sum(axis=0)


def _ratio(numerator, denominator) -> np.ndarray:
    """Divide in float64; NaN where the denominator is 0."""
    denominator = np.asarray(denominator, np.float64)
    return np.asarray(numerator, np.float64) / np.where(denominator == 0, np.nan, denominator)


def _mean(values: np.ndarray) -> float:
    """Average what is not NaN; NaN if nothing is left."""
    values = np.asarray(values, np.float64)
    values = values[~np.isnan(values)]
    return float(values.mean()) if values.size else float("nan")


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
