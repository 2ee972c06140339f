"""A number for each class, as a user gives them: all in a list, or some by name."""

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

from visionmtl.errors import UsageError, check_number, nearest

ClassNumbers = Sequence[float] | Mapping[str, float] | None


def class_numbers(task: str, option: str, given: Any, classes: Sequence[str]) -> dict[str, float] | None:
    """Return the numbers by class of those that are named, or None where none is given.

    Args:
        task: the task's name.
        option: what they are given for.
        given: a list with a number above 0 for each class, or `{class: number}` for some.
        classes: their names.

    Raises:
        UsageError: it is neither, names a class that is none, or holds what is no number above 0.

    Example:
        >>> class_numbers("road", "class_weights", {"pole": 3}, ["pole", "sky"])
        {'pole': 3.0}
    """
    if given is None:
        return None
    owner = f"Task '{task}'"
    if isinstance(given, Mapping):
        named = {str(key): value for key, value in given.items()}
        if unknown := [key for key in named if key not in classes]:
            near, valid = nearest(unknown[0], classes), ", ".join(classes)
            raise UsageError(f"{owner} has no class '{unknown[0]}', named in {option}.{near} Valid: {valid}.")
    elif isinstance(given, Sequence) and not isinstance(given, str) and len(given) == len(classes):
        named = dict(zip(classes, given, strict=True))
    elif isinstance(given, Real) and not isinstance(given, bool):
        raise UsageError(
            f"{owner} was given {option}={given!r}, a power of how rare classes are, which a recipe counts in its"
            " training data: here give numbers, as visionmtl.tasks.rarity.numbers(...) makes them of counts."
        )
    else:
        raise UsageError(
            f"{owner} was given {option}={given!r}: expected a number for each of its {len(classes)} classes, or"
            " {class: number}."
        )
    return {key: float(check_number(owner, f"{option}.{key}", named[key], above=0)) for key in named}


def filled(numbers: Mapping[str, float], classes: Sequence[str]) -> list[float]:
    """Return the numbers of all classes in order: 1 for those that are not named."""
    return [numbers.get(key, 1.0) for key in classes]
