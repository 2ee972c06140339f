"""The real data sets, counted."""

import numpy as np
import pytest

import pipelines

pytestmark = pytest.mark.shared_data


@pytest.mark.slow
def test_camvid_has_all_its_images_and_objects(shared_data):
    data = pipelines.load("coco", (72, 96), 8, path=shared_data / "camvid")
    assert data.sizes == {"train": 367, "validation": 101}
    assert [(s.name, s.kind, len(s.classes)) for s in data.specs] == [
        ("classification", "multi_label", 4),
        ("detection", "detection", 4),
        ("segmentation", "segmentation", 11),
    ]
    counts = [(labels["detection"]["classes"].numpy() >= 0).sum() for _, labels, _ in data.validation]
    assert sum(counts) == 905
    values = set().union(*(np.unique(labels["segmentation"]) for _, labels, _ in data.validation))
    assert values == {*range(11), 255}


def test_bccd_has_all_its_cells(shared_data):
    data = pipelines.load("voc", (48, 64), 8, path=shared_data / "bccd")
    assert data.sizes == {"train": 205, "validation": 87}
    assert [(s.name, s.classes) for s in data.specs] == [
        ("classification", ("Platelets", "RBC", "WBC")),
        ("detection", ("Platelets", "RBC", "WBC")),
    ]
    classes = np.concatenate([labels["detection"]["classes"].numpy().ravel() for _, labels, _ in data.validation])
    assert [(classes == c).sum() for c in range(3)] == [
        83,
        968,
        87,
    ]  # grep -h '<name>' of val.txt's XML | sort | uniq -c


def test_coco128_gives_masks_from_its_polygons(shared_data):
    data = pipelines.load("coco", (96, 96), 8, path=shared_data / "coco128", splits=["test"], resize="letterbox")
    assert data.sizes == {"test": 128}
    assert [len(s.classes) for s in data.specs] == [80, 80, 81]
    total = sum((labels["detection"]["classes"].numpy() >= 0).sum() for _, labels, _ in data.test)
    assert total == 929
