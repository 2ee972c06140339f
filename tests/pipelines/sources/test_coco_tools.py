"""COCO as the tools write it: each folder is recognised and read unaided, and all that is in it is accounted for."""

import json
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import pipelines

SIZE = (40, 60)
BOX = [10, 5, 20, 15]
CORNERS = [10.0, 5.0, 30.0, 20.0]
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


@pytest.mark.parametrize("tool", SPLIT, ids=lambda tool: tool.__name__)
def test_a_folder_with_splits_is_read_as_the_tool_wrote_it(tool, tmp_path):
    root = tmp_path / "data"
    tool(root)
    clutter(root)
    assert pipelines.recognise(root) == "coco"
    data, _ = read(root)
    assert data.sizes == {"train": 2, "validation": 1}
    assert data.specs[0].classes == ("cat",)
    assert [rows for _, rows in (*boxes(data.train), *boxes(data.validation))] == [[CORNERS]] * 3
    assert len({grey for grey, _ in (*boxes(data.train), *boxes(data.validation))}) == 3  # each its own picture
    balance = data.accounts[0].balance()
    assert balance.lost == {"notes.json": "no part of this layout"}
    assert balance.used == {"image of train": 2, "image of validation": 1, "annotations": 2}
    assert balance.annotations_used == 3


@pytest.mark.parametrize("tool", WHOLE, ids=lambda tool: tool.__name__)
def test_a_folder_without_splits_is_read_as_the_tool_wrote_it(tool, tmp_path):
    root = tmp_path / "data"
    tool(root)
    clutter(root)
    assert pipelines.recognise(root) == "coco"
    data, notes = read(root, splits=["train"])
    assert data.sizes == {"train": 3}
    assert [rows for _, rows in boxes(data.train)] == [[CORNERS]] * 3
    balance = data.accounts[0].balance()
    assert balance.lost == {"notes.json": "no part of this layout"}
    assert balance.used == {"image of train": 3, "annotations": 1}
    if tool is label_studio:
        assert any(
            "file_name of 2 images is not as the picture lies here, as 'images\\1/90fbb0c1-b.jpg'" in n for n in notes
        )
    else:
        assert not notes


def test_what_coco_publishes_beside_its_instances_is_set_aside_by_rules_that_name_it(tmp_path):
    published(tmp_path / "data")
    data, _ = read(tmp_path / "data")
    aside = data.accounts[0].balance().aside
    assert sorted(aside["keypoints or stuff of COCO, beside its instances"]) == [
        "annotations/person_keypoints_train2017.json",
        "annotations/person_keypoints_val2017.json",
        "annotations/stuff_train2017.json",
        "annotations/stuff_val2017.json",
    ]
    assert len(aside["captions, which are not read"]) == 2
    assert len(aside["panoptic segments, which are not read"]) == 2
    assert aside["images without labels, as COCO's image_info_test*.json does"] == [
        "annotations/image_info_test2017.json"
    ]
    assert aside["of 'test2017', which has no labels"] == ["test2017/00d.jpg"]


def test_the_root_of_the_categories_is_no_class_and_is_told(tmp_path):
    roboflow(tmp_path / "data")
    _, notes = read(tmp_path / "data")
    assert len(notes) == 1
    assert "category 'pets' is set aside: it is the supercategory of others, and no object is of it" in notes[0]


def test_a_split_that_is_not_asked_for_is_set_aside_with_its_pictures(tmp_path):
    roboflow(tmp_path / "data")
    balance = read(tmp_path / "data", splits=["train"])[0].accounts[0].balance()
    assert len(balance.aside["of split validation, not asked for"]) == 2
    assert not balance.lost


def test_two_files_for_one_split_stop_with_both_names_and_an_option_chooses(tmp_path):
    root = tmp_path / "data"
    nested(root)
    write(root / "annotations" / "instances_train2014.json", cat(["a.JPG"]))
    expected = (
        r"several files of labels for split 'train': annotations/instances_train2014.json, annotations/inst.*2017"
    )
    with pytest.raises(pipelines.DataError, match=expected):
        read(root)
    data, _ = read(root, annotations={"train": "annotations/instances_train2014.json"})
    assert data.sizes == {"train": 1}
    aside = data.accounts[0].balance().aside
    assert len(aside["not among the annotations that are asked for"]) == 2
    with pytest.raises(
        pipelines.DataError, match=r"Option annotations: .*instances_tran2014.json' does not exist. Did"
    ):
        read(root, annotations="annotations/instances_tran2014.json")


def test_a_file_for_training_alone_is_enough(tmp_path):
    root = tmp_path / "data"
    write(root / "train.json", cat([picture(root / "images" / "a.jpg")]))
    assert read(root)[0].sizes == {"train": 1}


def test_labels_of_other_pictures_stop_with_one_sentence(tmp_path):
    root = tmp_path / "data"
    picture(root / "images" / "c.jpg")
    write(root / "annotations.json", cat(["a.jpg", "b.jpg"]))
    with pytest.raises(pipelines.DataError, match=r"none of its 2 pictures is in '.*', as 'a.jpg': put them there"):
        pipelines.load(str(root), batch_size=1, splits=["train"], on_error="skip")


def test_a_picture_of_two_splits_and_one_that_nobody_lists_are_told(tmp_path):
    root = tmp_path / "data"
    cvat_flat(root)
    picture(root / "images" / "stray.jpg")
    write(root / "annotations" / "instances_val.json", cat(["a.jpg", "c.jpg"]))
    data, notes = read(root)
    assert any("1 image is in several splits, as '" in note for note in notes)
    reason = "a picture that no annotations list"
    assert data.accounts[0].balance().lost == {"images/stray.jpg": reason}


def test_what_holds_no_labels_is_said(tmp_path):
    root = tmp_path / "data"
    content = cat([picture(root / "images" / "a.jpg")])
    detections = [{"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "score": 0.5}]
    without = {key: content[key] for key in ("images", "categories")}
    for name, inside, said in (
        ("annotations.json", without, "'annotations.json' holds images without labels, as COCO's image_info"),
        ("annotations.json", detections, "'annotations.json' holds what a model found"),
        ("annotations/captions_train2017.json", {**content, "annotations": [{"caption": "?"}]}, "holds captions"),
        ("annotations/panoptic_train.json", {**content, "annotations": [{"segments_info": []}]}, "holds panoptic seg"),
    ):
        write(root / name, inside)
        with pytest.raises(pipelines.DataError, match=said):
            pipelines.load("coco", path=root)
        (root / name).unlink()


def test_a_json_alone_is_told_to_name_its_folder(tmp_path):
    beside(tmp_path / "data")
    with pytest.raises(
        pipelines.DataError, match=r"is a file: name its folder, and data.options.annotations=labels_my"
    ):
        read(tmp_path / "data" / "labels_my-project_2024-05-01.json")
