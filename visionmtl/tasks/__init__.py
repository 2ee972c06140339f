"""What a model can learn: one file a task, with its head, loss, decoder, metrics and drawing.

From outside come `from_spec`, `register`, `described`, `ByAmount`, the tasks and `boxes`. A new task is a file with a
subclass of `Task`.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

from pipelines import discovery
from visionmtl.errors import UsageError, nearest, one_of
from visionmtl.tasks.amounts import ByAmount
from visionmtl.tasks.classification import Classification
from visionmtl.tasks.depth import Depth
from visionmtl.tasks.detection import Detection
from visionmtl.tasks.meaning import Meaning
from visionmtl.tasks.segmentation import Segmentation
from visionmtl.tasks.task import Task

KINDS: dict[str, type[Task]] = {}  # the task that learns each kind of label

Own = TypeVar("Own", bound=type[Task])


def register(task: Own) -> Own:
    """Make a class of tasks known to `from_spec`, by the kinds of label that it learns; return it.

    Raises:
        UsageError: another class learns one of them already.
    """
    for kind in task.kinds:
        known = KINDS.setdefault(kind, task)
        if (known.__module__, known.__qualname__) != (task.__module__, task.__qualname__):
            raise UsageError(f"Labels of kind '{kind}' are learnt by {known.__name__}: {task.__name__} needs another.")
        KINDS[kind] = task
    return task


for _task in discovery.classes(__name__, Task).values():
    register(_task)
del _task


def names() -> list[str]:
    """Return the kinds of label a task can learn from."""
    return list(KINDS)


def described(tasks: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return what files beside exports and predictions say of tasks: by name, the `kind` and the `classes` of each."""
    return {name: {"kind": task.kind, "classes": list(task.classes)} for name, task in tasks.items()}


def options(kind: str) -> list[str]:
    """Return the names of the options that a task of this kind takes beside its name and classes.

    Raises:
        UsageError: the kind is unknown.
    """
    return list(KINDS[one_of(kind, KINDS, "kind of task")].options)


def of_classes(kind: str) -> tuple[str, ...]:
    """Return the names of those options of a task of this kind that take a number for each class.

    Raises:
        UsageError: the kind is unknown.
    """
    return KINDS[one_of(kind, KINDS, "kind of task")].of_classes


def from_spec(spec: Any, **given: Any) -> Task:
    """Return the task that learns the labels a data source describes.

    Args:
        spec: anything with `name`, `kind` and `classes`, such as a `pipelines.LabelSpec`.
        given: options of the task, such as `dropout`.

    Raises:
        UsageError: the kind or an option is unknown.
    """
    known = options(spec.kind)
    for option in given:
        if option not in known:
            valid = ", ".join(sorted(known))
            raise UsageError(f"Task '{spec.name}' has no option '{option}'.{nearest(option, known)} Valid: {valid}.")
    return KINDS[spec.kind].from_spec(spec, **given)


__all__ = [
    "ByAmount",
    "Classification",
    "Depth",
    "Detection",
    "Meaning",
    "Segmentation",
    "Task",
    "from_spec",
    "names",
    "options",
    "register",
]
