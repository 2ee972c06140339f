"""Tiny data sets of every format, made up on the spot: three pictures to train on, two to validate, a cat in each."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import pipelines

SIZE = (40, 60)  # height and width of the pictures
BOX = (10, 5, 30, 25)  # of the cat
SPLITS = {"train": "abc", "val": "de"}  # the names of the pictures, a letter each
Written = tuple[Path | None, dict[str, Any]]  # where it is, and the options that it needs


def picture(path: Path) -> None:
    """Write a grey picture with a red cat."""
    pixels = np.full((*SIZE, 3), 90, np.uint8)
    x_min, y_min, x_max, y_max = BOX
    pixels[y_min:y_max, x_min:x_max] = (230, 30, 30)
    _save(pixels, path)


def mask(path: Path) -> None:
    """Write the mask of the cat, class 1."""
    pixels = np.zeros(SIZE, np.uint8)
    x_min, y_min, x_max, y_max = BOX
    pixels[y_min:y_max, x_min:x_max] = 1
    _save(pixels, path)


def _save(pixels: np.ndarray, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def _text(content: str, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def coco(folder: Path, splits: Mapping[str, str] = SPLITS) -> Written:
    x_min, y_min, x_max, y_max = BOX
    for split, names in splits.items():
        images, annotations = [], []
        for number, name in enumerate(names):
            picture(folder / split / "images" / f"{name}.png")
            mask(folder / split / "masks" / f"{name}.png")
            images.append({"id": number, "file_name": f"{name}.png"})
            box = [x_min, y_min, x_max - x_min, y_max - y_min]
            annotations.append({"id": number, "image_id": number, "category_id": 1, "bbox": box})
        content = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "cat"}]}
        _text(json.dumps(content), folder / split / "annotations.json")
    return folder, {}


def voc(folder: Path, splits: Mapping[str, str] = SPLITS) -> Written:
    x_min, y_min, x_max, y_max = BOX
    corners = f"<xmin>{x_min + 1}</xmin><ymin>{y_min + 1}</ymin><xmax>{x_max}</xmax><ymax>{y_max}</ymax>"
    for split, names in splits.items():
        for name in names:
            picture(folder / "JPEGImages" / f"{name}.jpg")
            mask(folder / "SegmentationClass" / f"{name}.png")
            cat = f"<annotation><object><name>cat</name><bndbox>{corners}</bndbox></object></annotation>"
            _text(cat, folder / "Annotations" / f"{name}.xml")
        _text("\n".join(names), folder / "ImageSets" / "Main" / f"{split}.txt")
    _text(json.dumps({"classes": ["background", "cat"]}), folder / "mask_classes.json")
    return folder, {}


def yolo(folder: Path) -> Written:
    x_min, y_min, x_max, y_max = BOX
    width, height = SIZE[1], SIZE[0]
    corners = [(x_min, y_min), (x_max, y_min), (x_max, y_max), (x_min, y_max)]
    outline = " ".join(f"{x / width} {y / height}" for x, y in corners)
    for split, names in SPLITS.items():
        for name in names:
            picture(folder / "images" / split / f"{name}.jpg")
            _text(f"0 {outline}", folder / "labels" / split / f"{name}.txt")
    _text("names: [cat]", folder / "data.yaml")
    return folder, {}


def labelme(folder: Path) -> Written:
    shape = {"label": "cat", "points": [BOX[:2], BOX[2:]], "group_id": None, "shape_type": "rectangle", "flags": {}}
    size = {"imageHeight": SIZE[0], "imageWidth": SIZE[1]}
    for split, names in SPLITS.items():
        for name in names:
            picture(folder / split / f"{name}.jpg")
            content = {"version": "5.4.1", "flags": {}, "shapes": [shape], "imagePath": f"{name}.jpg", **size}
            _text(json.dumps({**content, "imageData": None}), folder / split / f"{name}.json")
    return folder, {}


def csv(folder: Path) -> Written:
    rows = ["image,xmin,ymin,xmax,ymax,label,split"]
    for split, names in SPLITS.items():
        for name in names:
            picture(folder / "images" / f"{name}.jpg")
            rows.append(f"{name}.jpg,{','.join(map(str, BOX))},cat,{split}")
    _text("\n".join(rows), folder / "labels.csv")
    return folder, {}


def cityscapes(folder: Path) -> Written:
    x_min, y_min, x_max, y_max = BOX
    for split, names in SPLITS.items():
        for name in names:
            stem = f"{split}/aachen/aachen_{name}_000019"
            picture(folder / "leftImg8bit" / f"{stem}_leftImg8bit.png")
            ids, objects = np.full(SIZE, 7, np.uint8), np.full(SIZE, 7, np.uint16)
            ids[y_min:y_max, x_min:x_max], objects[y_min:y_max, x_min:x_max] = 26, 26000
            _save(ids, folder / "gtFine" / f"{stem}_gtFine_labelIds.png")
            _save(objects, folder / "gtFine" / f"{stem}_gtFine_instanceIds.png")
            _save(np.zeros((*SIZE, 3), np.uint8), folder / "gtFine" / f"{stem}_gtFine_color.png")
            _text("{}", folder / "gtFine" / f"{stem}_gtFine_polygons.json")
    return folder, {}


def folder_of_classes(folder: Path) -> Written:
    for split, names in SPLITS.items():
        for name in names:
            picture(folder / "images" / split / "cat" / f"{name}.jpg")
            mask(folder / "masks" / split / "cat" / f"{name}.png")
    _text(json.dumps({"classes": ["background", "cat"]}), folder / "mask_classes.json")
    return folder, {}


def garments(folder: Path) -> Written:
    return None, {"train": 3, "validation": 2, "test": 1}


def packed(folder: Path) -> Written:
    source, _ = coco(folder.with_name("unpacked"))
    pipelines.pack("coco", folder, path=source)
    return folder, {}


def tfds(folder: Path) -> Written:
    """Photographs of pets in TFDS's own layout, by TFDS's own writer."""
    import tensorflow_datasets

    tensorflow_datasets.core.utils.gcs_utils._is_gcs_disabled = True  # the builder asks the network for nothing
    builder = tensorflow_datasets.builder("oxford_iiit_pet", data_dir=folder, file_format="tfrecord")
    trimap = np.full((*SIZE, 1), 2, np.uint8)
    head = tensorflow_datasets.features.BBox(0.25, 0.5, 0.75, 1.0)
    pet = {"image": np.full((*SIZE, 3), 90, np.uint8), "label": 4, "species": 1, "segmentation_mask": trimap}
    splits = {"train": SPLITS["train"], "test": SPLITS["val"]}
    examples = {
        split: [{**pet, "head_bbox": head, "file_name": f"{name}.jpg"} for name in names]
        for split, names in splits.items()
    }
    Path(builder.data_dir).mkdir(parents=True)
    writer = tensorflow_datasets.core.SequentialWriter(builder.info, 2, file_format="tfrecord")
    writer.initialize_splits(list(examples))
    writer.add_examples(examples)
    writer.close_all()
    return folder, {"name": "oxford_iiit_pet", "slices": {"train": "train", "validation": "test"}}


# By the name of the source. A new source has its own writer here, and meets every test of `contracts/`.
WRITERS: dict[str, Callable[[Path], Written]] = {
    "cityscapes": cityscapes,
    "coco": coco,
    "csv": csv,
    "folder": folder_of_classes,
    "garments": garments,
    "labelme": labelme,
    "packed": packed,
    "tfds": tfds,
    "voc": voc,
    "yolo": yolo,
}
