"""Toys: a backbone of four convolutions, three tasks, and a batch with all their labels."""

import keras
import numpy as np
import pytest

from visionmtl.tasks import Classification, Detection, Segmentation

SIZE = 32


def backbone(channels: int = 8) -> keras.Model:
    """A backbone of a few thousand parameters: strides 4 and 8."""
    image = x = keras.Input((SIZE, SIZE, 3), name="image")
    x = keras.layers.Rescaling(1 / 128, offset=-1, name="normalise")(x)
    features = {}
    for level in range(1, 4):
        x = keras.layers.Conv2D(channels, 3, strides=2, padding="same", use_bias=False, name=f"convolution_{level}")(x)
        x = keras.layers.BatchNormalization(momentum=0.9, name=f"normalisation_{level}")(x)
        x = keras.layers.ReLU(name=f"relu_{level}")(x)
        if level > 1:
            features[f"P{level}"] = x
    return keras.Model(image, features, name="toy")


def tasks() -> list:
    """One task of each kind."""
    return [
        Classification("scene", ["indoor", "outdoor", "other"]),
        Detection("objects", ["cat", "dog"]),
        Segmentation("ground", 3),
    ]


def batch(images: int = 4, seed: int = 0) -> tuple:
    """Random images, labels and weights of 1 for `tasks`; every image has two objects and one padding row."""
    random = np.random.default_rng(seed)
    corner = random.uniform(0, 15, (images, 3, 2))
    boxes = np.concatenate([corner, corner + random.uniform(6, 16, (images, 3, 2))], axis=-1).astype("float32")
    classes = random.integers(0, 2, (images, 3)).astype("int32")
    boxes[:, 2], classes[:, 2] = 0, -1
    labels = {
        "scene": random.integers(0, 3, images).astype("int32"),
        "objects": {"boxes": boxes, "classes": classes},
        "ground": random.integers(0, 3, (images, SIZE, SIZE)).astype("int32"),
    }
    weights = {name: np.ones(images, "float32") for name in labels}
    return random.integers(0, 256, (images, SIZE, SIZE, 3)).astype("float32"), labels, weights


@pytest.fixture(scope="session")
def toy_model():
    """Return a function that builds a MultiTaskModel on the toy backbone."""
    from visionmtl.model.multi_task import MultiTaskModel

    def build(chosen=None, **options):
        keras.utils.set_random_seed(0)
        options = {"backbone": backbone(), "image_shape": (SIZE, SIZE, 3), "neck": {"channels": 8}} | options
        return MultiTaskModel(chosen or tasks(), **options)

    return build


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
    return batch


@pytest.fixture
def toy_backbone():
    """Return the function that builds the toy backbone."""
    return backbone
