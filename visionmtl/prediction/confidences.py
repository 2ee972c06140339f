"""From which score on an object counts, class by class: as the model was told, or as who predicts says."""

from collections.abc import Iterable, Mapping
from typing import Any

from visionmtl.drawing import marking
from visionmtl.errors import UsageError, check_number, one_of
from visionmtl.tasks import Task

Asked = float | Mapping[str, float] | None
Confidences = dict[str, dict[str, float]]  # by task and class; a task without has the defaults of old
FORM = {"boxes", "scores", "classes", "count"}  # of predictions of objects
ROUNDING = 1e-6  # by which a score in digits may differ from itself, as a part of it
SHOWN = 0.3  # of a task without: what data sets hold; records have all that it found, and drawings are the task's own


def chosen(tasks: Iterable[Task], kept: Mapping[str, Mapping[str, float] | None], asked: Asked = None) -> Confidences:
    """Return the least score of each class of the tasks that find objects.

    Args:
        tasks: of the model.
        kept: `model.confidences`: by task, a number for each class; None where none was chosen.
        asked: one number for all, or numbers by class, by "task.class", and by "" for all others; None for those of the
            model.

    Raises:
        UsageError: a number is not within 0 to 1, or no task has such a class.

    Example:
        >>> cats = visionmtl.Detection("animals", ["cat", "dog"])
        >>> chosen([cats], {"animals": {"cat": 0.4, "dog": 0.5}}, {"dog": 0.7})
        {'animals': {'cat': 0.4, 'dog': 0.7}}
    """
    finders = [task for task in tasks if task.annotates]
    result: Confidences = {task.name: dict(own) for task in finders if (own := kept.get(task.name)) is not None}
    if asked is None:
        return result
    if not finders:
        raise UsageError("A confidence was given, and no task of the model finds objects: leave it out.")
    if not isinstance(asked, Mapping):
        number = float(check_number("predict", "confidence", asked, at_least=0, up_to=1))
        return {task.name: dict.fromkeys(task.classes, number) for task in finders}
    names = {""} | {name for task in finders for each in task.classes for name in (each, f"{task.name}.{each}")}
    for name, number in asked.items():
        if name not in names:
            one_of(name, sorted(names - {""}), "class of a confidence")
        check_number("predict", f"confidence of '{name}'", number, at_least=0, up_to=1)
    for task in finders:
        for each in task.classes:
            known = [asked[key] for key in (f"{task.name}.{each}", each, "") if key in asked]
            if known:
                result.setdefault(task.name, dict.fromkeys(task.classes, SHOWN))[each] = float(known[0])
    return result


def counted(task: Task, predictions: Mapping[str, Any], confidences: Mapping[str, float] | None) -> list[dict]:
    """Return those of the objects found in a picture whose score reaches that of their class; without any, all."""
    if confidences is None:
        return task.annotations(predictions)
    found = task.annotations(_likely(task, predictions, confidences))
    return [each for each in found if each["score"] >= confidences[task.classes[each["class"]]]]


def _likely(task: Task, predictions: Mapping[str, Any], confidences: Mapping[str, float]) -> Mapping[str, Any]:
    """Return predictions of a picture without objects that surely do not count: to write down their digits takes time.

    A task of one's own, whose predictions have another form, keeps all.
    """
    if set(predictions) != FORM:
        return predictions
    rows = marking.reaching(predictions, task.classes, confidences, 1 - ROUNDING)
    return {key: predictions[key][rows] for key in FORM - {"count"}} | {"count": rows.sum()}
