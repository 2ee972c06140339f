"""Depth: how far away every pixel is, in metres."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import keras
import numpy as np
import tensorflow as tf

from visionmtl import drawing, files, images, keras_graph, metrics
from visionmtl.errors import UsageError, check_number, one_of
from visionmtl.tasks import faults, forms, pixels
from visionmtl.tasks.meaning import Meaning
from visionmtl.tasks.task import Labels, Maps, Outputs, Predictions, Task, head_width
from visionmtl.tasks.views import Seen, View


@keras.saving.register_keras_serializable("visionmtl")
class Depth(Task):
    """Say of every pixel how far away it is.

    The head is that of `pixels.head` and predicts the logarithm of the depth: depth is positive, and a centimetre at
    one metre counts as much as a metre at a hundred. The loss of a sample is the mean of `d ** 2` over its known pixels
    minus `invariance` times the square of the mean of d, where d is the error of the logarithm. Pixels of unknown depth
    teach nothing.

    Labels: float32 `[B, H, W]` in metres, 0 or NaN where unknown. Outputs: `log_depth` `[B, H / 2, W / 2, 1]`.
    Predictions: `depth` float32 `[B, H, W]` in metres.

    Args:
        channels: width of the head; None for the maps' own.
        invariance: fraction of a common factor in all depths of an image that is forgiven: 0 for none, 1 for all of it,
            which leaves the scale unlearnt.
        farthest: metres at the far end of the drawing's colours.
        cap: the smallest and the largest depth in metres that metrics count, as [0.001, 80]; None for all.
        crop: the part of a picture that metrics count: "garg", "eigen" or "nyu"; None for the whole.

    Reference: Eigen et al. 2014, Depth Map Prediction from a Single Image using a Multi-Scale Deep Network, section 3
    (scale-invariant loss, with lambda = 0.5).

    Example:
        >>> Depth("depth", farthest=80.0)
        Depth('depth')
    """

    kinds = ("depth",)
    options = ("channels", "invariance", "farthest", "cap", "crop", "dropout")
    primary, regression, rank, drawn_at, purpose = "d1", True, 0, 0, "depth-estimation"
    merging: ClassVar[str] = "mean of the depths, where seen larger times as much"
    meanings: ClassVar[Mapping[str, Meaning]] = {
        "depth": Meaning("metres", "how far away each pixel of the picture is; 0 beyond it, where others are larger")
    }
    maps: ClassVar[Mapping[str, float]] = {"depth": 0.0}

    def __init__(
        self,
        name: str,
        channels: int | None = None,
        invariance: float = 0.5,
        farthest: float = 10.0,
        dropout: float = 0.0,
        cap: Sequence[float] | None = None,
        crop: str | None = None,
    ):
        super().__init__(name, None, dropout)
        self.channels = head_width(channels, name)
        self.invariance = float(check_number(f"Task '{name}'", "invariance", invariance, at_least=0, up_to=1))
        self.farthest = float(check_number(f"Task '{name}'", "farthest", farthest, above=0))
        self.cap = None if cap is None else _cap(name, cap)
        self.crop = None if crop is None else one_of(crop, list(metrics.CROPS), f"crop of task '{name}'")

    @classmethod
    def from_spec(cls, spec: Any, **options: Any) -> Self:
        return cls(spec.name, **options)

    def outputs(self, features: Maps) -> Outputs:
        return {"log_depth": pixels.head(self, features, 1, "log_depth")}

    def evidence(self, outputs: Outputs) -> dict[str, keras.KerasTensor]:
        name = keras_graph.made_by(outputs["log_depth"])
        return {"": keras.layers.Activation("sigmoid", name=f"{name}_evidence")(outputs["log_depth"])}

    def form(self, labels: Labels, size: tuple[int, int]) -> Labels:
        return tf.cast(forms.pixels(self.name, labels, size, "metres"), tf.float32)

    def faults(self, labels: Labels, known: tf.Tensor, size: tuple[int, int]) -> faults.Found:
        here = known[:, None, None] & tf.math.is_finite(labels)
        return faults.range_of(self.name, labels, 0, here, float("inf"), "metres, and 0 or NaN where nobody knows")

    def loss(self, labels: Labels, outputs: Outputs) -> tf.Tensor:
        labels = tf.cast(labels, tf.float32)
        known = metrics.known_depth(labels)
        weight = tf.cast(known, tf.float32)
        predicted = images.crop_resize(tf.cast(outputs["log_depth"], tf.float32), tf.shape(labels)[1:3])[..., 0]
        error = (predicted - tf.math.log(tf.where(known, labels, 1.0))) * weight
        count = tf.maximum(tf.reduce_sum(weight, axis=(1, 2)), 1.0)
        mean = tf.reduce_sum(error, axis=(1, 2)) / count
        return tf.reduce_sum(error**2, axis=(1, 2)) / count - self.invariance * mean**2

    def decode(self, outputs: Outputs, image_size: Any, window: Any = None) -> Outputs:
        log_depth = images.crop_resize(tf.cast(outputs["log_depth"], tf.float32), image_size, window)
        return {"depth": tf.exp(log_depth[..., 0])}

    def merged(self, seen: Seen, image_size: Any, window: Any = None) -> Outputs:
        """Return the mean depth of several views.

        What is seen twice as large is taken for half as far, as of a camera of twice the focal length, and as a zoom of
        training pictures teaches: depths of a larger view are multiplied by how much larger it is.
        """

        def metres(log_depth: tf.Tensor, view: View) -> tf.Tensor:
            return tf.exp(log_depth) * seen.larger(view)

        return self.decode({"log_depth": tf.math.log(seen.mean_map("log_depth", metres))}, image_size, window)

    def metrics(self) -> list[metrics.Metric]:
        return [metrics.DepthError(cap=self.cap, crop=self.crop)]

    def truth(self, labels: Labels) -> dict[str, np.ndarray]:
        return {"depth": np.asarray(labels)}

    def draw(self, image: np.ndarray, predictions: Predictions) -> np.ndarray:
        return drawing.depth(image, predictions["depth"], self.farthest)

    @property
    def legend(self) -> drawing.Colours:
        return drawing.depth_key(self.farthest)

    def describe(self, predictions: Predictions, folder: Path, picture: str) -> str:
        path = Path("depth", self.name, f"{picture}.npy")
        files.write_array(folder / path, predictions["depth"])
        return path.as_posix()


def _cap(task: str, given: Sequence[float]) -> list[float]:
    """Return the smallest and the largest depth that count.

    Raises:
        UsageError: they are not two numbers of metres, the smaller first.
    """
    if isinstance(given, str) or not isinstance(given, Sequence) or len(given) != 2:
        raise UsageError(
            f"Task '{task}' was given cap={given!r}: expected the least and the most metres, as [0.001, 80]."
        )
    low, high = (float(check_number(f"Task '{task}'", "cap", value, at_least=0)) for value in given)
    if low >= high:
        raise UsageError(f"Task '{task}' was given cap={given!r}: the smaller depth comes first, as [0.001, 80].")
    return [low, high]
