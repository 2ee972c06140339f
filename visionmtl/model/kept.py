"""What a model knows of how it was trained and is to be used: it lies in its config, and so in its file."""

from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar, overload

from pipelines.pixels.rules import RESIZES
from visionmtl.errors import UsageError, check_number, one_of
from visionmtl.tasks.task import Task

Confidences = dict[str, dict[str, float] | None]  # of each class by name, by task; None where none was chosen

Value = TypeVar("Value")


class Kept(Generic[Value]):
    """An attribute of a model that is kept in its config, under the same name.

    Args:
        checked: returns what is kept of a value that the model is given, or refuses it.
    """

    def __init__(self, checked: Callable[[Any, Any], Value]):
        self.checked = checked

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, model: None, owner: type) -> "Kept[Value]": ...
    @overload
    def __get__(self, model: object, owner: type) -> Value: ...
    def __get__(self, model: Any, owner: type) -> Any:
        return self if model is None else model._config.get(self.name)

    def __set__(self, model: Any, value: Any) -> None:
        model._config[self.name] = self.checked(model, value)


def resize(model: Any, value: Any) -> str:
    """Return a known way to bring pictures to the network's input."""
    return one_of(value, RESIZES, "resize")


def recipe(model: Any, value: Any) -> dict[str, str] | None:
    """Return the recipe of a training, `{"name": ..., "text": YAML}`, or None.

    Raises:
        UsageError: it is neither.
    """
    if value is None:
        return None
    if not isinstance(value, Mapping) or value.keys() != {"name", "text"}:
        raise UsageError(f"A model was given the recipe {value!r}: expected None or {{'name': ..., 'text': ...}}.")
    return {"name": str(value["name"]), "text": str(value["text"])}


def confidences(model: Any, value: Any) -> Confidences:
    """Return the confidences of every task that finds objects, None for those of which none is given.

    Args:
        model: whose tasks they are.
        value: by task, a number for all its classes or one for each by name; None for none at all.

    Raises:
        UsageError: there is no such task or class, a class is left out, or a confidence is not in 0..1.
    """
    tasks: dict[str, Task] = {name: task for name, task in model.tasks.items() if task.annotates}
    given = dict(value or {})
    for name in given:
        one_of(name, tasks, "task that finds objects")
    return {name: _of_task(task, given.get(name)) for name, task in tasks.items()}


def _of_task(task: Task, value: Any) -> dict[str, float] | None:
    if value is None:
        return None
    by_class = dict(value) if isinstance(value, Mapping) else dict.fromkeys(task.classes, value)
    for name in by_class:
        one_of(name, task.classes, f"class of task '{task.name}'")
    if missing := [name for name in task.classes if name not in by_class]:
        raise UsageError(f"Task '{task.name}' was given no confidence of class '{missing[0]}': give one of each class.")
    checked = {
        name: check_number(f"Task '{task.name}'", f"confidence of {name}", by_class[name], at_least=0, up_to=1)
        for name in task.classes
    }
    return {name: float(number) for name, number in checked.items()}
