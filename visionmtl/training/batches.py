"""The batches of a training, over all devices and on each, and the learning rate that goes with them, in words."""

from collections.abc import Iterator, Mapping
from typing import Any

import tensorflow as tf

import pipelines
from visionmtl.errors import UsageError
from visionmtl.recipe import Recipe
from visionmtl.step import compiling


def told(recipe: Recipe, replicas: int = 1) -> str:
    """Return one line on the batches of a training, and at which rate they are learnt from.

    Args:
        recipe: what is trained.
        replicas: how many devices share a batch.

    Example:
        >>> given = ["training.scale_learning_rate=linear", "training.base_batch_size=8", "data.batch_size=32"]
        >>> told(visionmtl.recipe.load("garments", given), replicas=4)
        'Batches of 32 images, 8 on each of 4 devices; learning rate 0.016, scaled (linear) from 0.004 at 8 an update.'
    """
    settings, batch = recipe.training, recipe.data.batch_size
    devices = f", {batch // replicas} on each of {replicas} devices" if replicas > 1 else ""
    update = f", {settings.accumulate} batches an update" if settings.accumulate > 1 else ""
    rate = f"learning rate {settings.learning_rate * recipe.rate_scale:.4g}"
    if settings.base_batch_size is not None:
        how = "not scaled" if settings.scale_learning_rate == "none" else f"scaled ({settings.scale_learning_rate})"
        rate += f", {how} from {settings.learning_rate:.4g} at {settings.base_batch_size} an update"
    if settings.jit:
        rate += ". XLA compiles the step: those that are not finite are skipped and counted, but not kept, and"
        rate += " training.patience_nan does not end the training"
    return f"Batches of {batch} images{devices}{update}; {rate}."


def told_of_service(recipe: Recipe) -> str:
    """Return who makes the batches of a training, where it is not this machine; else nothing.

    Example:
        >>> told_of_service(visionmtl.recipe.load("garments", ["data.service=grpc://data-0:5050"]))
        'The data workers of grpc://data-0:5050 make the batches, and data.cache is set aside. Waiting for them ...'
    """
    data = recipe.data
    if data.service is None:
        return ""
    aside = ", and data.cache is set aside" if data.cache and data.cache_folder is None else ""
    return f"The data workers of {data.service} make the batches{aside}. Waiting for them ..."


def check(recipe: Recipe, datasets: pipelines.Datasets, replicas: int = 1) -> None:
    """Refuse what a training step that XLA compiles cannot be given, before a model is built.

    Raises:
        UsageError: training.jit is wanted on several devices, or of batches whose shapes are not known.
    """
    if not recipe.training.jit:
        return
    compiling.check(True, replicas)
    free = [path for path, spec in _leaves(datasets.splits["train"].element_spec) if not spec.shape.is_fully_defined()]
    if free:
        raise UsageError(
            f"training.jit compiles a step of batches whose shapes are all known, and those of {', '.join(free)} are"
            " not: leave it out."
        )


def _leaves(spec: Any, path: str = "") -> Iterator[tuple[str, tf.TensorSpec]]:
    """Yield the tensors of a batch `(images, labels, weights)` by what they are, as `labels/detection/boxes`."""
    if isinstance(spec, tuple):
        spec = dict(zip(("images", "labels", "weights"), spec, strict=False))
    if isinstance(spec, Mapping):
        for key, value in spec.items():
            yield from _leaves(value, f"{path}/{key}" if path else key)
    else:
        yield path, spec
