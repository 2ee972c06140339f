"""What the tasks of one model have to do with each other: names of their own, and colours in common."""

from collections.abc import Iterable

from visionmtl import drawing
from visionmtl.errors import UsageError
from visionmtl.tasks.task import Task


def by_name(tasks: Task | Iterable[Task]) -> dict[str, Task]:
    """Return the task or tasks of a model by name.

    Raises:
        UsageError: there is none, two share a name, or what is given is no task.
    """
    tasks = [tasks] if isinstance(tasks, Task | str) else list(tasks)
    if not tasks:
        raise UsageError("A model needs a task: give at least one, such as Detection or Segmentation.")
    for task in tasks:
        if not isinstance(task, Task):
            raise UsageError(
                f"A model was given the task {task!r}: expected one like Detection('signs', ['stop', 'go'])."
            )
    names = [task.name for task in tasks]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UsageError(f"Two tasks are named '{twice}': each needs a name of its own.")
    return dict(zip(names, tasks, strict=True))


def share_colours(tasks: Iterable[Task]) -> None:
    """Give a class that several tasks know by one name one colour in all their drawings."""
    tasks = list(tasks)
    for task, colours in zip(tasks, drawing.shared({task.name: task.classes for task in tasks}).values(), strict=True):
        task.colours = colours
