"""The images of a COCO file, each field checked."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipelines.accounts.account import Account
from pipelines.sources.coco.values import key, whole
from pipelines.sources.files.entries import Annotation

Key = int | str
PLACES = ("coco_url", "flickr_url", "absolute_url", "image_url", "url", "path")  # that end in a name of a file
NEEDS = "needs 'id' (a whole number) and 'file_name'"


@dataclass(frozen=True, slots=True)
class Image:
    """One image of the file, with its objects."""

    file_name: str
    size: tuple[int, int] | None  # height and width the file gives
    objects: list[Annotation]


@dataclass
class Images:
    """The images of a file by their ids.

    Attributes:
        known: those that can be used.
        unusable: ids of the others.
        lost: ids of those known with an annotation that cannot be used.
        told: how often something was not as expected, in words.
    """

    known: dict[Key, Image] = field(default_factory=dict)
    unusable: set[Key] = field(default_factory=set)
    lost: set[Key] = field(default_factory=set)
    told: Counter[str] = field(default_factory=Counter)


def read_images(path: Path, rows: list[dict[str, Any]], account: Account) -> Images:
    """Read the images of a file; what is wrong with one is told, and it is left out."""
    images, files = Images(), set[str]()
    for row in rows:
        number = row.get("id")
        number = number if type(number) is int else key(number)
        try:
            image = _image(row, images.told)
            if number is None:
                raise ValueError(f"{row!r} {NEEDS}")
            if number in images.known:
                raise ValueError(f"id {number} of '{image.file_name}' is given twice")
            if image.file_name in files:
                raise ValueError(f"file_name '{image.file_name}' of id {number} is given twice")
            files.add(image.file_name)
            images.known[number] = image
        except ValueError as error:
            if number is not None and number not in images.known:
                images.unusable.add(number)
            account.lose(f"'{path}': images: {error}.")
    return images


def _image(row: dict[str, Any], told: Counter[str]) -> Image:
    """Check one image of the file; a ValueError says what is wrong with it."""
    name = row.get("file_name")
    if name is None:
        name = next((row[place] for place in PLACES if row.get(place)), None)
        told["images have no file_name: it is taken from their address"] += name is not None
    if not isinstance(name, str) or not name or "\0" in name:
        raise ValueError(f"{row!r} {NEEDS}")
    height, width = row.get("height"), row.get("width")
    if height is None and width is None:
        return Image(name, None, [])
    tall, wide = whole(height), whole(width)
    if tall is None or wide is None or min(tall, wide) < 0:
        raise ValueError(f"'{name}' has height {height!r} and width {width!r}, expected whole numbers above 0")
    if not min(tall, wide):
        told["images have a height or width of 0: the pictures' own are taken"] += 1
        return Image(name, None, [])
    return Image(name, (tall, wide), [])
