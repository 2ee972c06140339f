"""COCO as the tools write it: each folder is recognised and read unaided, and all that is in it is accounted for."""

from pathlib import Path

import pytest
from coco_files import CORNERS, SPLIT, WHOLE, boxes, clutter, label_studio, published, read, roboflow

import pipelines


def told(tool, root: Path, sizes: dict[str, int], **options) -> list[str]:
    """Read what a tool writes among clutter, see that all of it is right and accounted for, and return the warnings."""
    tool(root)
    clutter(root)
    assert pipelines.recognise(root) == "coco"
    data, notes = read(root, **options)
    assert data.sizes == sizes
    assert data.specs[0].classes == ("cat",)
    pictures = [found for split in sizes for found in boxes(getattr(data, split))]
    assert [rows for _, rows in pictures] == [[CORNERS]] * 3
    assert len({grey for grey, _ in pictures}) == 3  # each its own picture
    balance = data.accounts[0].balance()
    assert balance.lost == {"notes.json": "no part of this layout"}
    images = {f"image of {split}": count for split, count in sizes.items()}
    assert balance.used == {**images, "annotations": len(sizes)}
    assert balance.annotations_used == 3
    return notes


@pytest.mark.parametrize("tool", SPLIT, ids=lambda tool: tool.__name__)
def test_a_folder_with_splits_is_read_as_the_tool_wrote_it(tool, tmp_path):
    told(tool, tmp_path / "data", {"train": 2, "validation": 1})


@pytest.mark.parametrize("tool", WHOLE, ids=lambda tool: tool.__name__)
def test_a_folder_without_splits_is_read_as_the_tool_wrote_it(tool, tmp_path):
    notes = told(tool, tmp_path / "data", {"train": 3}, splits=["train"])
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
