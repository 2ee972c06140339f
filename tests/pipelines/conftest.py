"""Tiny COCO folders, made up on the spot."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import pipelines

CATEGORIES = [{"id": 3, "name": "square"}, {"id": 7, "name": "bar"}]  # ids with gaps
SIZE = (40, 60)  # height and width of the pictures
GROUND, PAINT = (90, 90, 90), (230, 30, 30)


def _write(folder: Path, objects: dict[str, list[tuple]], masks: bool, **changes) -> Path:
    (folder / "images").mkdir(parents=True)
    images, annotations = [], []
    for key, (name, rows) in enumerate(objects.items(), 1):
        picture, mask = np.full((*SIZE, 3), GROUND, np.uint8), np.zeros(SIZE, np.uint8)
        for category, x, y, width, height, *extra in rows:
            annotation = {"id": len(annotations) + 1, "image_id": key, "category_id": category, "iscrowd": 0}
            annotations.append({**annotation, "bbox": [x, y, width, height], **(extra[0] if extra else {})})
            if np.isfinite([x, y, width, height]).all():
                window = slice(max(int(y), 0), int(y + height)), slice(max(int(x), 0), int(x + width))
                picture[window], mask[window] = PAINT, 1 if category == 3 else 2
        Image.fromarray(picture).save(folder / "images" / name)
        if masks:
            (folder / "masks").mkdir(exist_ok=True)
            Image.fromarray(mask).save(folder / "masks" / Path(name).with_suffix(".png"))
        images.append({"id": key, "file_name": name, "height": SIZE[0], "width": SIZE[1]})
    content = {"images": images, "annotations": annotations, "categories": CATEGORIES, **changes}
    (folder / "annotations.json").write_text(json.dumps(content))
    return folder


@pytest.fixture
def coco(tmp_path: Path) -> Callable[..., Path]:
    """A function that writes `images/`, `annotations.json` and perhaps `masks/` to a folder, and returns its path.

    `objects` maps file names to rows `(category id, x, y, width, height[, more fields of the annotation])`. Pictures
    are grey of 40 x 60 pixels with the boxes painted red; masks are 0, and 1 or 2 in the boxes of category 3 or 7.
    """

    def write(objects: dict[str, list[tuple]], at: str = "data", masks: bool = False, **changes) -> Path:
        return _write(tmp_path / at, objects, masks, **changes)

    return write


@pytest.fixture
def load() -> Callable[..., pipelines.Datasets]:
    """A function that loads a folder at its own size, one image a batch, in order."""

    def load(folder: Path, **options) -> pipelines.Datasets:
        options = {"image_size": SIZE, "batch_size": 1, "splits": ["train"], "shuffle": False, **options}
        return pipelines.load("coco", path=folder, **options)

    return load
