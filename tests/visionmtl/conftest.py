"""The toys of `toys.py` as fixtures."""

import keras
import pytest
import toys


@pytest.fixture(scope="session")
def toy_model():
    """Return the function that builds a MultiTaskModel on the toy backbone."""
    return toys.model


def _toy(image, imagenet):
    """A backbone of five convolutions."""
    x, features = keras.layers.Rescaling(1 / 128, offset=-1)(image), {}
    for level in range(1, 6):
        x = keras.layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False)(x)
        x = keras.layers.ReLU()(keras.layers.BatchNormalization()(x))
        features[f"P{level}"] = x
    return {level: features[level] for level in ("P2", "P3", "P4", "P5")}


@pytest.fixture(scope="module")
def toy_by_name():
    """Make a toy backbone, "toy", one that a recipe can name."""
    from visionmtl import backbones
    from visionmtl.backbones.architecture import Architecture

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(backbones.REGISTRY, "toy", Architecture("toy", "tests", 0.0, "", _toy))
        yield


@pytest.fixture
def toy_batch():
    """Return the function that makes a batch for the toy tasks."""
    return toys.batch


@pytest.fixture
def toy_backbone():
    """Return the function that builds the toy backbone."""
    return toys.backbone
