"""What the workers of a training must have been told alike, and must have read: compared before they train together."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any

import keras
import tensorflow as tf

import pipelines
import visionmtl
from visionmtl.errors import UsageError
from visionmtl.recipe import Recipe
from visionmtl.training.cluster import Cluster
from visionmtl.workers import Workers

OWN = (
    "path",
    "cache_folder",
    "service",
    "verbose",
    "strategy",
    "name",
)  # last words of keys that may be a worker's own
SHOWN = 3  # differences that are told


def told(cluster: Cluster, recipe: Recipe | None, also: str | None) -> dict[str, Any]:
    """Return what a worker was told, by what it is called, as JSON has it.

    Args:
        cluster: who trains together.
        recipe: of a new run; None to go on with one, whose recipe the chief reads.
        also: a split to measure in the end.
    """
    return {
        "the workers of TF_CONFIG": ", ".join(cluster.addresses),
        "the number of GPUs": len(tf.config.get_visible_devices("GPU")),
        "the version of visionmtl": visionmtl.__version__,
        "the version of Keras": keras.__version__,
        "the version of TensorFlow": tf.__version__,
        "what is trained": "a run gone on with, by --resume" if recipe is None else "a new run",
        "--evaluate": also,
        **({} if recipe is None else dict(_keys(recipe.model_dump(mode="json")))),
    }


def difference(chiefs: Mapping[str, Any], own: Mapping[str, Any], who: str) -> str:
    """Return the sentence on a worker that was told otherwise than the chief; nothing where it was not.

    Example:
        >>> difference({"data.batch_size": 16}, {"data.batch_size": 8}, "Worker 1").partition(". ")[0]
        'Worker 1 was told otherwise than the chief: data.batch_size is 8 there, and 16 on the chief'
    """
    names = [name for name in dict.fromkeys([*chiefs, *own]) if chiefs.get(name) != own.get(name)]
    if not names:
        return ""
    what = [f"{name} is {_shown(own.get(name))} there, and {_shown(chiefs.get(name))} on the chief" for name in names]
    more = f"; and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return (
        f"{who} was told otherwise than the chief: {'; '.join(what[:SHOWN])}{more}. Start the same command, with the"
        " same versions, on all workers; only paths may differ."
    )


def check_data(datasets: pipelines.Datasets, workers: Workers) -> None:
    """Refuse workers whose data differ: they would not have as many batches, or not of the same classes.

    Raises:
        UsageError: they do, on all workers.
    """
    if not workers.several:
        return
    read: dict[str, Any] = {f"images of '{split}'": size for split, size in datasets.sizes.items()}
    read |= {f"classes of '{spec.name}'": [spec.kind, *map(str, spec.classes)] for spec in datasets.specs}
    names = [PurePath(name).name for name in datasets.names(0, 0)] if "train" in datasets.splits else []
    read["files of the first batch"] = hashlib.sha256("\n".join(names).encode()).hexdigest()[:8] if any(names) else ""
    everyone = [json.loads(said) for said in workers.texts(json.dumps(read))]
    for number, other in enumerate(everyone):
        name = next((name for name in {**everyone[0], **other} if everyone[0].get(name) != other.get(name)), None)
        if name is not None:
            raise UsageError(
                f"Worker {number} has read other data than the chief: {name}: {_shown(other.get(name))} there, and"
                f" {_shown(everyone[0].get(name))} on the chief. Have all workers read the same files, or whole"
                " copies of them."
            )


def _keys(section: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the keys of a recipe with their values, but for those that may be a worker's own."""
    for name, value in section.items():
        if isinstance(value, Mapping):
            yield from _keys(value, f"{prefix}{name}.")
        elif name not in OWN:
            yield f"{prefix}{name}", value


def _shown(value: Any, most: int = 200) -> str:
    """Return a value as a recipe has it, cut short where it is long."""
    text = value if isinstance(value, str) and value else json.dumps(value)
    return text if len(text) <= most else f"{text[:most]} ..."
