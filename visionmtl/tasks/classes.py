"""The classes of a task, given as a count or by their names."""

from collections.abc import Mapping, Sequence
from numbers import Integral
from typing import Any

import numpy as np

from visionmtl.errors import UsageError

Classes = int | Sequence[str] | Mapping[int, str]  # how many, or their names, in order or by number


def class_names(classes: Classes, task: str) -> tuple[str, ...]:
    """Return the names of classes given as a count or as names.

    Args:
        classes: how many, or their names: a list, or by number as YOLO's `data.yaml` may have them, `{0: "car"}`.
        task: the name of whose they are.

    Raises:
        UsageError: no class, a name given twice or an empty one, or what is neither a count nor a list of names, such
            as a set, whose order is nobody's.

    Example:
        >>> class_names({0: "car", 1: "bus"}, "objects")
        ('car', 'bus')
    """
    names = _names(classes)
    if names is None:
        raise UsageError(f"Task '{task}' was given classes={classes!r}: give a count of at least 1 or a list of names.")
    if not names:
        raise UsageError(f"Task '{task}' was given no class: give a count of at least 1 or a list of names.")
    if "" in names:
        raise UsageError(f"Task '{task}' was given a class without a name, class {names.index('')}: name each.")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UsageError(f"Task '{task}' was given class '{twice[0]}' twice: names of classes must differ.")
    return names


def _names(given: Any) -> tuple[str, ...] | None:
    if isinstance(given, Integral) and not isinstance(given, bool):
        return tuple(str(number) for number in range(int(given)))
    if isinstance(given, Mapping):
        if sorted(given, key=str) != sorted(range(len(given)), key=str):
            return None
        given = [given[number] for number in range(len(given))]
    if isinstance(given, np.ndarray):
        given = given.tolist()
    if not isinstance(given, Sequence) or isinstance(given, str | bytes):
        return None
    kinds = (str, Integral)
    if any(not isinstance(name, kinds) or isinstance(name, bool) for name in given):
        return None
    return tuple(str(name) for name in given)
