"""Values of COCO's fields as tools write them: numbers as text, flags of any kind."""

from typing import Any

NO, YES = ("0", "0.0", "false", "no", ""), ("1", "1.0", "true", "yes")


def key(value: Any) -> int | str | None:
    """Return an id: a whole number, also where it is written as text or with a point, or another text; None for none.

    Example:
        >>> key(7), key("7"), key(7.0), key("cat_7"), key(True)
        (7, 7, 7, 'cat_7', None)
    """
    if type(value) is int:
        return value
    if isinstance(value, str) and value:
        text = value.strip()
        return int(text) if text.isascii() and text.removeprefix("-").isdigit() and len(text) < 20 else value
    return whole(value)


def whole(value: Any) -> int | None:
    """Return a whole number, also where it is written as text or with a point; None if it is none.

    Example:
        >>> whole(640), whole("640"), whole(640.0), whole(0.5), whole(True)
        (640, 640, 640, None, None)
    """
    found = number(value)
    return int(found) if found is not None and found == found // 1 else None


def number(value: Any) -> float | None:
    """Return a number, also where it is written as text; None if it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def flag(value: Any, field: str) -> bool:
    """Return what a flag says: 0 and 1, as numbers or text, true and false, or nothing.

    Raises:
        ValueError: it says none of these.

    Example:
        >>> flag("0", "iscrowd"), flag(1, "iscrowd"), flag(None, "iscrowd")
        (False, True, False)
    """
    if value is None or value == 0:
        return False
    if value == 1:
        return True
    text = value.strip().lower() if isinstance(value, str) else None
    if text in NO or text in YES:
        return text in YES
    raise ValueError(f"{field} is {value!r}, expected 0 or 1")
