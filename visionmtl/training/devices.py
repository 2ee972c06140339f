"""The devices a model is trained on."""

import functools
from collections.abc import Sequence

import tensorflow as tf

from visionmtl.errors import UsageError


def strategy(devices: Sequence[str] | None = None) -> tf.distribute.Strategy:
    """Return how to train on what the machine has: all GPUs if there are several, else the one device.

    Args:
        devices: the devices to use instead, such as `["GPU:0", "GPU:2"]`.
    """
    if devices is None:
        gpus = tuple(gpu.name for gpu in tf.config.list_logical_devices("GPU"))
        return _mirrored(gpus) if len(gpus) > 1 else tf.distribute.get_strategy()
    return _mirrored(tuple(devices)) if len(devices) > 1 else tf.distribute.OneDeviceStrategy(devices[0])


def use(devices: str | None) -> None:
    """Have this process see only some devices, before it computes anything.

    Args:
        devices: "cpu", "gpu" for all GPUs, or some by number as "gpu:0" or "gpu:0,gpu:2"; None for all there are.

    Raises:
        UsageError: there is no such device.
    """
    if devices is None:
        return
    gpus = tf.config.list_physical_devices("GPU")
    valid = {"cpu": [], **({"gpu": gpus} if gpus else {}), **{f"gpu:{n}": [gpu] for n, gpu in enumerate(gpus)}}
    names = list(dict.fromkeys(name.strip().lower() for name in devices.split(",")))
    for name in names:
        if name not in valid:
            raise UsageError(f"There is no device '{name}' here. Valid: {', '.join(valid)}.")
    if "cpu" in names and len(names) > 1:
        raise UsageError(f"--device is '{devices}': name the CPU alone, or GPUs.")
    chosen = [gpu for gpu in gpus if any(gpu in valid[name] for name in names)]
    tf.config.set_visible_devices(chosen, "GPU")


@functools.cache
def _mirrored(devices: tuple[str, ...]) -> tf.distribute.MirroredStrategy:
    # One for the process: two over the same devices number their all-reduces alike, and meet each other's tensors.
    return tf.distribute.MirroredStrategy(devices)
