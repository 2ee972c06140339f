"""The tasks a model can have: one file each."""

from collections.abc import Callable

from visionmtl.errors import UsageError, nearest, one_of
from visionmtl.tasks.classification import Classification
from visionmtl.tasks.depth import Depth
from visionmtl.tasks.detection import Detection
from visionmtl.tasks.segmentation import Segmentation
from visionmtl.tasks.task import Task

KINDS: dict[str, Callable[..., Task]] = {
    "classification": Classification,
    "multi_label": lambda name, classes, **options: Classification(name, classes, multi_label=True, **options),
    "detection": Detection,
    "segmentation": Segmentation,
    "depth": lambda name, classes=(), **options: Depth(name, **options),
}


def names() -> list[str]:
    """Return the kinds of label a task can learn from."""
    return list(KINDS)


def options(kind: str) -> list[str]:
    """Return the names of the options that a task of this kind takes beside its name and classes.

    Raises:
        UsageError: the kind is unknown.
    """
    make = KINDS[one_of(kind, KINDS, "kind of task")]
    return [name for name in make("probe", 1).get_config() if name not in ("name", "classes", "multi_label")]


def from_spec(spec, **given) -> Task:
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
    return KINDS[spec.kind](spec.name, spec.classes, **given)


__all__ = ["Classification", "Depth", "Detection", "Segmentation", "Task", "from_spec", "names", "options"]
