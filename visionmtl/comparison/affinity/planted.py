"""Tasks whose affinities are known beforehand, planted on the embedded garments: what the scores must find again."""

from typing import Any

import keras
import tensorflow as tf

import pipelines
from pipelines.splits import SPLITS
from visionmtl.model import MultiTaskModel
from visionmtl.tasks import Classification, Task
from visionmtl.tasks.task import Labels, Maps, Outputs

SIZE = 32  # of the pictures' sides in pixels
BATCH = 32
GARMENT, COPY, SHUFFLED, OPPOSED = "garment", "copy", "shuffled", "opposed"
STRENGTH = 3.0  # of hiding, beside the other tasks
NAMES = (GARMENT, COPY, SHUFFLED, OPPOSED)


class Adversary(keras.layers.Layer):
    """Logits of a head that learns to tell classes, and the same logits for features that learn not to be told.

    Args:
        classes: how many.

    Call: features `[B, C]` -> logits `[B, classes]` whose gradient ends at the features, and the same logits whose
    gradient goes to the features alone.
    """

    def __init__(self, classes: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.classes = classes

    def build(self, shape: tuple) -> None:
        self.kernel = self.add_weight(name="kernel", shape=(shape[-1], self.classes))
        self.bias = self.add_weight(name="bias", shape=(self.classes,), initializer="zeros")

    def call(self, features: Any) -> tuple[Any, Any]:
        still = keras.ops.stop_gradient
        told = keras.ops.matmul(still(features), self.kernel) + self.bias
        hidden = keras.ops.matmul(features, still(self.kernel)) + still(self.bias)
        return told, hidden


class Opposed(Classification):
    """Make the features say nothing of a class: what opposes classification although its head is its own.

    A flipped or permuted label opposes nothing: a head of its own turns it back, and asks for the same features. Here
    the head learns to tell the class, and the features learn that it cannot: the loss is the cross-entropy of the
    head's answer with the uniform one, as where a domain or a person is to stay unknown.

    Reference: Tzeng et al. 2015, Simultaneous Deep Transfer Across Domains and Tasks, equation 3.
    """

    def outputs(self, features: Maps) -> Outputs:
        pooled = [
            keras.layers.GlobalAveragePooling2D(name=f"{self.name}_pool_{level}")(features[level])
            for level in sorted(features)[-3:]
        ]
        x = keras.layers.Concatenate(name=f"{self.name}_pools")(pooled) if len(pooled) > 1 else pooled[0]
        told, hidden = Adversary(len(self.classes), dtype="float32", name=f"{self.name}_logits")(x)
        return {"logits": told, "hidden": hidden}

    def loss(self, labels: Labels, outputs: Outputs) -> tf.Tensor:
        told = super().loss(labels, outputs)
        confused = -tf.reduce_mean(tf.nn.log_softmax(outputs["hidden"]), axis=-1)
        return STRENGTH * confused + told - tf.stop_gradient(told)


def data(train: int, validation: int, seed: int = 0) -> pipelines.Datasets:
    """Return scenes of garments, labelled for the planted tasks, batch by batch.

    Args:
        train: images in this split.
        validation: likewise.
        seed: of the order.
    """
    sizes: dict[str, Any] = {"train": train, "validation": validation, "test": 1}
    found = pipelines.load(
        "garments", (SIZE, SIZE), BATCH, splits=SPLITS[:2], tasks=["classification"], seed=seed, **sizes
    )
    classes = found.specs[0].classes

    def plant(images: Any, labels: Any, weights: Any) -> tuple:
        known = labels["classification"]
        chance = _hashed(images, len(classes))
        planted = {GARMENT: known, COPY: known, SHUFFLED: chance, OPPOSED: known}
        return images, planted, dict.fromkeys(NAMES, weights["classification"])

    found.splits = {split: dataset.map(plant) for split, dataset in found.splits.items()}
    found.specs = tuple(pipelines.LabelSpec(name, "classification", classes) for name in NAMES)
    return found


def model(specs: tuple[pipelines.LabelSpec, ...], tasks: list[str], seed: int, rate: float) -> MultiTaskModel:
    """Return a small model of some of the planted tasks, compiled.

    Args:
        specs: of all labels.
        tasks: their names.
        seed: of the weights.
        rate: learning rate.
    """
    keras.utils.set_random_seed(seed)
    kinds: dict[str, type[Task]] = {OPPOSED: Opposed}
    chosen = [kinds.get(spec.name, Classification)(spec.name, spec.classes) for spec in specs if spec.name in tasks]
    made = MultiTaskModel(chosen, backbone=_backbone(), image_shape=(SIZE, SIZE, 3), neck={"channels": 32})
    made.compile(keras.optimizers.Adam(rate))
    return made


def _hashed(images: tf.Tensor, classes: int) -> tf.Tensor:
    """Return a class for each image that follows from its pixels alone and says nothing of what it shows."""
    flat = tf.reshape(tf.cast(images, tf.int64), [tf.shape(images)[0], -1])
    places = tf.range(tf.shape(flat)[1], dtype=tf.int64)
    mixed = tf.reduce_sum(flat * ((places * 7919 + 104729) % 65537), axis=1)
    return tf.cast((mixed * 2654435761 % 4294967291) // 65536 % classes, tf.int32)


def _backbone() -> keras.Model:
    """Return four convolutions with maps of strides 4, 8 and 16."""
    image = x = keras.Input((SIZE, SIZE, 3), name="image")
    x = keras.layers.Rescaling(1 / 128, offset=-1, name="normalise")(x)
    levels = {}
    for level, channels in enumerate((16, 32, 48, 64), 1):
        x = keras.layers.Conv2D(channels, 3, strides=2, padding="same", use_bias=False, name=f"convolution_{level}")(x)
        x = keras.layers.BatchNormalization(momentum=0.9, name=f"normalisation_{level}")(x)
        x = keras.layers.ReLU(name=f"relu_{level}")(x)
        if level > 1:
            levels[f"P{level}"] = x
    return keras.Model(image, levels, name="planted")
