"""A backbone of a few thousand parameters, "toy", for benchmarks of what goes on around a network."""

from typing import Any

import keras

from visionmtl import backbones
from visionmtl.backbones.architecture import Architecture


def register() -> None:
    """Make the backbone one that a recipe can name."""
    backbones.REGISTRY["toy"] = Architecture("toy", "benchmarks", 0.0, "", five_convolutions)


def five_convolutions(image: Any, imagenet: bool) -> dict[str, Any]:
    """Return the features of five convolutions, each at half the size of the one before."""
    x, features = keras.layers.Rescaling(1 / 128, offset=-1)(image), {}
    for level in range(1, 6):
        x = keras.layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False)(x)
        x = keras.layers.ReLU()(keras.layers.BatchNormalization()(x))
        features[f"P{level}"] = x
    return {level: features[level] for level in ("P2", "P3", "P4", "P5")}
