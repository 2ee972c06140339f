"""TFDS data sets that are broken, not there, or asked for by a wrong name: one sentence, or skipped and listed."""

import numpy as np
import pytest
import tensorflow as tf
from tfds_files import CUT, pet, read, voc, writer

import pipelines


@pytest.fixture
def write(tmp_path):
    return writer(tmp_path)


@pytest.mark.parametrize(
    ("examples", "message"),
    [
        ([pet(values=(1, 2, 9))], "'segmentation_mask' has the value 9: expected one of 1, 2, 3 ('a.jpg')"),
        ([pet() | {"segmentation_mask": np.ones((20, 60, 1), np.uint8)}], "'segmentation_mask' is 60 x 20"),
        ([pet() | {"image": b"no picture"}], "cannot identify image"),
        ([pet() | {"image": CUT}], "'image' is truncated or damaged ('a.jpg')"),
    ],
)
def test_broken_examples_are_told_by_file_or_skipped_and_listed(write, examples, message):
    folder = write("oxford_iiit_pet", {"train": [*examples, pet(name="good.jpg")]})
    with pytest.raises(pipelines.DataError) as error:
        read(folder, "oxford_iiit_pet")
    assert message in str(error.value)
    assert "'oxford_iiit_pet', train: " in str(error.value)
    data, batches = read(folder, "oxford_iiit_pet", on_error="skip")
    assert (len(batches), len(data.skipped)) == (1, 1)


def test_after_a_check_of_headers_alone_an_unknown_mask_value_stops_when_it_is_met(write):
    folder = write("oxford_iiit_pet", {"train": [pet(values=(1, 2, 9))]})
    message = "Sample 0: its .+segmentation_mask.+ has a value that is no class: check: full"
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        read(folder, "oxford_iiit_pet", check="headers", cache=False)


def test_boxes_that_are_none_are_told(write):
    folder = write("voc", {"train": [voc(("dog", (0.5, 0.5, 0.5, 0.6), False), ("dog", (0, 0, 0.5, 0.5), False))]})
    with pytest.raises(pipelines.DataError, match=r"box \(30, 20, 36, 20\) has no area.*\('v.jpg'\)"):
        read(folder, "voc")
    data, ((_, labels, _),) = read(folder, "voc", on_error="skip")
    assert (labels["detection"]["classes"] >= 0).sum() == 1
    assert len(data.skipped) == 1


def test_a_truncated_file_is_told(write):
    folder = write("oxford_iiit_pet", {"train": [pet()]})
    (path,) = folder.rglob("*train.tfrecord*")
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(pipelines.DataError, match="train.tfrecord-00000' is truncated"):
        read(folder, "oxford_iiit_pet")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": "oxford_iiit_pet"}, "not prepared in '.*': .*`tfds build oxford_iiit_pet --data_dir=.*`"),
        ({"name": "cityscapes"}, "`tfds build cityscapes .*leftImg8bit_trainvaltest.zip and gtFine.*by hand"),
        ({"name": "oxford_pets"}, "Did you mean 'oxford_iiit_pet'.*option 'labels'"),
        ({}, "needs a name: caltech_birds2011"),
        ({"name": "voc", "labels": {"a": {"kind": "bokses"}}}, "kind in labels.a: 'bokses'. Did you mean 'boxes'"),
        ({"name": "voc", "labels": {"a": {"kind": "mask"}}}, "labels.a is incomplete: missing 2 required"),
        ({"name": "voc", "labels": {"a": {"kind": "mask", "featur": "x"}}}, "Did you mean 'feature'"),
        ({"name": "voc", "slices": {"trian": "train"}}, "split in slices: 'trian'. Did you mean 'train'"),
    ],
)
def test_mistakes_are_told_in_one_sentence_and_nothing_is_downloaded(tmp_path, options, message):
    with pytest.raises(pipelines.DataError, match=message):
        pipelines.load("tfds", path=tmp_path, **options)
    assert list(tmp_path.iterdir()) == []


def test_unknown_splits_and_features_are_told(write):
    folder = write("oxford_iiit_pet", {"train": [pet()]})
    with pytest.raises(pipelines.DataError, match="has no split 'trian'.*it has: train"):
        read(folder, "oxford_iiit_pet", slices={"train": "trian"})
    with pytest.raises(pipelines.DataError, match="has no feature 'lable': it has file_name, head_bbox, image, label,"):
        read(folder, "oxford_iiit_pet", labels={"species": {"kind": "category", "feature": "lable"}})
