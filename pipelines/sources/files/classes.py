"""One class list for all splits, and what is to be done with a label that is not in it."""

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from pipelines.accounts.account import Account
from pipelines.errors import DataError, one_of
from pipelines.sources.files.entries import Entry


def agree(
    entries: Mapping[str, list[Entry]], classes: Iterable[str] | None, account: Account
) -> tuple[tuple[str, ...], dict[str, list[Entry]]]:
    """Give all splits one class list.

    Args:
        entries: of each split.
        classes: the class names in the order of their ids; None for those of the first split, sorted.
        account: told of each object of another class, and of each image whose one class is another; it is left out.

    Returns:
        The class names, and what is left of the entries.

    Raises:
        DataError: the classes given are no list of names, or (unless `problems` skips it) a label is none of them.
    """
    if classes is None:
        first = next(iter(entries.values()), [])
        names = {a.category for entry in first for a in entry.objects or ()} | {entry.label for entry in first}
        known = tuple(sorted(name for name in names if name))
    else:
        known = name_list(classes, "classes")
    _warn_of_twins(known)
    return known, {split: _of_these(found, known, split, account) for split, found in entries.items()}


def _warn_of_twins(classes: tuple[str, ...]) -> None:
    """Warn of two classes whose names differ in the case of letters or in spaces alone."""
    seen: dict[str, str] = {}
    for name in classes:
        first = seen.setdefault("".join(name.lower().split()), name)
        if first != name:
            text = f"'{first}' and '{name}' are taken as two classes: if they are one, give both one name."
            warnings.warn(text, stacklevel=3)


def name_list(names: object, option: str) -> tuple[str, ...]:
    """Check an option that is a list of names.

    Raises:
        DataError: it is none.
    """
    names = [names] if isinstance(names, str) else names
    if not isinstance(names, list | tuple) or not names or not all(isinstance(name, str) for name in names):
        raise DataError(f"Option {option} is {names!r}: expected a list of names.")
    return tuple(names)


def _of_these(entries: list[Entry], classes: tuple[str, ...], split: str, account: Account) -> list[Entry]:
    known, kept = set(classes), []

    def is_known(entry: Entry, name: str | None, number: object, image: Path | None = None) -> bool:
        if not name or name in known:
            return True
        try:
            one_of(name, classes, f"{split} class")
        except DataError as error:
            own = "If it is a class of its own, name it in the option classes."
            account.lose(f"{entry.at(number)}: {error} {own}", image, 1 if image is None else entry.annotations)
        return False

    for entry in entries:
        if not is_known(entry, entry.label, entry.number, entry.image):
            continue
        if entry.objects and not all(not a.category or a.category in known for a in entry.objects):
            entry = replace(entry, objects=[a for a in entry.objects if is_known(entry, a.category, a.number)])
        kept.append(entry)
    return kept
