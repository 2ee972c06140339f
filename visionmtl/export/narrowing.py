"""The model that an export is made of: of the tasks and the size that are asked for, and of it what predicts."""

from collections.abc import Sequence

import keras

from visionmtl.errors import some_of
from visionmtl.model import MultiTaskModel, growing, resizing
from visionmtl.tasks import fitting


def settled(model: MultiTaskModel) -> MultiTaskModel:
    """Return a model of what a trained one predicts by, and print what is left out, if anything is."""
    made = growing.settled(model)
    if made is not model:
        print(*model.sharing.told(model), sep="\n")
        kept, of = (each.count_params() for each in (made, model))
        print(f"The export has what it leads through: {kept:,} of {of:,} parameters.")
    return made


def of_tasks(model: MultiTaskModel, tasks: str | Sequence[str] | None) -> MultiTaskModel:
    """Return a model of some tasks, and print what is kept of the others, since sharing mixes it in, and what is lost.

    Args:
        model: a trained model.
        tasks: names, in a list or parted by commas; None for all.

    Raises:
        UsageError: the model has no such task, one is named twice, or none is named.
    """
    if tasks is None:
        return model
    smaller = model.subset(some_of(tasks, model.tasks, "task"))
    for sentence in fitting.told(smaller.tasks):
        print(sentence)
    if others := kept_of_others(smaller):
        told = ", ".join(f"{name} {weights:,}" for name, weights in others.items())
        print(
            f"Sharing '{model.sharing.name}' makes {', '.join(smaller.tasks)} from what it computes for other tasks,"
            f" of which the export keeps what is needed, in weights: {told}."
        )
    return smaller


def at_size(model: MultiTaskModel, size: tuple[int, int] | None) -> MultiTaskModel:
    """Return a model whose network takes pictures of a size, and print which size it was trained at.

    Args:
        model: a trained model.
        size: height and width in pixels; None for those of its training.

    Raises:
        UsageError: the model cannot be of this size.
    """
    if size is None or tuple(size) == model.image_size:
        return model
    made = resizing.resized(model, size)
    new, old = (" x ".join(map(str, each.image_size)) for each in (made, model))
    print(
        f"The network takes pictures of {new}, and was trained and measured at {old}: its figures hold for that size."
    )
    return made


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
    outputs = {
        f"{task}_{name}": tensor
        for task, made in raw.items()
        for name, tensor in made.items()
        if name not in model.tasks[task].unread
    }
    return keras.Model(model.input, outputs, name=model.name)
