"""COCO: a JSON of instances beside the pictures of each split, as pycocotools loads it."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pycocotools import mask as rle

from pipelines.kinds.spec import IGNORE
from pipelines.sources.files.entries import Annotation
from pipelines.sources.files.outlines import region
from pipelines.writers.base import FOLDERS, Picture, Writer, number

HOLLOW = "images without a mask: given one whose pixels are all ignored"


class Coco(Writer):
    """`train/annotations.json` and `train/images/`, and masks as PNG in `train/masks/` where no outlines tell them.

    Boxes keep all their digits, crowds are crowds, outlines stay polygons or run lengths. Category ids begin at 1.
    """

    title = "COCO"

    def pictures(self, split: str) -> Path:
        return self.root / FOLDERS[split] / "images"

    def masks(self, split: str) -> Path | None:
        return None if self.content.outlines else self.root / FOLDERS[split] / "masks"

    def write(self, split: str, pictures: Sequence[Picture]) -> None:
        folder = self.masks(split) if self.content.mask_classes else None
        for picture in pictures if folder else ():
            if folder and not picture.masked:  # a folder of masks has one of every image
                self.mask(np.full(picture.shape, IGNORE, np.uint8), folder / f"{picture.stem}.png")
                self.rules[HOLLOW] += 1
        ids = {name: place for place, name in enumerate(self.content.categories or (), 1)}
        # Piece by piece: of very many pictures, all that is said at once would be gigabytes.
        parts: dict[str, Iterable[dict[str, Any]]] = {
            "info": [{"description": "written by visionmtl"}],
            "licenses": [],
            "images": _images(pictures),
            "annotations": _annotations(pictures, ids),
            "categories": [{"id": key, "name": name, "supercategory": ""} for name, key in ids.items()],
        }
        path = self.root / FOLDERS[split] / "annotations.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            for place, (name, rows) in enumerate(parts.items()):
                file.write(f"{', ' if place else '{'}{json.dumps(name)}: {'' if name == 'info' else '['}")
                for number, row in enumerate(rows):
                    file.write(f"{', ' if number else ''}{json.dumps(row, ensure_ascii=False)}")
                file.write("" if name == "info" else "]")
            file.write("}")


def _images(pictures: Sequence[Picture]) -> Iterator[dict[str, Any]]:
    for key, picture in enumerate(pictures, 1):
        height, width = picture.shape
        yield {"id": key, "file_name": picture.name, "width": width, "height": height}


def _annotations(pictures: Sequence[Picture], ids: Mapping[str, int]) -> Iterator[dict[str, Any]]:
    number = 0
    for key, picture in enumerate(pictures, 1):
        for annotation in picture.objects or ():
            number += 1
            place = {"id": number, "image_id": key, "category_id": ids[annotation.category]}
            yield {**place, **_annotation(annotation, picture.shape)}


def _annotation(annotation: Annotation, shape: tuple[int, int]) -> dict[str, Any]:
    x_min, y_min, x_max, y_max = annotation.box
    outline, area = annotation.segmentation or [], (x_max - x_min) * (y_max - y_min)
    if outline:
        area = float(rle.area(region(outline, shape)))
    box = [json.loads(number(value)) for value in (x_min, y_min, x_max - x_min, y_max - y_min)]
    return {"bbox": box, "area": area, "iscrowd": int(annotation.crowd), "segmentation": outline}
