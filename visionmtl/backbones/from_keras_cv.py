"""Backbones of keras-cv, rewritten in Keras's own layers: the only place that imports it."""

import functools
import itertools
from collections.abc import Callable
from types import ModuleType
from typing import Any

import keras

from visionmtl.backbones import lite_weights
from visionmtl.backbones.architecture import LEVELS, Architecture, Features

# Each row a block: kernel, expanded channels, channels, squeeze-and-excite ratio, activation, stride
# (Howard et al., "Searching for MobileNetV3", tables 1 and 2).
_MOBILENET_V3 = {
    "small": [
        (3, 16, 16, 0.25, "relu", 2),
        (3, 72, 24, None, "relu", 2),
        (3, 88, 24, None, "relu", 1),
        (5, 96, 40, 0.25, "hard_swish", 2),
        (5, 240, 40, 0.25, "hard_swish", 1),
        (5, 240, 40, 0.25, "hard_swish", 1),
        (5, 120, 48, 0.25, "hard_swish", 1),
        (5, 144, 48, 0.25, "hard_swish", 1),
        (5, 288, 96, 0.25, "hard_swish", 2),
        (5, 576, 96, 0.25, "hard_swish", 1),
        (5, 576, 96, 0.25, "hard_swish", 1),
    ],
    "large": [
        (3, 16, 16, None, "relu", 1),
        (3, 64, 24, None, "relu", 2),
        (3, 72, 24, None, "relu", 1),
        (5, 72, 40, 0.25, "relu", 2),
        (5, 120, 40, 0.25, "relu", 1),
        (5, 120, 40, 0.25, "relu", 1),
        (3, 240, 80, None, "hard_swish", 2),
        (3, 200, 80, None, "hard_swish", 1),
        (3, 184, 80, None, "hard_swish", 1),
        (3, 184, 80, None, "hard_swish", 1),
        (3, 480, 112, 0.25, "hard_swish", 1),
        (3, 672, 112, 0.25, "hard_swish", 1),
        (5, 672, 160, 0.25, "hard_swish", 2),
        (5, 960, 160, 0.25, "hard_swish", 1),
        (5, 960, 160, 0.25, "hard_swish", 1),
    ],
}


@functools.cache
def _keras_cv() -> ModuleType:
    """Import keras-cv when the first of its backbones is built: it takes half a second."""
    import keras_cv

    return keras_cv


def _taps(model: keras.Model, **replaced: str) -> Features:
    layers = model.pyramid_level_inputs | replaced
    return {level: model.get_layer(layers[level]).output for level in LEVELS}


def _normalised(image: keras.KerasTensor, scale: float = 1 / 255, offset: float = 0.0) -> keras.KerasTensor:
    return keras.layers.Rescaling(scale, offset=offset, name="normalization")(image)


def _efficientnet_lite(version: int, width: float, depth: float, image: keras.KerasTensor, imagenet: bool) -> Features:
    model = _keras_cv().models.EfficientNetLiteBackbone(
        include_rescaling=False,
        width_coefficient=width,
        depth_coefficient=depth,
        stackwise_kernel_sizes=[3, 3, 5, 3, 5, 5, 3],
        stackwise_num_repeats=[1, 2, 2, 3, 3, 4, 1],
        stackwise_input_filters=[32, 16, 24, 40, 80, 112, 192],
        stackwise_output_filters=[16, 24, 40, 80, 112, 192, 320],
        stackwise_expansion_ratios=[1, 6, 6, 6, 6, 6, 6],
        stackwise_strides=[1, 2, 2, 2, 1, 2, 1],
        drop_connect_rate=0.0,  # a backbone is deterministic, dropout belongs to the heads
        input_tensor=_normalised(image, 1 / 128, -127 / 128),
    )
    if imagenet:
        lite_weights.load(model, lite_weights.file(version))
    return _taps(model, P5="block7a_project_bn")  # past it only the classifier's 1280 channels


def _resnet(blocks: list[int], block_type: str, pre_activation: bool, image: keras.KerasTensor, _: bool) -> Features:
    models = _keras_cv().models
    model = (models.ResNetV2Backbone if pre_activation else models.ResNetBackbone)(
        stackwise_filters=[64, 128, 256, 512],
        stackwise_blocks=blocks,
        stackwise_strides=[1, 2, 2, 2],
        block_type=block_type,
        include_rescaling=False,
        input_tensor=_normalised(image),
    )
    return _taps(model, P5="post_relu") if pre_activation else _taps(model)


def _csp_darknet(channels: int, depth: list[int], image: keras.KerasTensor, _: bool) -> Features:
    model = _keras_cv().models.CSPDarkNetBackbone(
        stackwise_channels=[channels, 2 * channels, 4 * channels, 8 * channels],
        stackwise_depth=depth,
        include_rescaling=False,
        input_tensor=_normalised(image),
    )
    return _in_keras_layers(image, _taps(model))


