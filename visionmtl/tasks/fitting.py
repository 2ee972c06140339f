"""How well boxes fit the mask that another task of the model makes of the same classes."""

from collections.abc import Mapping, Sequence

import tensorflow as tf

from visionmtl.errors import UsageError, nearest
from visionmtl.tasks import boxes
from visionmtl.tasks.task import Task

RING = 0.5  # pixels of the network's input, on each side of a box
LEAST = 0.01  # of the contrast, so that no mask wipes a box out
POWER = 0.25  # of the contrast; see "Boxes that fit the mask" in benchmarks/RESULTS.md


def shown(task: Task, tasks: Mapping[str, Task]) -> list[int | None]:
    """Return where each class of a task stands among those of the task whose mask it reads; None for one not there.

    Raises:
        UsageError: the model has no such task, that makes no mask, or they have no class in common.
    """
    name = str(task.mask)
    other = tasks.get(name)
    if other is None:
        there = ", ".join(each for each in tasks if each != task.name) or "none beside it"
        raise UsageError(
            f"Task '{task.name}' reads the mask of '{name}', and the model has no such task: it has {there}."
            + nearest(name, [each for each in tasks if each != task.name])
        )
    if "segmentation" not in other.kinds:
        raise UsageError(
            f"Task '{task.name}' reads the mask of '{name}', which is {other.kind}: name a task of segmentation."
        )
    common = [other.classes.index(label) if label in other.classes else None for label in task.classes]
    if not any(place is not None for place in common):
        raise UsageError(
            f"Task '{task.name}' reads the mask of '{name}', and no class of the one ({_listed(task.classes)}) is one"
            f" of the other ({_listed(other.classes)}): name them alike in the data, or leave mask out."
        )
    return common


def told(tasks: Mapping[str, Task]) -> list[str]:
    """Return in sentences what tasks of a model read of masks, and which masks they read that are not there."""
    said = []
    for name, task in tasks.items():
        other = tasks.get(str(task.mask))
        if task.mask and other is None:
            said.append(
                f"Scores of {name} are its head's own: {task.mask}, whose mask they were measured with, is left out."
            )
        elif other is not None:
            fit = [label for label in task.classes if label in other.classes]
            left = [label for label in task.classes if label not in other.classes]
            apart = f"; those of other classes stay: {_listed(left)}"
            of = f"{_listed(fit)}{apart}" if left else "all its classes"
            said.append(f"Scores of {name} ask how well boxes fit the mask of {other.name}: {of}.")
    return said


def fit(placed: tf.Tensor, mask: tf.Tensor, shown: Sequence[int | None], size: tuple[int, int]) -> tf.Tensor:
    """Return by what the scores of boxes are multiplied, `[B, N, C]`.

    Args:
        placed: boxes `[B, N, 4]` in pixels of the network's input.
        mask: how likely each class is at each place, `[B, h, w, S]`.
        shown: of each class of the boxes, where it stands among those of the mask; None for one not there, whose scores
            stay as they are.
        size: height and width of the network's input.
    """
    down, right = mask.shape[1] / size[0], mask.shape[2] / size[1]
    maps = tf.gather(mask, [place for place in shown if place is not None], axis=-1)
    contrast = boxes.contrast(placed * tf.constant([right, down] * 2), maps, (RING * down, RING * right))
    factors = tf.clip_by_value(contrast, LEAST, 1.0) ** POWER
    kept = iter(tf.unstack(factors, axis=-1))
    plain = tf.ones_like(factors[..., 0])
    return tf.stack([plain if place is None else next(kept) for place in shown], axis=-1)


def _listed(classes: Sequence[str], most: int = 8) -> str:
    return ", ".join(classes[:most]) + ", ..." * (len(classes) > most)
