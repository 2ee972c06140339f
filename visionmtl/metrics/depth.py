"""Metrics of depth: errors over all pixels and image by image, within a cap and a crop as benchmarks have them."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf

from visionmtl.metrics.metric import Metric, ratio

DELTA = 1.25  # a depth is right by d1 within this factor of the truth, by d2 and d3 within its square and cube
CROPS = {  # what counts of a picture: first and last row, first and last column, as fractions
    "garg": (0.40810811, 0.99189189, 0.03594771, 0.96405229),
    "eigen": (0.3324324, 0.91351351, 0.0359477, 0.96405229),
    "nyu": (45 / 480, 471 / 480, 41 / 640, 601 / 640),
}
SUMS = ("squared", "abs_rel", "d1", "d2", "d3", "squared_rel", "log", "squared_log", "log10")
POOLED = ("RMSE", "abs_rel", "d1", "d2", "d3")  # the others are details


class DepthError(Metric):
    """Root mean squared error, absolute relative error and delta accuracies of depth.

    All are means over the known pixels of the whole split: `RMSE` of the error in metres, `abs_rel` of the error as a
    fraction of the truth, and `d1`, `d2` and `d3` of whether prediction and truth differ by less than a factor of 1.25,
    its square and its cube. Details are `sq_rel`, `RMSE_log`, `log10` and `silog` (a hundred times the standard
    deviation of the logarithms' error) over them, and all of these as the mean over images of each image's own, as
    papers give them: `further/RMSE_by_image`.
    Labels: float32 `[B, H, W]` in metres, 0 or NaN = unknown. Predictions: `depth` float32 `[B, H, W]`, above 0.

    Args:
        classes: none.
        cap: the smallest and the largest depth in metres: only truths between them count, and predictions beyond are
            taken to be there; None for all.
        crop: "garg" or "eigen" (of KITTI) or "nyu", the part of a picture that counts, as fractions of the network's
            input; None for the whole.

    Reference: Eigen et al. 2014, Depth Map Prediction from a Single Image using a Multi-Scale Deep Network, section 3;
    the evaluations of monodepth2 (Godard et al. 2019; Garg's crop) and BTS (Lee et al. 2019; Eigen's, and NYU's).
    """

    lower: ClassVar[frozenset[str]] = frozenset({"RMSE", "abs_rel"})

    def __init__(self, classes: Sequence[str] = (), cap: Sequence[float] | None = None, crop: str | None = None):
        super().__init__(classes)
        self.cap, self.crop = cap, crop

    def statistics(self, labels: Any, predictions: Mapping[str, tf.Tensor], weights: tf.Tensor) -> dict[str, tf.Tensor]:
        truth, depth = tf.cast(labels, tf.float64), tf.cast(predictions["depth"], tf.float64)
        known = known_depth(truth) & (weights > 0)[:, None, None]
        if self.cap is not None:
            low, high = self.cap
            known &= (truth > low) & (truth < high)
            depth = tf.clip_by_value(tf.where(tf.math.is_nan(depth), tf.cast(low, tf.float64), depth), low, high)
        if self.crop is not None:
            known &= within(self.crop, tf.shape(truth)[1], tf.shape(truth)[2])
        truth = tf.where(known, truth, 1.0)
        depth = tf.where(known, depth, 1.0)  # unknown pixels have no error
        error, factor = tf.abs(depth - truth), tf.maximum(depth / truth, truth / depth)
        logs = tf.math.log(depth) - tf.math.log(truth)
        near = [tf.cast(known & (factor < DELTA**power), tf.float64) for power in (1, 2, 3)]
        terms = [tf.cast(known, tf.float64), error**2, error / truth, *near, error**2 / truth]
        terms += [logs, logs**2, tf.abs(logs) / np.log(10.0)]
        return {"sums": tf.stack([tf.reduce_sum(term, axis=(1, 2)) for term in terms], axis=1)}

    def update(self, statistics: Mapping[str, np.ndarray]) -> None:
        sums = statistics["sums"]
        self.sums += sums.sum(axis=0)
        shown = sums[sums[:, 0] > 0]  # images without a known pixel have no error of their own
        self.images += len(shown)
        for name, values in _figures(shown).items():
            self.by_image[name] = self.by_image.get(name, 0.0) + float(values.sum())

    def result(self, details: bool = False) -> dict[str, float]:
        pooled = {name: float(values[0]) for name, values in _figures(self.sums[None]).items()}
        values = {name: pooled[name] for name in POOLED}
        if details:
            values |= self._further({name: value for name, value in pooled.items() if name not in POOLED})
            each = {name: float(ratio(self.by_image.get(name, 0.0), self.images)) for name in pooled}
            values |= self._further({f"{name}_by_image": value for name, value in each.items()})
        return values

    def reset(self) -> None:
        self.sums = np.zeros(1 + len(SUMS))  # known pixels, and the sum over them of each
        self.by_image: dict[str, float] = {}
        self.images = 0


def _figures(sums: np.ndarray) -> dict[str, np.ndarray]:
    """Return what is said of sums `[N, 10]` over known pixels, each `[N]`; NaN where there are none."""
    of = dict(zip(SUMS, ratio(sums[:, 1:], sums[:, :1]).T, strict=True))
    spread = np.sqrt(np.maximum(of["squared_log"] - of["log"] ** 2, 0.0))
    same = {name: of[name] for name in POOLED[1:]}
    return {
        "RMSE": np.sqrt(of["squared"]),
        **same,
        "sq_rel": of["squared_rel"],
        "RMSE_log": np.sqrt(of["squared_log"]),
        "log10": of["log10"],
        "silog": 100 * spread,
    }


def within(crop: str, height: tf.Tensor | int, width: tf.Tensor | int) -> tf.Tensor:
    """Return which pixels of a picture lie in a crop, bool `[H, W]`.

    Example:
        >>> int(tf.reduce_sum(tf.cast(within("nyu", 480, 640), tf.int32))) == (471 - 45) * (601 - 41)
        True
    """
    edges = tf.constant(CROPS[crop], tf.float64)
    sides = tf.cast(tf.stack([height, height, width, width]), tf.float64)
    top, bottom, left, right = tf.unstack(tf.cast(tf.floor(edges * sides + 1e-9), tf.int32))
    rows, columns = tf.range(height)[:, None], tf.range(width)[None]
    return (rows >= top) & (rows < bottom) & (columns >= left) & (columns < right)


def known_depth(depth: tf.Tensor) -> tf.Tensor:
    """Return where a depth in metres is known: not where it is 0, NaN or without end."""
    return tf.math.is_finite(depth) & (depth > 0)
