"""Folders of COCO as the tools write them, of tiny pictures that each show a cat; read by their place alone."""

import json
import warnings
from pathlib import Path

import numpy as np
from PIL import Image

import pipelines

SIZE = (40, 60)
BOX = [10, 5, 20, 15]
CORNERS = [10.0, 5.0, 30.0, 20.0]
TRIANGLE = [10, 5, 30, 5, 10, 20]
CLUTTER = (
    *("README.md", "docs/readme.txt", "__MACOSX/._a.jpg", ".DS_Store", "Thumbs.db", "._notes.json"),
    *("runs/x-1/recipe.yaml", "runs/x-1/history.csv"),
)


def picture(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((*SIZE, 3), sum(path.name.encode()) % 256, np.uint8)).save(path)
    return path.name


def cat(names, number=1, categories=None, **image):
    """COCO with a cat in each of some pictures."""
    return {
        "images": [{"id": i, "file_name": name, "height": 40, "width": 60, **image} for i, name in enumerate(names)],
        "annotations": [
            {"id": i, "image_id": i, "category_id": number, "bbox": BOX, "area": 300, "iscrowd": 0, "segmentation": []}
            for i in range(len(names))
        ],
        "categories": categories or [{"id": number, "name": "cat", "supercategory": ""}],
    }


def write(path: Path, content) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))


def clutter(root: Path) -> None:
    for name in CLUTTER:
        write(root / name, "?")
    write(root / "notes.json", {"version": 2, "tags": []})


def published(root: Path) -> None:
    for split, names in {"train2017": "ab", "val2017": "c", "test2017": "d"}.items():
        files = [picture(root / split / f"00{name}.jpg") for name in names]
        content = cat(files)
        if split == "test2017":
            write(root / "annotations" / f"image_info_{split}.json", {**content, "annotations": None} | {"info": {}})
            content.pop("annotations")
            write(root / "annotations" / f"image_info_{split}.json", content)
            continue
        write(root / "annotations" / f"instances_{split}.json", content)
        write(root / "annotations" / f"person_keypoints_{split}.json", content)
        write(root / "annotations" / f"stuff_{split}.json", content)
        captions = [{"id": 1, "image_id": 0, "caption": "A cat."}]
        write(root / "annotations" / f"captions_{split}.json", {"images": content["images"], "annotations": captions})
        segments = [{"image_id": 0, "file_name": "a.png", "segments_info": []}]
        write(root / "annotations" / f"panoptic_{split}.json", {**content, "annotations": segments})
        picture(root / "annotations" / f"panoptic_{split}" / "00a.png")


def nested(root: Path) -> None:
    for split, names in {"train2017": "ab", "val2017": "c"}.items():
        files = [picture(root / "images" / split / f"{name}.JPG") for name in names]
        write(root / "annotations" / f"instances_{split}.json", cat(files))


def roboflow(root: Path) -> None:
    categories = [
        {"id": 0, "name": "pets", "supercategory": "none"},
        {"id": 1, "name": "cat", "supercategory": "pets"},
    ]
    for split, names in {"train": "ab", "valid": "c"}.items():
        files = [picture(root / split / f"{name}_jpg.rf.0123456789abcdef0123456789abcdef.jpg") for name in names]
        write(root / split / "_annotations.coco.json", cat(files, categories=categories))
    write(root / "README.roboflow.txt", "?")


def cvat(root: Path) -> None:
    for split, names in {"train": "ab", "val": "c"}.items():
        files = [picture(root / "images" / split / f"{name}.jpg") for name in names]
        content = cat(files)
        for row in content["annotations"]:
            row["attributes"] = {"occluded": False, "rotation": 0.0}
        write(root / "annotations" / f"instances_{split}.json", content)


def cvat_flat(root: Path) -> None:
    for split, names in {"train": "ab", "val": "c"}.items():
        files = [picture(root / "images" / f"{name}.jpg") for name in names]
        write(root / "annotations" / f"instances_{split}.json", cat(files))


def fiftyone(root: Path) -> None:
    for split, names in {"train": "ab", "val": "c"}.items():
        files = [picture(root / split / "data" / f"{name}.jpg") for name in names]
        content = cat(files, number=0, categories=[{"id": 0, "name": "cat", "supercategory": None}])
        for row in content["annotations"]:
            row.update(segmentation=None, iscrowd=None)
        write(root / split / "labels.json", content)


def supervisely(root: Path) -> None:
    for split, names in {"train": "ab", "val": "c"}.items():
        files = [picture(root / split / "images" / f"{name}.png") for name in names]
        write(root / split / "annotations" / "instances.json", cat(files))


def own_names(root: Path) -> None:
    for split, names in {"train": "ab", "val": "c"}.items():
        write(root / f"{split}.json", cat([f"pictures/{picture(root / 'pictures' / f'{n}.jpg')}" for n in names]))


SPLIT = (published, nested, roboflow, cvat, cvat_flat, fiftyone, supervisely, own_names)


def label_studio(root: Path) -> None:
    names = [picture(root / "images" / f"90fbb0c{i}-{name}.jpg") for i, name in enumerate("abc")]
    files = [f"images/{names[0]}", f"images\\1/{names[1]}", f"..\\..\\label-studio\\media\\upload\\4\\{names[2]}"]
    write(root / "result.json", cat(files, number=0))


def cvat_default(root: Path) -> None:
    names = [picture(root / "images" / "default" / f"{name}.jpg") for name in "abc"]
    write(root / "annotations" / "instances_default.json", cat(names))


def fiftyone_whole(root: Path) -> None:
    write(root / "labels.json", cat([picture(root / "data" / f"{name}.jpg") for name in "abc"], number=0))


def labelme2coco(root: Path) -> None:
    write(root / "annotations.json", cat([f"JPEGImages/{picture(root / 'JPEGImages' / f'{n}.jpg')}" for n in "abc"]))


def beside(root: Path) -> None:
    content = cat([picture(root / f"{name}.jpg") for name in "abc"])
    write(
        root / "labels_my-project_2024-05-01.json",
        {key: content[key] for key in ("annotations", "categories", "images")},
    )


def above(root: Path) -> None:
    cvat_default(root / "job_12")


WHOLE = (label_studio, cvat_default, fiftyone_whole, labelme2coco, beside, above)


def read(root: Path, **options) -> tuple[pipelines.Datasets, list[str]]:
    """Load a folder by its place alone, with the warnings of it."""
    options = {"image_size": SIZE, "batch_size": 1, "shuffle": False, **options}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        data = pipelines.load(str(root), **options)
    return data, [str(w.message) for w in caught if issubclass(w.category, UserWarning)]


def boxes(dataset) -> list:
    """Each picture's grey and its one box."""
    found = []
    for images, labels, _ in dataset.as_numpy_iterator():
        rows = labels["detection"]["classes"][0] != -1
        found.append((int(images[0, 0, 0, 0]), labels["detection"]["boxes"][0][rows].tolist()))
    return found


def first(data):
    """Class, box and account of the first picture's one object, and what was done to it."""
    _, labels, _ = next(iter(data.train.as_numpy_iterator()))
    row = labels["detection"]["classes"][0].tolist(), labels["detection"]["boxes"][0, 0].tolist()
    return row[0][0], row[1], dict(data.accounts[0].balance().annotations_altered)
