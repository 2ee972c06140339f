"""Backbones by name: an image in, feature maps P2 to P5 (strides 4 to 32) out, whole or cut into stages.

From outside come `build`, `check`, `stages`, `names` and `describe`. A new family is a file here that has
`ARCHITECTURES`.
"""

from pathlib import Path
from typing import Any

import keras

from pipelines import discovery
from visionmtl.backbones import pretrained, safetensors_files
from visionmtl.backbones.architecture import STRIDE, Architecture
from visionmtl.errors import UsageError, one_of


def _families() -> list[tuple[Architecture, ...]]:
    """Return the architectures of each file that has some; the family with weights that need no network leads."""
    families = [
        module.ARCHITECTURES for module in discovery.modules(__name__).values() if "ARCHITECTURES" in vars(module)
    ]
    return sorted(families, key=lambda family: all(each.imagenet in ("", "download") for each in family))


REGISTRY: dict[str, Architecture] = {each.name: each for family in _families() for each in family}


def names() -> list[str]:
    """Return the names that `build` knows."""
    return list(REGISTRY)


def build(
    name: str, image_shape: tuple[int, int, int] = (288, 384, 3), weights: str | Path | None = None
) -> keras.Model:
    """Return a backbone: a functional model of Keras layers from an image to its feature maps.

    Its input is float RGB in 0..255, `[B, H, W, 3]`: normalisation is inside, the classifier is not. Its output is a
    dict: P2 `[B, H/4, W/4, C2]`, P3 `[B, H/8, W/8, C3]`, P4 `[B, H/16, W/16, C4]`, P5 `[B, H/32, W/32, C5]`. It has no
    dropout. Any functional model with such an input and output is a backbone too.

    Args:
        name: one of `names()`.
        image_shape: height, width and 3; both sides multiples of 32.
        weights: None (random), "imagenet", or a `.keras` or `.weights.h5` file that holds this backbone, alone or as
            the stages of a larger model; of transformers also a `.safetensors` file of Hugging Face, or the
            `.safetensors.index.json` of several.

    Raises:
        UsageError: unknown name, image size no stride divides, weights that cannot be had or are of another
            architecture.

    Example:
        >>> backbone = build("efficientnet_lite0", (288, 384, 3))
        >>> backbone.output["P5"].shape
        (None, 9, 12, 320)
    """
    architecture = check(name, weights)
    _check_image_shape(image_shape)
    imagenet, foreign = weights == "imagenet", str(weights).endswith(safetensors_files.ENDINGS)
    image = keras.Input(image_shape, name="image")
    model = keras.Model(image, architecture.features(image, imagenet), name=name)
    if weights is not None and foreign and architecture.hugging_face is not None:
        safetensors_files.load(model, weights, architecture.hugging_face)
    elif weights is not None and not imagenet:
        pretrained.load(model, weights)
    return model


def given(backbone: keras.Model, image_shape: tuple[int, int, int], weights: Any = None) -> keras.Model:
    """Return a backbone that a user made, if a model can be built of it.

    Args:
        backbone: a functional model like those of `build`.
        image_shape: height, width and channels of the images that it is to see.
        weights: None, as it has its own.

    Raises:
        UsageError: it is no model, has other channels, or weights were given beside it.
    """
    if not isinstance(backbone, keras.Model):
        raise UsageError(
            f"The backbone was given as {backbone!r}: expected one of {', '.join(names())}, or a functional"
            " keras.Model."
        )
    if weights is not None:
        raise UsageError(
            f"weights={str(weights)!r} was given beside backbone '{backbone.name}', which is a model and has its own:"
            " load them into it before, or name a backbone."
        )
    seen = getattr(backbone, "input_shape", None)  # which a Sequential that was not called does not have
    channels = seen[-1] if isinstance(seen, tuple) else None
    whole = all(isinstance(side, int) and side > 0 for side in image_shape)
    if len(image_shape) != 3 or not whole or channels not in (None, image_shape[2]):
        raise UsageError(
            f"image_shape is {tuple(image_shape)}: expected height, width and {channels or 3}, the channels that"
            f" backbone '{backbone.name}' sees, as whole numbers."
        )
    return backbone


