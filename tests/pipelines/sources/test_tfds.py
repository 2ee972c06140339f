"""TFDS data sets in their real file layout, written by TFDS's writer; what must come out is written here by hand."""

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds
from tfds_files import PHOTO, BBox, kinds, pet, read, voc, writer

import pipelines


@pytest.fixture
def write(tmp_path):
    return writer(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("file_format", ["tfrecord", "array_record"])
def test_pets_have_a_breed_a_head_and_a_trimap(write, file_format):
    examples = [pet(), pet(36, (0, 0, 0, 0)), pet(0, (0.0, 0.0, 0.5, 0.25))]
    folder = write("oxford_iiit_pet", {"train": examples, "test": examples[:1]}, file_format=file_format)
    data, batches = read(folder, "oxford_iiit_pet")
    assert kinds(data) == {
        "classification": ("classification", 37),
        "detection": ("detection", 1),
        "segmentation": ("segmentation", 2),
    }
    assert data.specs[0].classes[4] == "beagle"
    assert [labels["classification"][0] for _, labels, _ in batches] == [4, 36, 0]
    # y 0.25..0.75 of 40 and x 0.5..1 of 60, in pixels as x, y, x, y; the second has no box, which is not "no head".
    np.testing.assert_allclose(batches[0][1]["detection"]["boxes"][0, 0], [30, 10, 60, 30], atol=1e-4)
    np.testing.assert_allclose(batches[2][1]["detection"]["boxes"][0, 0], [0, 0, 15, 20], atol=1e-4)
    assert batches[0][1]["detection"]["classes"].tolist() == [[0, -1, -1]]
    assert [weights["detection"][0] for _, _, weights in batches] == [1, 0, 1]
    assert all(weights["segmentation"] == 1 for _, _, weights in batches)
    mask = batches[0][1]["segmentation"][0]
    assert (mask[5, 10], mask[5, 25], mask[5, 40], mask[30, 10]) == (1, 255, 0, 0)
    assert np.abs(batches[0][0][0].astype(int) - 90).max() <= 1


@pytest.mark.slow
def test_a_split_may_be_a_part_of_one_and_test_is_its_own(write):
    pets = [pet(label, name=f"{label}.jpg") for label in range(10)]
    folder = write("oxford_iiit_pet", {"train": pets, "test": pets[5:7]})
    data = pipelines.load("tfds", (40, 60), 1, path=folder, name="oxford_iiit_pet", tasks=["classification"])
    assert data.sizes == {"train": 9, "validation": 1, "test": 2}
    assert [labels["classification"][0] for _, labels, _ in data.validation.as_numpy_iterator()] == [9]
    _, batches = read(folder, "oxford_iiit_pet", slices={"train": "train[20%:60%]"}, cache=False)
    assert [labels["classification"][0] for _, labels, _ in batches] == [2, 3, 4, 5]


def test_birds_are_cut_out_where_most_agree_and_named_by_their_text(write):
    mask = np.zeros((40, 60, 1), np.uint8)
    mask[:10], mask[10:20], mask[20:30] = 255, 153, 102
    bird = {"image": PHOTO, "image/filename": "b.jpg", "label": 16, "label_name": "cardinal", "segmentation_mask": mask}
    folder = write("caltech_birds2011", {"train": [bird | {"bbox": BBox(0.1, 0.2, 0.5, 0.6)}], "test": []})
    data, ((_, labels, _),) = read(folder, "caltech_birds2011")
    assert (data.specs[0].classes[16], data.specs[0].classes[17]) == ("cardinal", "17")
    assert labels["classification"] == [16]
    np.testing.assert_allclose(labels["detection"]["boxes"][0, 0], [12, 4, 36, 20], atol=1e-4)
    assert [labels["segmentation"][0, row, 0] for row in (5, 15, 25, 35)] == [1, 1, 0, 0]


def test_voc_has_boxes_and_presence_and_does_not_count_difficult_objects(write):
    example = voc(("dog", (0.0, 0.0, 0.5, 0.5), False), ("cat", (0.5, 0.25, 1.0, 0.5), True))
    data, ((_, labels, _), (_, empty, _)) = read(write("voc", {"train": [example, voc()]}), "voc")
    assert kinds(data) == {"classification": ("multi_label", 20), "detection": ("detection", 20)}
    names = data.specs[0].classes
    assert [names[i] for i in np.flatnonzero(labels["classification"][0])] == ["cat", "dog"]
    assert labels["detection"]["classes"].tolist() == [[names.index("dog"), -2, -1]]
    np.testing.assert_allclose(labels["detection"]["boxes"][0, :2], [[0, 0, 30, 20], [15, 20, 30, 40]], atol=1e-4)
    assert empty["detection"]["classes"].tolist() == [[-1, -1, -1]]
    assert empty["classification"].sum() == 0


def test_a_pack_of_a_data_set_has_its_jpegs_and_another_data_set_beside_it_changes_nothing(write, tmp_path_factory):
    packed, photo = tmp_path_factory.mktemp("pack"), tmp_path_factory.mktemp("photo") / "a.jpg"
    tf.io.write_file(str(photo), tf.io.encode_jpeg(PHOTO))
    dog = {**voc(("dog", (0.0, 0.0, 0.5, 0.5), False)), "image": str(photo)}
    folder = write("voc", {"train": [dog, voc()]})
    pipelines.pack("tfds", packed, folder, ["train"], name="voc", slices={"train": "train"})
    (record, _) = tf.data.TFRecordDataset(str(packed / "train-00000-of-00001.tfrecord")).as_numpy_iterator()
    assert tf.train.Example.FromString(record).features.feature["image"].bytes_list.value == [photo.read_bytes()]
    (folder / "other").mkdir()
    (folder / "other/dataset_info.json").touch()
    _, batches = read(folder, "voc")
    data = pipelines.load("packed", (40, 60), 1, path=packed, splits=["train"], shuffle=False, max_boxes=3)
    for one, other in zip(batches, data.train.as_numpy_iterator(), strict=True):
        tf.nest.map_structure(np.testing.assert_array_equal, one, other)


def coco(key, objects, **more):
    rows = [
        {"id": number, "area": 9, "bbox": BBox(*box), "label": label, "is_crowd": crowd}
        for number, label, box, crowd in objects
    ]
    return {"image": PHOTO, "image/filename": "c.jpg", "image/id": 1, key: rows, **more}


def test_coco_has_boxes_presence_and_crowds_and_no_labelled_test(write):
    names = [f"thing {i}" for i in range(80)]
    example = coco("objects", [(1, 79, (0.5, 0.5, 1, 1), False), (2, 3, (0, 0, 0.25, 0.5), True)])
    folder = write("coco/2017", {"train": [example]}, names=("objects", names))
    data, ((_, labels, _),) = read(folder, "coco/2017")
    assert data.specs[1].classes == tuple(names)
    assert labels["detection"]["classes"].tolist() == [[79, -2, -1]]
    np.testing.assert_allclose(labels["detection"]["boxes"][0, :2], [[30, 20, 60, 40], [0, 0, 30, 10]], atol=1e-4)
    assert np.flatnonzero(labels["classification"][0]).tolist() == [3, 79]
    with pytest.raises(pipelines.DataError, match="no labelled split 'test'; it has: train, validation"):
        pipelines.load("tfds", path=folder, name="coco/2017", splits=["test"])


def test_panoptic_coco_boxes_things_and_masks_stuff(write):
    names = [*(f"thing {i}" for i in range(80)), *(f"stuff {i}" for i in range(53))]
    thing, grass, sky = 5, 256 * 7 + 3, 65536 * 2 + 9  # numbers of segments, coloured red + 256 green + 65536 blue
    picture = np.zeros((40, 60, 3), np.uint8)
    picture[:10], picture[10:20], picture[20:30] = (5, 0, 0), (3, 7, 0), (9, 0, 2)
    objects = [
        (sky, 132, (0.5, 0, 0.75, 1), False),
        (thing, 2, (0, 0, 0.25, 1), False),
        (grass, 80, (0.25, 0, 0.5, 1), False),
    ]
    example = coco("panoptic_objects", objects, **{"panoptic_image": picture, "panoptic_image/filename": "c.png"})
    folder = write("coco/2017_panoptic", {"train": [example]}, names=("panoptic_objects", names))
    data, ((_, labels, _),) = read(folder, "coco/2017_panoptic")
    assert kinds(data) == {
        "classification": ("multi_label", 80),
        "detection": ("detection", 80),
        "segmentation": ("segmentation", 54),
    }
    assert data.specs[2].classes[:2] == ("things", "stuff 0")
    assert labels["detection"]["classes"].tolist() == [[2, -1, -1]]
    assert [labels["segmentation"][0, row, 30] for row in (5, 15, 25, 35)] == [0, 1, 53, 255]


def test_cityscapes_has_the_nineteen_classes_that_count(write):
    ids = np.zeros((1024, 2048, 1), np.uint8)
    ids[:256], ids[256:512], ids[512:768] = 7, 33, 24
    example = {"image_id": "bonn_0", "image_left": np.zeros((1024, 2048, 3), np.uint8), "segmentation_label": ids}
    folder = write("cityscapes", {"train": [example]})
    data, ((_, labels, _),) = read(folder, "cityscapes", size=(64, 128))
    assert len(data.specs[0].classes) == 19
    assert [labels["segmentation"][0, row, 60] for row in (8, 24, 40, 56)] == [0, 18, 11, 255]


def test_boxes_of_kitti_are_turned_the_right_way_up(write):
    about = {"truncated": 0.0, "occluded": 0, "alpha": 0.0, "dimensions": [1] * 3, "location": [1] * 3, "rotation_y": 0}
    # A car at x 6..30 and y 4..12 of the picture: TFDS counts y from below, 40 - 12 = 28 to 40 - 4 = 36.
    car = {"type": "Car", "bbox": BBox(ymin=28 / 40, xmin=6 / 60, ymax=36 / 40, xmax=30 / 60), **about}
    example = {"image": PHOTO, "image/file_name": "k.png", "objects": [car]}
    data, ((_, labels, _),) = read(write("kitti", {"train": [example]}), "kitti")
    np.testing.assert_allclose(labels["detection"]["boxes"][0, 0], [6, 4, 30, 12], atol=1e-4)
    assert labels["detection"]["classes"].tolist() == [[data.specs[1].classes.index("Car"), -1, -1]]


def face(box, invalid=False):
    about = {"blur": 0, "expression": False, "illumination": False, "occlusion": 0, "pose": False}
    return {"bbox": BBox(*box), "invalid": invalid, **about}


def test_faces_that_are_invalid_are_ignored(write):
    faces = [face((0, 0, 0.5, 0.5)), face((0.5, 0.5, 1, 1), True), face((0.5, 0.5, 0.5, 0.5), True)]
    example = {"image": PHOTO, "image/filename": "w.jpg", "faces": faces}
    data, ((_, labels, _),) = read(write("wider_face", {"train": [example]}), "wider_face")
    assert [(s.name, s.classes) for s in data.specs] == [("detection", ("face",))]
    assert labels["detection"]["classes"].tolist() == [[0, -2, -1]]


def test_nyu_depth_is_in_metres(write):
    depth = np.full((480, 640), 2.5, np.float16)
    depth[:240] = 0
    example = {"image": np.full((480, 640, 3), 7, np.uint8), "depth": depth}
    folder = write("nyu_depth_v2", {"train": [example], "validation": [example]})
    data, ((_, labels, weights),) = read(folder, "nyu_depth_v2", size=(48, 64))
    assert kinds(data) == {"depth": ("depth", 0)}
    assert (labels["depth"][0, :24] == 0).all()
    assert (labels["depth"][0, 24:] == 2.5).all()
    assert weights["depth"] == [1]


def test_what_tfds_makes_up_of_a_specification_is_read(write):
    # Of these data sets alone: elsewhere TFDS makes up masks of other sizes than their images, and boxes inside out.
    with tfds.testing.mock_data(num_examples=3, policy=tfds.testing.MockPolicy.USE_CODE):
        examples = [dict(example) for example in tfds.as_numpy(tfds.load("nyu_depth_v2", split="train"))]
    _, batches = read(write("nyu_depth_v2", {"train": examples}), "nyu_depth_v2", size=(480, 640))
    for (images, labels, _), example in zip(batches, examples, strict=True):
        np.testing.assert_array_equal(images[0], example["image"])
        np.testing.assert_array_equal(labels["depth"][0], example["depth"].astype(np.float32))


LEAF = {"species": {"kind": "category", "feature": "label"}}


def test_a_data_set_of_ones_own_is_said_in_a_few_lines(write):
    labels = LEAF | {
        "cut": {"kind": "mask", "feature": "segmentation_mask", "names": ["none", "pet", "ground", "edge"]},
        "heads": {"kind": "boxes", "box": "head_bbox", "label": "species"},
    }
    folder = write("oxford_iiit_pet", {"train": [pet(), pet(box=(0, 0, 0, 0))]})
    data, ((_, found, _), (_, _, weights)) = read(folder, "oxford_iiit_pet", labels=labels)
    assert kinds(data) == {"species": ("classification", 37), "cut": ("segmentation", 4), "heads": ("detection", 2)}
    assert [found["cut"][0, 5, x] for x in (10, 25, 40)] == [1, 3, 2]
    assert found["heads"]["classes"].tolist() == [[1, -1, -1]]
    assert weights["heads"] == [0]
