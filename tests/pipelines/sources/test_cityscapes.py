"""Cityscapes as it is published: label ids to training ids, instances to boxes, a test split without labels."""

import json

import numpy as np
import pytest
from PIL import Image

import pipelines
from pipelines.sources.cityscapes.instances import objects
from pipelines.sources.cityscapes.labels import IDS, TRAIN

SIZE = (40, 60)
LABELS = np.full(SIZE, 7, np.uint8)  # road
LABELS[:5], LABELS[5:15, 10:30], LABELS[20:25, :4], LABELS[30:, 50:], LABELS[39, 0] = 3, 26, 24, 29, 0
INSTANCES = LABELS.astype(np.uint16)
INSTANCES[5:15, 10:20], INSTANCES[5:15, 20:30] = 26000, 26001
INSTANCES[30:, 50:] = 29000


@pytest.fixture
def write(tmp_path):
    """A function that writes an image with its files of annotations."""

    def save(values, path):
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(values).save(path)

    def write(stem, labels=LABELS, instances=INSTANCES, truth="gtFine", kind="labelIds", at="data"):
        root = tmp_path / at
        save(np.full((*SIZE, 3), 90, np.uint8), root / "leftImg8bit" / f"{stem}_leftImg8bit.png")
        start = root / truth / f"{stem}_{truth}"
        if labels is not None:
            save(labels, start.with_name(f"{start.name}_{kind}.png"))
            save(np.zeros((*SIZE, 3), np.uint8), start.with_name(f"{start.name}_color.png"))
            start.with_name(f"{start.name}_polygons.json").write_text(json.dumps({"objects": []}))
        if instances is not None:
            save(instances, start.with_name(f"{start.name}_instanceIds.png"))
        return tmp_path / "data"

    return write


def load(folder, **options):
    options = {"splits": ["train", "validation"], "shuffle": False, **options}
    return pipelines.load(str(folder), SIZE, 1, **options)


def test_label_ids_become_training_ids_and_instances_boxes(write):
    for stem in ("train/aachen/aachen_000000_000019", "val/lindau/lindau_000000_000019"):
        folder = write(stem)
    (folder / "unknown.json").write_text("{}")
    (folder / "README").write_text("Cityscapes")
    (folder / "license.txt").write_text("terms")
    assert pipelines.recognise(folder) == "cityscapes"
    data = load(folder)
    assert data.sizes == {"train": 1, "validation": 1}
    assert {spec.name: spec.classes for spec in data.specs} == {"segmentation": TRAIN, "detection": TRAIN[11:]}
    ((_, labels, weights),) = data.train.as_numpy_iterator()
    expected = np.full(SIZE, 0)
    expected[:5], expected[5:15, 10:30], expected[20:25, :4], expected[30:, 50:], expected[39, 0] = (
        255,
        13,
        11,
        255,
        255,
    )
    np.testing.assert_array_equal(labels["segmentation"][0], expected)
    assert labels["detection"]["classes"][0, :4].tolist() == [2, 2, -2, -1]  # two cars, then a group of persons
    boxes = labels["detection"]["boxes"][0, :3].tolist()
    assert sorted(boxes[:2]) == [[10, 5, 20, 15], [20, 5, 30, 15]]
    assert boxes[2] == [0, 20, 4, 25]
    assert {task: float(weight[0]) for task, weight in weights.items()} == {"segmentation": 1, "detection": 1}
    balance = data.accounts[0].balance()
    assert [*balance.lost] == ["unknown.json"]
    assert balance.annotations == {"objects": 8}  # two cars, a group and a caravan in each
    assert balance.annotations_aside == {"of a class that is not evaluated": 2}
    assert (balance.used["image of train"], balance.used["mask of train"], balance.used["annotations"]) == (1, 1, 2)


def test_all_label_ids_are_those_of_the_table(write):
    labels = np.resize(np.arange(34, dtype=np.uint8), SIZE)
    folder = write("train/aachen/aachen_000000_000019", labels, None)
    ((_, read, _),) = load(folder, splits=["train"]).train.as_numpy_iterator()
    table = {id_: place for place, id_ in enumerate(IDS)}
    np.testing.assert_array_equal(read["segmentation"][0], np.vectorize(lambda v: table.get(v, 255))(labels))
    labels[0, 0] = 40
    folder = write("train/aachen/aachen_000000_000019", labels, None)
    with pytest.raises(pipelines.DataError, match="labelIds.png' has the value 40: expected a label id from 0 to 33"):
        load(folder, splits=["train"])


