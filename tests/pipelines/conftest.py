"""Tiny data sets, made up on the spot."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import pipelines
from pipelines import sources
from pipelines.accounts.account import Account
from pipelines.contract import Request, Source
from pipelines.errors import Problems

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
        return pipelines.load(options.pop("source", "coco"), path=folder, **options)

    return load


@pytest.fixture
def picture(tmp_path: Path) -> Callable[..., Path]:
    """A function that saves a picture, grey of 40 x 60 pixels, or the array given, under `tmp_path / "data"`."""

    def save(name: str, pixels: np.ndarray | None = None, **options) -> Path:
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        image = Image.fromarray(np.full((*SIZE, 3), GROUND, np.uint8) if pixels is None else pixels)
        image.save(path, **options)
        return path

    return save


@pytest.fixture
def ask(tmp_path: Path) -> Callable[..., tuple[Source, list[str]]]:
    """A function that asks a source for `tmp_path / "data"` as `load` does, and returns what it gives and skipped."""

    def ask(name: str, at: str = "data", on_error: str = "stop", **options) -> tuple[Source, list[str]]:
        problems = Problems(on_error)
        wanted = {"splits": ("train",), "tasks": None, "max_boxes": 5}
        chosen = {key: options.pop(key, value) for key, value in wanted.items()}
        request = Request(tmp_path / at, image_size=SIZE, account=Account(problems), **chosen)
        return sources.get(name, options).read(request), problems.skipped

    return ask


@pytest.fixture
def sample() -> Callable[..., tuple[dict, dict]]:
    """A function that reads labels and weights of one sample; of detection, rows `(class, x0, y0, x1, y1)`."""

    def read(source: Source, split: str = "train", index: int = 0) -> tuple[dict, dict]:
        found = source.splits[split].read(tf.constant(index, tf.int64))
        labels, weights = tf.nest.map_structure(lambda x: x.numpy(), (found["labels"], found["weights"]))
        if "detection" in labels:
            rows = zip(labels["detection"]["classes"], labels["detection"]["boxes"], strict=True)
            labels["detection"] = [(int(c), *box.tolist()) for c, box in rows if c != -1]
        return labels, {name: float(weight) for name, weight in weights.items()}

    return read


@pytest.fixture
def names() -> Callable[..., list[str]]:
    """A function that gives the file names of a split."""

    def names(source: Source, split: str = "train") -> list[str]:
        found = source.splits[split]
        return [Path(found.name(index)).name for index in range(len(found.shapes))]

    return names
