"""The categories of COCO's files, which become the classes."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.errors import DataError
from pipelines.sources.coco.images import Key
from pipelines.sources.coco.values import key

NONE = (None, "", "none")


@dataclass(frozen=True)
class Category:
    """One category of a file.

    Attributes:
        number: its id.
        name: of the class.
        group: what it belongs to, COCO's `supercategory`, or None.
    """

    number: Key
    name: str
    group: str | None


def read_categories(path: Path, rows: list[dict[str, Any]]) -> dict[Key, Category]:
    """Read the categories of a file by their ids, in the order of these.

    Raises:
        DataError: one lacks an id or a name, or two of different names have one id.
    """
    found: dict[Key, Category] = {}
    for row in rows:
        number, name, group = key(row.get("id")), row.get("name"), row.get("supercategory")
        name = str(name) if type(name) in (int, float) else name
        if number is None or not isinstance(name, str) or not name.strip():
            raise DataError(f"'{path}': categories: {row!r} needs an 'id' and a 'name' of its own.")
        category = Category(number, name, None if group in NONE else str(group))
        if found.setdefault(number, category).name != name:
            raise DataError(f"'{path}': categories: id {number} is that of '{found[number].name}' and of '{name}'.")
    return dict(sorted(found.items(), key=lambda pair: (isinstance(pair[0], str), pair[0])))


def agree(files: Mapping[Path, tuple[Mapping[Key, Category], set[Key]]]) -> tuple[str, ...]:
    """Return the class names of several files, in the order of the ids of the first; the others may have no more.

    A category that is the supercategory of others, and that no object is of, is no class: some tools write such a root.
    Two categories of one name and one supercategory are one class.

    Args:
        files: of each file the categories, and the ids of those that objects are of.

    Raises:
        DataError: two categories of one name have different supercategories, or a later file has others than the first.
    """
    kept: dict[Path, list[Category]] = {}
    roots: dict[str, Path] = {}
    for path, (categories, used) in files.items():
        root = {c.number for c in categories.values() if _is_root(c, categories, used)}
        kept[path] = [category for number, category in categories.items() if number not in root]
        roots.update({categories[number].name: path for number in root})
    names = {category.name for own in kept.values() for category in own}
    classes: tuple[str, ...] = ()
    for path, own in kept.items():
        whole = [*own, *(c for c in files[path][0].values() if c not in own and c.name in names)]
        whole = sorted(whole, key=lambda category: list(files[path][0]).index(category.number))
        found = _named(path, own, whole)
        if not classes:
            first, classes = path, found
        for name in found:
            if name not in classes:
                raise DataError(f"'{path}': categories: '{name}' is not one of '{first}'.")
    for name, path in roots.items():
        if name not in names:
            warnings.warn(
                f"'{path}': category '{name}' is set aside: it is the supercategory of others, and no object is of it.",
                stacklevel=2,
            )
    return classes


def _is_root(category: Category, categories: Mapping[Key, Category], used: set[Key]) -> bool:
    """Whether a category only groups others."""
    if category.number in used:
        return False
    return any(other.group == category.name and other.number != category.number for other in categories.values())


def _named(path: Path, own: list[Category], whole: list[Category]) -> tuple[str, ...]:
    """Return the names of the categories of a file, each once."""
    first: dict[str, Category] = {}
    for category in own:
        other = first.setdefault(category.name, category)
        if other.group != category.group:
            raise DataError(
                f"'{path}': categories: ids {other.number} and {category.number} are both named '{category.name}', of "
                f"supercategories {other.group!r} and {category.group!r}: rename one."
            )
        if other is not category:
            warnings.warn(
                f"'{path}': categories {other.number} and {category.number} are both named '{category.name}': they are "
                "one class.",
                stacklevel=2,
            )
    return tuple(dict.fromkeys(category.name for category in whole))
