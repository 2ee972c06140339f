"""Classification: one class of an image, or any number of them (multi-label)."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import keras
import numpy as np
import tensorflow as tf

from visionmtl import keras_graph, metrics
from visionmtl.tasks import faults, forms, undecided
from visionmtl.tasks.meaning import Meaning
from visionmtl.tasks.task import Classes, Labels, Maps, Outputs, Predictions, Task
from visionmtl.tasks.views import Seen


@keras.saving.register_keras_serializable("visionmtl")
class Classification(Task):
    """Say what an image shows.

    Kinds:
        classification: say which one of the classes an image shows.
        multi_label: say of each class whether an image shows it: several may, or none.

    The head averages the three coarsest maps over the image and applies one dense layer.

    Labels: int32 `[B]`; with `multi_label`, float32 `[B, C]` of 1 (present), 0 (absent) and -1 (unknown, not learnt).
    Outputs: `logits` `[B, C]`. Predictions: `probabilities` `[B, C]`.

    Args:
        multi_label: whether an image may show several classes or none.

    Example:
        >>> Classification("scene", ["street", "field"])
        Classification('scene', 2 classes)
    """

    kinds, purpose = ("classification", "multi_label"), "image-classification"
    merging: ClassVar[str] = "mean of the probabilities"
    mistaken: ClassVar[str] = "probability of what is wrong"
    meanings: ClassVar[Mapping[str, Meaning]] = {
        "probabilities": Meaning("0 to 1", "of each class; they sum to 1, but of kind multi_label each is for itself")
    }

    def __init__(
        self,
        name: str,
        classes: Classes,
        multi_label: bool = False,
        dropout: float = 0.0,
        label_smoothing: float = 0.0,
    ):
        super().__init__(name, classes, dropout, label_smoothing)
        self.multi_label = bool(multi_label)
        self.kind = "multi_label" if multi_label else "classification"
        self.primary = "mAP" if multi_label else "accuracy"

    @classmethod
    def from_spec(cls, spec: Any, **options: Any) -> Self:
        return cls(spec.name, spec.classes, multi_label=spec.kind == "multi_label", **options)

    def outputs(self, features: Maps) -> Outputs:
        pooled = [
            keras.layers.GlobalAveragePooling2D(name=f"{self.name}_pool_{level}")(features[level])
            for level in sorted(features)[-3:]
        ]
        x = keras.layers.Concatenate(name=f"{self.name}_pools")(pooled) if len(pooled) > 1 else pooled[0]
        dense = keras.layers.Dense(len(self.classes), dtype="float32", name=f"{self.name}_logits")
        return {"logits": dense(self.dropped(x))}

    def evidence(self, outputs: Outputs) -> dict[str, keras.KerasTensor]:
        activate = "sigmoid" if self.multi_label else "softmax"
        name = keras_graph.made_by(outputs["logits"])
        return {"": keras.layers.Activation(activate, name=f"{name}_evidence")(outputs["logits"])}

    def form(self, labels: Labels, size: tuple[int, int]) -> Labels:
        take = forms.presence if self.multi_label else forms.class_ids
        return take(self.name, labels, len(self.classes))

    def faults(self, labels: Labels, known: tf.Tensor, size: tuple[int, int]) -> faults.Found:
        if self.multi_label:
            return faults.range_of(self.name, labels, -1, known[:, None], 1, "1, 0, or -1 where nobody looked")
        return faults.ids(self.name, labels, len(self.classes), known, (-1,))

    def loss(self, labels: Labels, outputs: Outputs) -> tf.Tensor:
        logits = tf.cast(outputs["logits"], tf.float32)
        smoothing, count = self.label_smoothing, len(self.classes)
        if self.multi_label:
            labels = tf.cast(labels, tf.float32)
            known = tf.cast(labels >= 0, tf.float32)
            target = labels * (1 - smoothing) + smoothing / 2
            entropy = tf.nn.sigmoid_cross_entropy_with_logits(target, logits) * known
            return tf.reduce_sum(entropy, axis=-1) / tf.maximum(tf.reduce_sum(known, axis=-1), 1.0)
        target = tf.one_hot(labels, count) * (1 - smoothing) + smoothing / count
        return tf.nn.softmax_cross_entropy_with_logits(target, logits)

    def decode(self, outputs: Outputs, image_size: Any, window: Any = None) -> Outputs:
        logits = tf.cast(outputs["logits"], tf.float32)
        return {"probabilities": tf.sigmoid(logits) if self.multi_label else tf.nn.softmax(logits)}

    def entropy(self, outputs: Outputs) -> tf.Tensor:
        if self.multi_label:
            return tf.reduce_mean(undecided.of_scores(outputs["logits"]), axis=-1)
        return undecided.of_classes(outputs["logits"])

    def mistakes(self, labels: Labels, predictions: Outputs) -> tf.Tensor:
        probabilities = predictions["probabilities"]
        if self.multi_label:
            there = labels > 0.5
            sure = tf.where(there, 1 - probabilities, probabilities)
            return tf.reduce_max(tf.where((labels >= 0) & (there != (probabilities >= 0.5)), sure, 0.0), axis=1)
        best = tf.argmax(probabilities, axis=1, output_type=tf.int32)
        return tf.where(best != tf.cast(labels, tf.int32), tf.reduce_max(probabilities, axis=1), 0.0)

    def merged(self, seen: Seen, image_size: Any, window: Any = None) -> Outputs:
        of = (self.decode(dict(view.outputs), image_size, window)["probabilities"] for view in seen.views)
        return {"probabilities": tf.add_n(list(of)) / len(seen.views)}

    def metrics(self) -> list[metrics.Metric]:
        return [metrics.MultiLabel(self.classes) if self.multi_label else metrics.Accuracy(self.classes)]

    def charts(self, measured: Sequence[Any]) -> dict[str, np.ndarray]:
        curves = {"by_probability": measured[0].by_probability(), "calibration": measured[0].calibration}
        if not self.multi_label:
            return {"confusion": measured[0].confusion} | curves
        return {"instances": measured[0].instances, "outcomes": measured[0].outcomes} | curves

    def truth(self, labels: Labels) -> dict[str, np.ndarray]:
        labels = np.asarray(labels)
        return {"probabilities": labels if self.multi_label else np.eye(len(self.classes), dtype="float32")[labels]}

    def words(self, predictions: Predictions) -> str:
        probabilities = predictions["probabilities"]
        if self.multi_label:
            shown = [i for i in np.argsort(-probabilities) if probabilities[i] >= 0.5]
        else:
            shown = [int(np.argmax(probabilities))]
        certain = np.isin(probabilities, (-1, 0, 1)).all()
        said = [self.classes[i] if certain else f"{self.classes[i]} {probabilities[i]:.0%}" for i in shown[:6]]
        return ", ".join(said) or "none"

    def describe(self, predictions: Predictions, folder: Path, picture: str) -> dict[str, float]:
        return {
            name: round(float(value), 5) for name, value in zip(self.classes, predictions["probabilities"], strict=True)
        }

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"multi_label": self.multi_label}
