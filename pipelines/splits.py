"""The three splits of a data set, and what else they are called."""

import re
from collections.abc import Iterable

from pipelines.errors import DataError, one_of

SPLITS = ("train", "validation", "test")
CHOICE = f"{', '.join(SPLITS[:-1])} or {SPLITS[-1]}"  # as a help text names them
ALIASES = {
    "train": ("train", "training"),
    "validation": ("val", "valid", "validation"),
    "test": ("test", "testing"),
}
SYNONYMS = {"validate": "validation", "dev": "validation", "eval": "validation", "holdout": "test"}  # of whole names
SHORT = tuple(ALIASES[split][0] for split in SPLITS)  # as they are typed


def split_named(name: str) -> str | None:
    """Return the split that a name such as "val" stands for, or None."""
    lower = name.lower()
    return next((split for split, aliases in ALIASES.items() if lower in aliases), SYNONYMS.get(lower))


def split_within(name: str) -> str | None:
    """Return the one split that a word of a name stands for, or None.

    Example:
        >>> split_within("oidv6-train-annotations-bbox")
        'train'
        >>> split_within("train_and_val")
    """
    words = re.split(r"[\W\d_]+", name)
    splits = {split for word in words if word.lower() not in SYNONYMS and (split := split_named(word))}
    return splits.pop() if len(splits) == 1 else None


def split_called(name: str, error: type[Exception] = DataError) -> str:
    """Return the split that a name stands for.

    Raises:
        DataError, or the `error` given: it stands for none.

    Example:
        >>> split_called("val")
        'validation'
    """
    return split_named(str(name)) or one_of(name, SPLITS, "split", error)


def in_order(names: str | Iterable[str]) -> tuple[str, ...]:
    """Return the splits that names stand for, each once and in the order of `SPLITS`.

    Raises:
        DataError: a name stands for none, or there is no name.
    """
    chosen = {split_called(name) for name in ([names] if isinstance(names, str) else names)}
    if not chosen:
        raise DataError(f"splits is empty: name some of {', '.join(SPLITS)}.")
    return tuple(name for name in SPLITS if name in chosen)
