"""Which task reads which."""

from collections.abc import Mapping
from typing import Any

from visionmtl.errors import UsageError, nearest


def reading_order(order: Any, tasks: Mapping[str, Any], scheme: str) -> dict[str, list[str]]:
    """Return which tasks each task reads, `{task: [earlier tasks]}`, every task after all that it reads.

    Args:
        order: a list of all tasks, each of which reads the one before, or `{task: task or list of tasks that it
            reads}`, or None for the order in which tasks are given.
        tasks: by name.
        scheme: its name, for the message.

    Raises:
        UsageError: a task is unknown, missing or given twice, or tasks read each other in a circle.
    """
    given = list(tasks) if order is None else order
    if isinstance(given, Mapping):
        reads = {task: [read] if isinstance(read, str) else list(read or []) for task, read in given.items()}
    else:
        given = list(given)
        twice = next((task for task in given if given.count(task) > 1), None)
        if twice is not None:
            raise UsageError(f"sharing '{scheme}' was given the order {' -> '.join(given)}, a cycle through '{twice}'.")
        reads = {task: given[place - 1 : place] if place else [] for place, task in enumerate(given)}
        absent = [task for task in tasks if task not in reads]
        if absent:
            raise UsageError(
                f"sharing '{scheme}' was given an order without '{absent[0]}': name every task, {', '.join(tasks)}."
            )
    for task in [*reads, *(task for several in reads.values() for task in several)]:
        if task not in tasks:
            raise UsageError(
                f"sharing '{scheme}' was given an order with unknown task '{task}'.{nearest(task, tasks)}"
                f" Tasks: {', '.join(tasks)}."
            )
    waiting = {task: reads.get(task, []) for task in tasks}
    ordered: dict[str, list[str]] = {}
    while waiting:
        ready = [task for task, read in waiting.items() if all(earlier in ordered for earlier in read)]
        if not ready:
            raise UsageError(
                f"sharing '{scheme}' was given an order in which tasks read each other in a cycle: {_cycle(waiting)}."
            )
        for task in ready:
            ordered[task] = waiting.pop(task)
    return ordered


def _cycle(waiting: dict[str, list[str]]) -> str:
    """Return the names along a circle of tasks that wait for each other."""
    path = [next(iter(waiting))]
    while True:
        following = next(task for task in waiting[path[-1]] if task in waiting)
        if following in path:
            return " -> ".join([*path[path.index(following) :], following])
        path.append(following)