def test_training_ids_alone_are_read_as_they_are(write):
    labels = np.where(LABELS == 26, 13, 255).astype(np.uint8)
    labels[0] = 0
    folder = write("train/aachen/aachen_000000_000019", labels, None, kind="labelTrainIds")
    data = load(folder, splits=["train"])
    assert [spec.name for spec in data.specs] == ["segmentation"]
    ((_, read, _),) = data.train.as_numpy_iterator()
    np.testing.assert_array_equal(read["segmentation"][0], labels)


def test_the_test_split_is_left_out_and_refused_alone(write):
    write("train/aachen/aachen_000000_000019")
    folder = write("test/berlin/berlin_000000_000019", LABELS * 0 + 3, LABELS.astype(np.uint16) * 0 + 3)
    with pytest.warns(UserWarning, match="Split 'test' is left out: Cityscapes publishes it without labels"):
        data = load(folder, splits=["train", "test"])
    assert data.sizes == {"train": 1}
    assert not data.accounts[0].balance().lost
    with pytest.raises(pipelines.DataError, match="Split 'test' of '.*' has no labels"):
        load(folder, splits=["test"])


def test_coarse_annotations_are_read_if_asked_for_with_their_extra_images(write):
    folder = write("train/aachen/aachen_000000_000019")
    write("train/aachen/aachen_000000_000019", truth="gtCoarse")
    write("train_extra/erfurt/erfurt_000000_000000", truth="gtCoarse")
    data = load(folder, splits=["train"])
    assert data.sizes == {"train": 1}
    assert not data.accounts[0].balance().lost
    data = load(folder, splits=["train"], annotations="gtCoarse")
    assert data.sizes == {"train": 2}
    assert not data.accounts[0].balance().lost


def test_it_is_found_in_folders_of_the_archives_too(write, tmp_path):
    folder = write("train/aachen/aachen_000000_000019")
    for name, archive in (("leftImg8bit", "leftImg8bit_trainvaltest"), ("gtFine", "gtFine_trainvaltest")):
        (folder / archive).mkdir()
        (folder / name).rename(folder / archive / name)
    assert load(folder, splits=["train"]).sizes == {"train": 1}


def test_annotations_without_an_image_and_images_without_annotations_are_told(write):
    folder = write("train/aachen/aachen_000000_000019")
    write("train/aachen/aachen_000001_000019")
    (folder / "leftImg8bit/train/aachen/aachen_000001_000019_leftImg8bit.png").unlink()
    with pytest.raises(pipelines.DataError, match=r"aachen_000001_000019_gtFine_\w+.\w+' has no image of its name"):
        load(folder, splits=["train"])
    data = load(folder, splits=["train"], on_error="skip")
    assert (data.sizes, len(data.skipped)) == ({"train": 1}, 4)
    write("val/lindau/lindau_000000_000019", None, None)
    with pytest.raises(pipelines.DataError, match="Split 'validation' has no labels: '.*gtFine' has none for its 1"):
        load(folder, on_error="skip")


def test_regions_of_a_group_are_parted_by_their_sides():
    mask = np.array([[1, 1, 0, 1], [0, 1, 0, 1], [1, 0, 0, 1], [1, 1, 1, 1]])
    found, others = objects(np.where(mask == 1, 26, 0).astype(np.int32))
    assert sorted(a.box for a in found) == [(0, 0, 2, 2), (0, 0, 4, 4)]
    assert [(a.category, a.crowd) for a in found] == [("car", True)] * 2
    assert others == 0


@pytest.mark.parametrize("value", [144, 7000, 35001])
def test_a_value_of_a_mask_of_instances_that_is_no_class_stops(write, value):
    instances = INSTANCES.copy()
    instances[0, 0] = value
    folder = write("train/aachen/aachen_000000_000019", instances=instances)
    with pytest.raises(pipelines.DataError, match=f"_instanceIds.png' cannot be read: it has the value {value}"):
        load(folder, splits=["train"])
