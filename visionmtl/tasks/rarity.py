"""A number for each class by how rare it is in the data."""

from collections.abc import Mapping, Sequence
from typing import Any

from visionmtl.errors import UsageError, check_number


def numbers(task: str, option: str, power: float, classes: Sequence[str], amounts: Sequence[float]) -> dict[str, float]:
    """Return how many times each class counts: its share, in multiples of an equal one, to the power of `-power`.

    A class that does not occur counts once, as nothing is known of it.

    Args:
        task: the task's name.
        option: what they are for.
        power: above 0 and up to 1, at which all classes count alike in sum.
        classes: their names.
        amounts: how much of each there is, in any unit.

    Raises:
        UsageError: the power is out of its range, or there is nothing of any class.

    Example:
        >>> numbers("road", "favour", 0.5, ["sky", "pole", "sign"], [80, 20, 0])
        {'sky': 0.645, 'pole': 1.291, 'sign': 1.0}
    """
    check_number(f"Task '{task}'", option, power, above=0, up_to=1)
    total = float(sum(amounts))
    if total <= 0:
        raise UsageError(
            f"Task '{task}' was given {option}={power}, a power of how rare classes are, and no training picture has"
            f" labels for it: give {option} a number for each class, or leave it out."
        )
    shares = [float(each) / total * len(classes) for each in amounts]
    return {name: round(share**-power, 3) if share else 1.0 for name, share in zip(classes, shares, strict=True)}


def asked(options: Mapping[str, Any], of_classes: Sequence[str]) -> dict[str, float]:
    """Return those of a task's options for each class that are given as a power, one number for all."""
    found = {option: options.get(option) for option in of_classes}
    return {
        key: value for key, value in found.items() if isinstance(value, int | float) and not isinstance(value, bool)
    }


def told(given: Mapping[str, Mapping[str, Any]] | None, tasks: Mapping[str, Any]) -> list[str]:
    """Return in sentences how many times each class counts, of options that a recipe gives as a power.

    Args:
        given: of the recipe, the options of each task.
        tasks: of the model.
    """
    said = []
    for name, options in (given or {}).items():
        for option, power in asked(options, tasks[name].of_classes).items():
            each = ", ".join(f"{key} {value:.2f}" for key, value in getattr(tasks[name], option).items())
            said.append(f"{option} of {name}, by how rare classes are to the power of {power}: {each}.")
    return said
