"""The devices a model is trained on."""

import functools
from collections.abc import Sequence

import tensorflow as tf


def strategy(devices: Sequence[str] | None = None) -> tf.distribute.Strategy:
    """Return how to train on what the machine has: all GPUs if there are several, else the one device.

    Args:
        devices: the devices to use instead, such as `["GPU:0", "GPU:2"]`.
    """
    if devices is None:
        gpus = tuple(gpu.name for gpu in tf.config.list_logical_devices("GPU"))
        return _mirrored(gpus) if len(gpus) > 1 else tf.distribute.get_strategy()
    return _mirrored(tuple(devices)) if len(devices) > 1 else tf.distribute.OneDeviceStrategy(devices[0])


@functools.cache
def _mirrored(devices: tuple[str, ...]) -> tf.distribute.MirroredStrategy:
    # One for the process: two over the same devices number their all-reduces alike, and meet each other's tensors.
    return tf.distribute.MirroredStrategy(devices)