def _mobilenet_v3(size: str, image: keras.KerasTensor, _: bool) -> Features:
    kernels, expanded, filters, squeezes, activations, strides = (
        list(column) for column in zip(*_MOBILENET_V3[size], strict=True)
    )
    model = _keras_cv().models.MobileNetV3Backbone(
        stackwise_expansion=[out / into for out, into in zip(expanded, [16, *filters], strict=False)],
        stackwise_filters=filters,
        stackwise_kernel_size=kernels,
        stackwise_stride=strides,
        stackwise_se_ratio=squeezes,
        stackwise_activation=activations,
        include_rescaling=False,
        input_tensor=_normalised(image),
    )
    return _in_keras_layers(image, _taps(model))


def _in_keras_layers(image: keras.KerasTensor, features: Features) -> Features:
    """Return the same features with keras-cv's composite layers opened into the Keras layers inside them.

    As they are they cannot be saved and loaded: they hold lambdas and a layer that is not registered. Opened, every
    layer with weights also has a name that is the same in each build.
    """
    count = itertools.count()

    def renamed(layer: keras.Layer, name: str, **changes: Any) -> keras.Layer:
        return type(layer).from_config(layer.get_config() | {"name": name} | changes)

    def opened(layer: Any, *args: Any, **kwargs: Any) -> Any:
        kind = type(layer).__name__
        if kind == "CrossStagePartial":
            blocks = (layer.darknet_conv1, layer.darknet_conv2, *layer.bottleneck_convs, layer.darknet_conv3)
            for index, block in enumerate(blocks):
                block.name = f"{layer.name}_{index}"
            return layer.call(*args)
        if kind == "SqueezeAndExcite2D":
            name = f"squeeze_excite_{next(count)}"
            gate = keras.layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}_pool")(*args)
            gate = renamed(layer.squeeze_conv, f"{name}_squeeze")(gate)
            gate = renamed(layer.excite_conv, f"{name}_excite", activation="hard_sigmoid")(gate)
            return keras.layers.Multiply(name=name)([gate, *args])
        if kind == "Sequential":  # convolution, normalisation, SiLU
            convolution, normalisation, _ = layer.layers
            x = renamed(convolution, f"{layer.name}_conv")(*args)
            x = renamed(normalisation, f"{layer.name}_bn")(x)
            return keras.layers.Activation("silu", name=f"{layer.name}_silu")(x)
        return layer(*args, **kwargs)

    for _ in range(2):  # the blocks of a CrossStagePartial are Sequential
        model = keras.Model(image, features)
        model = keras.models.clone_model(
            model, input_tensors=image, clone_function=lambda layer: layer, call_function=opened
        )
        features = model.output
    return features


def _architecture(
    name: str, millions: float, features: Callable[..., Features], *options: Any, imagenet: str = ""
) -> Architecture:
    return Architecture(name, "keras-cv", millions, imagenet, functools.partial(features, *options))


_LITE_PACKAGES = [lite_weights.package(version) for version in range(3)]

ARCHITECTURES = (
    _architecture("efficientnet_lite0", 3.0, _efficientnet_lite, 0, 1.0, 1.0, imagenet=_LITE_PACKAGES[0]),
    _architecture("efficientnet_lite1", 3.8, _efficientnet_lite, 1, 1.0, 1.1, imagenet=_LITE_PACKAGES[1]),
    _architecture("efficientnet_lite2", 4.4, _efficientnet_lite, 2, 1.1, 1.2, imagenet=_LITE_PACKAGES[2]),
    _architecture("efficientnet_lite3", 6.5, _efficientnet_lite, 3, 1.2, 1.4),
    _architecture("efficientnet_lite4", 11.3, _efficientnet_lite, 4, 1.4, 1.8),
    _architecture("resnet18", 11.2, _resnet, [2, 2, 2, 2], "basic_block", False),
    _architecture("resnet34", 21.3, _resnet, [3, 4, 6, 3], "basic_block", False),
    _architecture("resnet18_v2", 11.2, _resnet, [2, 2, 2, 2], "basic_block", True),
    _architecture("resnet34_v2", 21.3, _resnet, [3, 4, 6, 3], "basic_block", True),
    _architecture("resnet50_v2", 23.6, _resnet, [3, 4, 6, 3], "block", True),
    _architecture("csp_darknet_tiny", 2.4, _csp_darknet, 48, [1, 3, 3, 1]),
    _architecture("csp_darknet_s", 4.2, _csp_darknet, 64, [1, 3, 3, 1]),
    _architecture("csp_darknet_m", 12.4, _csp_darknet, 96, [2, 6, 6, 2]),
    _architecture("csp_darknet_l", 27.1, _csp_darknet, 128, [3, 9, 9, 3]),
    _architecture("keras_cv_mobilenet_v3_small", 0.9, _mobilenet_v3, "small"),
    _architecture("keras_cv_mobilenet_v3_large", 2.8, _mobilenet_v3, "large"),
)
