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
    taken, _ = take_weights(grown, {"": model})
    for name in model.tasks:
        for layer in keras_graph.layers(grown.raw_outputs(name, grown.output).values()):
            if layer.weights and layer.name not in taken:
                scheme, before = grown.sharing.name, model.sharing.name
                if scheme == before:
                    why = (
                        f"sharing '{scheme}' lets task '{name}' read the new task '{task.name}' (layer '{layer.name}'"
                        " is not in the trained model), and its outputs would change"
                    )
                else:
                    why = (
                        f"the trained model has sharing '{before}', and in sharing '{scheme}' task '{name}' reads"
                        f" layers that it does not have, such as '{layer.name}', which would begin untrained"
                    )
                raise UsageError(
                    f"{why}: build a MultiTaskModel of all tasks and give it this model's weights by start_from()."
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
    take_weights(smaller, {"": model})
    still = {layer for part in config["frozen"] or () for layer in smaller.parts[part]}
    if any(layer.trainable_weights for layer in smaller.layers if layer.name not in still):
        smaller.freeze(config["frozen"] or ())
    return smaller


def settled(model: Any) -> Any:
    """Return a model of what a trained one predicts by, with the same outputs; the model itself if that is all of it.

    Only a sharing scheme that chooses leaves something out; see `Scheme.settled`.
    """
    scheme = model.sharing.settled(model)
    if scheme is model.sharing:
        return model
    smaller = type(model).from_config(model.get_config() | {"sharing": scheme, "frozen": None})
    take_weights(smaller, {"": model})
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


def all_but(model: Any, task: str) -> list[str]:
    """Return the parts of a model to freeze so that what a task owns learns alone, its neck included if it has one."""
    neck = f"{task}_neck"
    own = {task, neck, "neck"} if neck in model.parts else {task}
    return [part for part, layers in model.parts.items() if layers and part not in own]


def take_weights(target: Any, sources: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Give a model the weights of others' layers of the same name and shapes.

    What this model has once a task or expert and the other once for all, stages of a backbone and the neck, is given to
    each, and what it has once and a model of one task has of that task's own, too.

    Args:
        target: the model.
        sources: a model for each of some tasks, which gives what is that task's alone; or one for all, under "". What
            the tasks share is taken from the first that has it.

    Returns:
        The names of the layers that were given weights, and of those that have weights and were given none.

    Raises:
        UsageError: there is no such task, or its model does not know it or has no layer of it in common with this one;
            or one of them is no model.
    """
    for source in sources.values():
        if not isinstance(source, keras.Model):
            raise UsageError(
                f"Weights are taken from a model, and {source!r} is none: read it by keras.models.load_model."
            )
    for task, source in sources.items():
        if task and one_of(task, target.tasks, "task to start") not in source.tasks:
            raise UsageError(
                f"Task '{task}' is to start from a model of {', '.join(source.tasks)}: give one of '{task}'."
            )
    layers = {task: {layer.name: layer for layer in source.layers} for task, source in sources.items()}
    gave, taken, left = set[str](), [], []
    for layer in target.layers:
        if not layer.weights:
            continue
        owner = _owner(layer.name, target)
        for task in layers if owner is None or "" in layers else layers.keys() & {owner}:
            names = (layer.name, *_other_names(layer.name, sources[task], target))
            own = next((layers[task][name] for name in names if name in layers[task]), None)
            if own is not None and _shapes(own) == _shapes(layer):
                layer.set_weights(own.get_weights())
                gave.add(task)
                taken.append(layer.name)
                break
        else:
            left.append(layer.name)
    idle = next((task for task in sources if task and task not in gave), None)
    if idle is not None:
        raise UsageError(f"The model that '{idle}' is to start from has no layer in common with this model.")
    return taken, left


def _shapes(layer: keras.layers.Layer) -> list[tuple]:
    return [tuple(weight.shape) for weight in layer.weights]


def _owner(name: str, model: Any) -> str | None:
    """Return the task that alone has a layer of a model; None where several share it."""
    own = [task for task in model.tasks if name in model.parts[task] or name.startswith(f"{task}_neck")]
    return own[0] if own else None


def _other_names(name: str, source: Any, target: Any) -> list[str]:
    """Return what a layer of a neck or a backbone may be called in the other model, where one has it once a task."""
    for task in (*target.parts, *source.parts):
        if name.startswith(f"{task}_neck"):
            return [name.removeprefix(f"{task}_")]
    if name.startswith("neck"):
        return [f"{task}_{name}" for task in source.parts]
    once = [stage for stage in source.parts["backbone"] if name.endswith(f"_{stage}")]
    return once or [f"{task}_{name}" for task in source.tasks if len(source.tasks) == 1]