def check(name: str, weights: str | Path | None = None) -> Architecture:
    """Return what `build` makes of a name, where it would find its weights; it takes a moment.

    Raises:
        UsageError: unknown name, or weights that are not there or not for this backbone.
    """
    architecture = REGISTRY[one_of(name, names(), "backbone")]
    if weights == "imagenet":
        if not architecture.imagenet:
            have = [other.name for other in REGISTRY.values() if other.imagenet]
            raise UsageError(f"There are no ImageNet weights for {name}, only for: {', '.join(have)}.")
    elif str(weights).endswith(safetensors_files.ENDINGS):
        if architecture.hugging_face is None:
            have = [other.name for other in REGISTRY.values() if other.hugging_face]
            raise UsageError(f"{weights}: files of safetensors are read for {', '.join(have)}, not for {name}.")
        if not Path(str(weights)).is_file():
            raise UsageError(f"Weights file {weights} does not exist.")
    elif weights is not None:
        pretrained.check(weights)
    return architecture


def stages(backbone: keras.Model, prefix: str = "") -> list[tuple[str, keras.Model]]:
    """Cut a backbone into consecutive models, image -> P2 -> P3 -> P4 -> P5, that share its layers and weights.

    Called one after the other they give what the backbone gives, bit for bit.

    Args:
        backbone: what `build` returns, or any functional model whose output is a dict of feature maps, each computed
            from the one before alone.
        prefix: starts the names of the models, `<prefix><backbone name>_<level>`: a functional model that calls
            several copies of a backbone needs a name for each.

    Returns:
        Pairs of level and model, in the order of the output.

    Raises:
        UsageError: the output is not a dict, or a path through the backbone goes round one of its levels.
    """
    if not isinstance(getattr(backbone, "output", None), dict):  # a Sequential that was not called has none at all
        raise UsageError(
            f"Backbone '{backbone.name}' is a {type(backbone).__name__} that outputs no dict of feature maps, such as "
            "{'P2': ..., 'P5': ...}: make them the outputs of a functional keras.Model."
        )
    cut: list[tuple[str, keras.Model]] = []
    before = backbone.input
    for level, features in backbone.output.items():
        try:
            cut.append((level, keras.Model(before, features, name=f"{prefix}{backbone.name}_{level}")))
        except ValueError:
            raise UsageError(
                f"Backbone '{backbone.name}' cannot be cut at {cut[-1][0]}: a path to {level} goes round it."
            ) from None
        before = features
    return cut


def describe(name: str) -> str:
    """Return one line about a backbone: library, parameters, where its ImageNet weights come from."""
    architecture = REGISTRY[one_of(name, names(), "backbone")]
    source = {"": "no ImageNet weights", "download": "ImageNet weights by download"}.get(
        architecture.imagenet, "ImageNet weights with visionmtl[pretrained]"
    )
    if architecture.hugging_face is not None:
        source = "weights from a file of Hugging Face"
    return f"{architecture.library}, {architecture.millions}M parameters, {source}"


def _check_image_shape(image_shape: tuple[int, ...]) -> None:
    if len(image_shape) != 3 or image_shape[2] != 3 or not all(isinstance(side, int) for side in image_shape):
        raise UsageError(f"image_shape is {tuple(image_shape)}, but must be (height, width, 3) for RGB images.")
    size = image_shape[:2]
    if all(side > 0 and side % STRIDE == 0 for side in size):
        return
    nearest = " x ".join(
        " or ".join(str(side) for side in sorted({max(side // STRIDE, 1) * STRIDE, -(-side // STRIDE) * STRIDE} - {0}))
        for side in size
    )
    raise UsageError(
        f"Image size {size[0]} x {size[1]} (height x width): both must be multiples of {STRIDE}, the stride of P5; "
        f"the nearest are {nearest}."
    )
