"""Numbers that a user gives the tasks by name: weights, preferences."""

from collections.abc import Mapping, Sequence
from typing import Any

from visionmtl.balancing.hyperparameters import Hyperparameter, Number
from visionmtl.errors import UsageError, nearest

EACH = Number(1.0, "of a task", at_least=0)


class ByTask(Hyperparameter):
    """A number of at least 0 for some of the tasks, by name; see `preference`."""

    def __init__(self, meaning: str, name: str = "", what: str = "weight") -> None:
        super().__init__({}, meaning, name)
        self.what = what
        self.expected = f"{{task name: {what}}}, each {what} {EACH.expected}"

    def allows(self, value: Any) -> bool:
        return value is None or (isinstance(value, dict) and all(EACH.allows(each) for each in value.values()))

    def kept(self, value: Any) -> Any:
        return dict(value or {})

    def of(self, method: str, given: Mapping[str, float], tasks: Sequence[str]) -> list[float]:
        """Return the number of each of the tasks, 1 for one not named.

        Raises:
            UsageError: a name is of none of the tasks.
        """
        for task in given:
            if task not in tasks:
                raise UsageError(
                    f"balancing '{method}' was given a {self.what} for unknown task '{task}'.{nearest(task, tasks)}"
                    f" Tasks: {', '.join(tasks)}."
                )
        return [float(given.get(task, 1.0)) for task in tasks]


class Preference(ByTask):
    """How much a task counts beside the others; see `preference`."""

    def of(self, method: str, given: Mapping[str, float], tasks: Sequence[str]) -> list[float]:
        numbers = super().of(method, given, tasks)
        if not any(numbers):
            raise UsageError(f"balancing '{method}' was given the {self.what} 0 for every task: let one be above 0.")
        return numbers


def preference() -> Any:
    """Declare a preference vector: only ratios count, since the numbers are scaled to a mean of 1 over the tasks."""
    return Preference(
        "{task name: number}, how much a task counts beside the others; 1 if not named", what="preference"
    )


def ray() -> Any:
    """Declare the ray from zero on which losses are to end: only ratios count."""
    return Preference("{task name: number}, the losses aimed at, in proportion; 1 if not named", what="ray")
