"""A COCO instance file read into arrays, every field checked."""

import json
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

from pipelines.accounts.account import Account
from pipelines.errors import DataError
from pipelines.sources.files.entries import Annotation, corners, inside


@dataclass(frozen=True)
class Image:
    """One image of the file, with its objects."""

    file_name: str
    size: tuple[int, int] | None  # height and width the file gives
    objects: list[Annotation]


def read_index(path: Path, account: Account) -> tuple[list[str], list[Image]]:
    """Read a COCO instance JSON.

    Returns:
        The category names in the order of their ids, and the images in the order of the file.

    Raises:
        DataError: the file is no COCO JSON, or (unless they are to be skipped) one of its images or boxes is wrong.
    """
    content = _parse(path)
    categories: dict[int, str] = {}
    for category in content["categories"]:
        key, name = category.get("id"), category.get("name")
        if not isinstance(key, int) or not isinstance(name, str) or key in categories or name in categories.values():
            raise DataError(f"'{path}': categories: {category!r} needs an 'id' and a 'name' of its own.")
        categories[key] = name
    categories = dict(sorted(categories.items()))

    entries: dict[int, Image] = {}
    unusable, files, keys = set(), set(), set()
    for image in content["images"]:
        try:
            entry = _entry(image)
            if image["id"] in entries:
                raise ValueError(f"id {image['id']} of '{entry.file_name}' is given twice")
            if entry.file_name in files:
                raise ValueError(f"file_name '{entry.file_name}' of id {image['id']} is given twice")
            files.add(entry.file_name)
            entries[image["id"]] = entry
        except ValueError as error:
            if isinstance(image.get("id"), int) and image["id"] not in entries:
                unusable.add(image["id"])
            account.lose(f"'{path}': images: {error}.")
    account.meet(len(content["annotations"]))
    for annotation in content["annotations"]:
        try:
            if not isinstance(annotation.get("image_id"), int):
                raise ValueError(f"image_id is {annotation.get('image_id')!r}, expected a whole number")
            key = annotation.get("id")
            if isinstance(key, int) and key in keys:
                raise ValueError("it is given twice")
            keys.add(key if isinstance(key, int) else None)
            if annotation["image_id"] in unusable:
                account.lost["of images that cannot be used"] += 1
            else:
                _add(annotation, entries, categories)
        except ValueError as error:
            account.lose(f"'{path}': annotations: id {annotation.get('id')}: {error}.", annotations=1)
    return list(categories.values()), list(entries.values())


def _parse(path: Path) -> dict:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"'{path}' is not valid JSON, it may be cut off: {error}.") from None
    except OSError as error:
        raise DataError(f"'{path}' cannot be read: {error.strerror}.") from None
    for key in ("images", "annotations", "categories"):
        rows = content.get(key) if isinstance(content, dict) else None
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise DataError(f"'{path}' is no COCO instance file: it needs a list of objects '{key}'.")
    return content


def _entry(image: dict) -> Image:
    """Check one image of the file; a ValueError says what is wrong with it."""
    name = image.get("file_name")
    if not isinstance(name, str) or not name or not isinstance(image.get("id"), int):
        raise ValueError(f"{image!r} needs 'id' (a whole number) and 'file_name'")
    inside(name)
    height, width = image.get("height"), image.get("width")
    if height is None and width is None:
        return Image(name, None, [])
    if not isinstance(height, int) or not isinstance(width, int) or min(height, width) < 1:
        raise ValueError(f"'{name}' has height {height!r} and width {width!r}, expected whole numbers above 0")
    return Image(name, (height, width), [])


def _add(annotation: dict, entries: dict[int, Image], categories: dict[int, str]) -> None:
    """Check one annotation and add it to its image; a ValueError says what is wrong with it."""
    image, category = annotation["image_id"], annotation.get("category_id")
    if image not in entries:
        raise ValueError(f"image_id {image} is no image of the file")
    entry = entries[image]
    if not isinstance(category, int) or category not in categories:
        raise ValueError(f"category_id {category!r} is unknown ('{entry.file_name}')")
    box = annotation.get("bbox")
    if not isinstance(box, list) or len(box) != 4 or not all(isinstance(x, int | float) for x in box):
        raise ValueError(f"bbox {box!r} is not [x, y, width, height] ('{entry.file_name}')")
    if not all(isfinite(x) for x in box):
        raise ValueError(f"bbox {box} is not finite ('{entry.file_name}')")
    x, y, width, height = box
    if width <= 0 or height <= 0:
        raise ValueError(f"bbox {box} has no area ('{entry.file_name}')")
    edges = (x, y, x + width, y + height)
    if entry.size:
        try:
            edges = corners(edges, entry.size)
        except ValueError as error:
            raise ValueError(f"{error} ('{entry.file_name}')") from None
    crowd, outline = bool(annotation.get("iscrowd", 0)), annotation.get("segmentation") or None
    entry.objects.append(Annotation(edges, categories[category], crowd, outline, annotation.get("id")))
