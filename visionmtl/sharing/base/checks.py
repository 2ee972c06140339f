"""Options of a scheme, checked."""

from typing import Any

from visionmtl.errors import UsageError


def check_number(scheme: str, option: str, value: Any, low: float, whole: bool = False) -> Any:
    """Return a number of at least `low`.

    Raises:
        UsageError: it is none.
    """
    kinds = int if whole else int | float
    if not isinstance(value, kinds) or isinstance(value, bool) or not low <= value < float("inf"):
        number = "a whole number" if whole else "a number"
        raise UsageError(f"sharing '{scheme}' was given {option}={value!r}: expected {number} of at least {low:g}.")
    return value
