"""The model that an export is made of: the tasks that are asked for, and of these what predicts."""

from collections.abc import Sequence

import keras

from visionmtl.model import MultiTaskModel


def of_tasks(model: MultiTaskModel, tasks: str | Sequence[str] | None) -> MultiTaskModel:
    """Return a model of some tasks, and print what of the others is kept since the sharing scheme mixes it in.

    Args:
        model: a trained model.
        tasks: names, in a list or parted by commas; None for all.

    Raises:
        UsageError: the model has no such task, or none is named.
    """
    if tasks is None:
        return model
    wanted = [each.strip() for each in tasks.split(",") if each.strip()] if isinstance(tasks, str) else list(tasks)
    smaller = model.subset(list(dict.fromkeys(wanted)))
    if others := kept_of_others(smaller):
        told = ", ".join(f"{name} {weights:,}" for name, weights in others.items())
        print(
            f"Sharing '{model.sharing.name}' makes {', '.join(smaller.tasks)} from what it computes for other tasks,"
            f" of which the export keeps what is needed, in weights: {told}."
        )
    return smaller


def kept_of_others(model: MultiTaskModel) -> dict[str, int]:
    """Return how many weights a model of some tasks keeps of each task that it does not have.

    A layer is another task's where it is of its part of the model, or bears its name.
    """
    built = [task["config"]["name"] for task in model.get_config()["tasks"]]
    kept = {}
    for name in (name for name in built if name not in model.tasks):
        layers = set(model.parts[name])
        layers |= {layer for part in ("sharing", "neck") for layer in model.parts[part] if f"_{name}_" in f"_{layer}_"}
        if layers:
            kept[name] = sum(model.get_layer(layer).count_params() for layer in layers)
    return kept


def network(model: MultiTaskModel) -> keras.Model:
    """Return what of a model predicts, with the same layers: no output that it has for the sake of learning alone."""
    raw = {task: model.raw_outputs(task, model.output) for task in model.tasks}
    outputs = {f"{task}_{name}": tensor for task, made in raw.items() for name, tensor in made.items()}
    return keras.Model(model.input, outputs, name=model.name)
