"""The tasks a model can have: one file each."""

from collections.abc import Callable

from visionmtl.errors import UsageError, nearest, one_of
from visionmtl.tasks.classification import Classification
from visionmtl.tasks.detection import Detection
from visionmtl.tasks.segmentation import Segmentation
from visionmtl.tasks.task import Task

KINDS: dict[str, Callable[..., Task]] = {
    "classification": Classification,
    "multi_label": lambda name, classes, **options: Classification(name, classes, multi_label=True, **options),
    "detection": Detection,
    "segmentation": Segmentation,
}


def names() -> list[str]:
    """Return the kinds of label a task can learn from."""
    return list(KINDS)


def from_spec(spec, **options) -> Task:
    """Return the task that learns the labels a data source describes.

    Args:
        spec: anything with `name`, `kind` and `classes`, such as a `pipelines.LabelSpec`.
        options: further arguments of the task, such as `dropout`.

    Raises:
        UsageError: the kind or an option is unknown.
    """
    make = KINDS[one_of(spec.kind, KINDS, "kind of task")]
    known = make("probe", 1).get_config().keys() - {"name", "classes", "multi_label"}
    for option in options:
        if option not in known:
            valid = ", ".join(sorted(known))
            raise UsageError(f"Task '{spec.name}' has no option '{option}'.{nearest(option, known)} Valid: {valid}.")
    return make(spec.name, spec.classes, **options)


__all__ = ["Classification", "Detection", "Segmentation", "Task", "from_spec", "names"]
