"""The ids of images and categories in what is written: those of a COCO file, or counted from 1."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from visionmtl.errors import UsageError

Key = int | str


@dataclass(frozen=True)
class Ids:
    """Ids of what is predicted.

    Attributes:
        images: by the place of a picture.
        categories: by the names of classes, where a data set has given them ids.
        source: the COCO file that says so, or None.
    """

    images: Sequence[Key] = field(repr=False)
    categories: Mapping[str, Key] = field(default_factory=dict)
    source: Path | None = None

    def of_classes(self, tasks: Iterable[Any]) -> tuple[dict[str, dict[str, Key]], list[str]]:
        """Return the category ids by task and class, and the classes that the data set does not know.

        Without a data set the classes of all tasks that find objects are counted from 1; beside one, a class that it
        has no id for gets the next one free.
        """
        finders = [task for task in tasks if task.annotates]
        taken = [number for number in self.categories.values() if isinstance(number, int)]
        following, result, unknown = max(taken, default=0) + 1, dict[str, dict[str, Key]](), list[str]()
        for task in finders:
            own = result[task.name] = {}
            for name in task.classes:
                if name in self.categories:
                    own[name] = self.categories[name]
                    continue
                own[name], following = following, following + 1
                if self.source:
                    unknown.append(name)
        return result, unknown

    def told(self, unknown: Sequence[str]) -> str:
        """Return what is to be said of classes that the data set does not know; empty where there is none."""
        names = ", ".join(map(repr, unknown))
        return f"'{self.source}' has no category {names}: given the ids above its highest." if unknown else ""


@dataclass(frozen=True)
class Known:
    """The images and categories of a COCO file: ids by name, and of images by the last part of their path too."""

    file: Path
    by_name: Mapping[str, Key] = field(repr=False)
    by_end: Mapping[str, list[str]] = field(repr=False)
    categories: Mapping[str, Key] = field(repr=False)

    def image(self, path: Path) -> Key | None:
        """Return the id of the image whose `file_name` is the end of a path; None for none, or for several."""
        parts = path.absolute().parts
        ends = [name for name in self.by_end.get(path.name, ()) if parts[-len(_parts(name)) :] == _parts(name)]
        longest = max(ends, key=lambda name: len(_parts(name)), default=None)
        return None if longest is None else self.by_name[longest]

    def of(self, images: Sequence[Any]) -> Ids:
        """Return the ids of images, with those of the categories."""
        return Ids(images, self.categories, self.file)


def counted(count: int) -> Ids:
    """Return the ids 1, 2, 3, ..."""
    return Ids(range(1, count + 1))


def is_coco(path: Path) -> bool:
    """Whether a file has images and categories, as COCO's have."""
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and all(isinstance(content.get(key), list) for key in ("images", "categories"))


def read(path: Path) -> Known:
    """Read the ids of a COCO file; those of its annotations are not looked at.

    Raises:
        UsageError: it is not there, or no such file.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
        images = {row["file_name"]: row["id"] for row in content["images"]}
        categories = {row["name"]: row["id"] for row in content["categories"]}
    except OSError as error:
        raise UsageError(f"'{path}' cannot be read: {error.strerror}.") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UsageError(
            f"'{path}' is no COCO file: expected JSON with 'images' of 'id' and 'file_name' each, and 'categories' of "
            "'id' and 'name'."
        ) from None
    ends: dict[str, list[str]] = {}
    for name in images:
        ends.setdefault(_parts(name)[-1] if _parts(name) else "", []).append(name)
    return Known(path, images, ends, categories)


def _parts(name: str) -> tuple[str, ...]:
    return PurePosixPath(name.replace("\\", "/").removeprefix("./")).parts
