"""A trained model with one task more, with fewer tasks, frozen in parts, or with another's weights by layers' names."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras

from visionmtl import keras_graph
from visionmtl.errors import UsageError, one_of
from visionmtl.tasks.task import Task


def add_task(model: Any, task: Task, sharing: Any = None) -> Any:
    """Return a model with one task more that has the trained weights of this one; see `MultiTaskModel.add_task`."""
    config = model.get_config()
    if task.name in [saved["config"]["name"] for saved in config["tasks"]]:
        raise UsageError(f"The model has a task '{task.name}': give the new one another name.")
    config["tasks"] = [*config["tasks"], keras.saving.serialize_keras_object(task)]
    if config["only"] is not None:
        config["only"] = [*config["only"], task.name]
    if sharing is not None:
        config["sharing"] = sharing
    grown = type(model).from_config(config | {"frozen": None})
    taken, _ = take_weights(grown, model)
    for name in model.tasks:
        for layer in keras_graph.layers(grown.raw_outputs(name, grown.output).values()):
            if layer.weights and layer.name not in taken:
                raise UsageError(
                    f"sharing '{grown.sharing.name}' lets task '{name}' read the new task '{task.name}' (layer"
                    f" '{layer.name}' is not in the trained model), and its outputs would change: build a"
                    " MultiTaskModel of all tasks and give it this model's weights by start_from()."
                )
    return grown


def subset(model: Any, tasks: str | Sequence[str]) -> Any:
    """Return a model of some of the tasks with the same outputs; see `MultiTaskModel.subset`."""
    chosen = [tasks] if isinstance(tasks, str) else list(tasks)
    if not chosen:
        raise UsageError(f"A model needs a task: name some of {', '.join(model.tasks)}.")
    kept = [one_of(name, model.tasks, "task") for name in chosen]
    config = model.get_config()
    smaller = type(model).from_config(config | {"only": kept, "frozen": None})
    take_weights(smaller, model)
    still = {layer for part in config["frozen"] or () for layer in smaller.parts[part]}
    if any(layer.trainable_weights for layer in smaller.layers if layer.name not in still):
        smaller.freeze(config["frozen"] or ())
    return smaller


def freeze(model: Any, parts: str | Sequence[str]) -> list[str]:
    """Freeze some parts of a model and no others, and return their names; see `MultiTaskModel.freeze`."""
    chosen = [one_of(part, model.parts, "part to freeze") for part in ([parts] if isinstance(parts, str) else parts)]
    still = {name for part in chosen for name in model.parts[part]}
    for layer in model.layers:
        layer.trainable = layer.name not in still
    if not model.trainable_variables:
        raise UsageError(f"Nothing is left to learn: {', '.join(chosen)} are all parts of the model.")
    return chosen


def take_weights(target: keras.Model, source: keras.Model) -> tuple[list[str], list[str]]:
    """Give a model the weights of another's layers of the same name and shapes.

    Returns:
        The names of the layers that were given weights, and of those that have weights and were given none.
    """
    known = _by_name(source)
    taken, left = [], []
    for name, layer in _by_name(target).items():
        if not layer.weights:
            continue
        own = known.get(name) or known.get(_single(name, source, target))
        if own is not None and _shapes(own) == _shapes(layer):
            layer.set_weights(own.get_weights())
            taken.append(name)
        else:
            left.append(name)
    return taken, left


def _by_name(model: keras.Model) -> Mapping[str, Any]:
    return {layer.name: layer for layer in model.layers}


def _shapes(layer: keras.layers.Layer) -> list[tuple]:
    return [tuple(weight.shape) for weight in layer.weights]


def _single(name: str, source: Any, target: Any) -> str:
    """Return what a neck's layer is called in the other model, where it has one neck and this one a neck a task."""
    for task in (*target.parts, *source.parts):
        if name.startswith(f"{task}_neck"):
            return name.removeprefix(f"{task}_")
        if name.startswith("neck") and f"{task}_{name}" in (layer.name for layer in source.layers):
            return f"{task}_{name}"
    return name
