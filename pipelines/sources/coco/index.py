"""A COCO instance file read into images with their objects, every field checked."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pipelines.accounts.account import Account
from pipelines.collecting import uncollected
from pipelines.errors import DataError
from pipelines.sources.coco.categories import Category, read_categories
from pipelines.sources.coco.evidence import are_fractions
from pipelines.sources.coco.images import Image, Key, read_images
from pipelines.sources.coco.objects import Form, Objects
from pipelines.sources.coco.parsing import parse
from pipelines.sources.coco.peeking import Kind

PLAIN = Form()
CROWDED = 0.2  # fraction of a file's objects; of COCO's own one in a hundred is a crowd


@dataclass(frozen=True)
class Index:
    """What a file says.

    Attributes:
        images: in the order of the file.
        categories: by their ids.
        used: ids of those that objects are of.
        relative: boxes of images whose size it does not give are fractions of their sides.
        lost: names of the images that have an annotation which cannot be used.
    """

    images: list[Image]
    categories: Mapping[Key, Category]
    used: set[Key]
    relative: bool = False
    lost: frozenset[str] = frozenset()


def read_index(path: Path, account: Account, form: Form = PLAIN) -> Index:
    """Read a COCO instance JSON.

    Raises:
        DataError: the file is no COCO JSON, or (unless they are to be skipped) one of its images or boxes is wrong.
    """
    content = parse(path)
    rows = content["annotations"]
    if rows and "segments_info" in rows[0]:
        raise DataError(f"'{path}' is no COCO instance file: it holds {Kind.PANOPTIC.value}.")
    with uncollected():
        categories = read_categories(path, content["categories"])
        images = read_images(path, content["images"], account)
        form = replace(form, relative=are_fractions(rows, form.corners))
        names = {number: category.name for number, category in categories.items()}
        objects = Objects(path, images, names, form, account)
        objects.read(rows)
    for words, count in images.told.items():
        if count:
            warnings.warn(f"'{path}': {count:,} {words}.", stacklevel=2)
    _tell(objects, any("keypoints" in row for row in (*rows[:1], *content["categories"])))
    lost = frozenset(images.known[number].file_name for number in images.lost if number in images.known)
    return Index(list(images.known.values()), categories, objects.used, form.relative, lost)


def _tell(objects: Objects, keypoints: bool) -> None:
    """Warn of what all of a file is, where somebody may have meant another thing."""
    path, form = objects.path, objects.form
    if form.relative:
        warnings.warn(
            f"'{path}': all boxes lie within 1 x 1: they are read as fractions of their images.", stacklevel=3
        )
    for words, count in objects.told.items():
        if count:
            warnings.warn(
                f"'{path}': {count:,} annotation{'s are' if count > 1 else ' is'} used, {words}.", stacklevel=3
            )
    total = sum(len(image.objects) for image in objects.images.known.values())
    if objects.crowds > CROWDED * total:
        warnings.warn(
            f"'{path}': {objects.crowds:,} of {total:,} objects are regions to ignore (iscrowd is 1), neither learnt "
            "nor counted; if they are objects, as masks that CVAT exports, set data.options.crowds=learn.",
            stacklevel=3,
        )
    if keypoints:
        warnings.warn(f"'{path}': its keypoints are not read, only boxes and outlines.", stacklevel=3)
