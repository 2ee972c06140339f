"""COCO: a JSON of instances beside the pictures of each split, as pycocotools loads it."""

import json
from collections.abc import Sequence
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
        categories = self.content.categories or ()
        ids = {name: place for place, name in enumerate(categories, 1)}
        images, annotations = [], list[dict[str, Any]]()
        for key, picture in enumerate(pictures, 1):
            height, width = picture.shape
            images.append({"id": key, "file_name": picture.name, "width": width, "height": height})
            for annotation in picture.objects or ():
                row = _annotation(annotation, picture.shape)
                place = {"id": len(annotations) + 1, "image_id": key, "category_id": ids[annotation.category]}
                annotations.append({**place, **row})
            folder = self.masks(split) if self.content.mask_classes else None
            if folder and not picture.masked:  # a folder of masks has one of every image
                self.mask(np.full(picture.shape, IGNORE, np.uint8), folder / f"{picture.stem}.png")
                self.rules[HOLLOW] += 1
        content = {
            "info": {"description": "written by visionmtl data convert"},
            "licenses": [],
            "images": images,
            "annotations": annotations,
            "categories": [{"id": key, "name": name, "supercategory": ""} for name, key in ids.items()],
        }
        self.put(f"{FOLDERS[split]}/annotations.json", json.dumps(content, ensure_ascii=False))


def _annotation(annotation: Annotation, shape: tuple[int, int]) -> dict[str, Any]:
    x_min, y_min, x_max, y_max = annotation.box
    outline, area = annotation.segmentation or [], (x_max - x_min) * (y_max - y_min)
    if outline:
        area = float(rle.area(region(outline, shape)))
    box = [json.loads(number(value)) for value in (x_min, y_min, x_max - x_min, y_max - y_min)]
    return {"bbox": box, "area": area, "iscrowd": int(annotation.crowd), "segmentation": outline}
