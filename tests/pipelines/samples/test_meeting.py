"""Samples checked as they are first met: what a training on very many files sees of broken ones."""

import numpy as np
import pytest
import tensorflow as tf
import toys

import pipelines
from pipelines.samples import meeting
from visionmtl import tasks

BROKEN = "b.jpg"
DAMAGED = r"Image '.*b\.jpg' is truncated or damaged"
MOVED = {"flip": True, "scale": [0.7, 1.4], "colour": 0.2}


@pytest.fixture(autouse=True)
def much(monkeypatch):
    """Let two files be too many to be checked beforehand."""
    monkeypatch.setattr(meeting, "AT_ONCE", 0)


@pytest.fixture
def folder(coco):
    """Five images with masks, to be broken perhaps."""
    return coco({f"{name}.jpg": [(3, 2, 4 + place, 20, 15)] for place, name in enumerate("abcde")}, masks=True)


def damage(folder, name=BROKEN):
    """Cut a JPEG file short, in its pixels."""
    path = folder / "images" / name
    whole = path.read_bytes()
    path.write_bytes(whole[:-40])
    return whole


def read(folder, epochs=1, split="train", **options):
    """All batches of some epochs, as arrays, and the data sets."""
    data = pipelines.load("coco", (32, 32), 2, path=folder, splits=[split], **options)
    return [[tf.nest.map_structure(np.array, batch) for batch in data.splits[split]] for _ in range(epochs)], data


def flat(epochs):
    return [value for epoch in epochs for batch in epoch for value in tf.nest.flatten(batch)]


@pytest.mark.slow
@pytest.mark.parametrize("cache", [True, False])
@pytest.mark.parametrize("augmentation", [None, MOVED])
def test_the_batches_are_those_of_samples_checked_beforehand(folder, cache, augmentation):
    found, _ = read(folder, 3, cache=cache, augmentation=augmentation)
    expected, _ = read(folder, 3, cache=cache, augmentation=augmentation, check="full")
    for value, same in zip(flat(found), flat(expected), strict=True):
        np.testing.assert_array_equal(value, same)


def test_nothing_is_decoded_before_the_first_step(folder):
    damage(folder)
    data = pipelines.load("coco", (32, 32), 2, path=folder, splits=["train"])
    assert data.sizes == {"train": 5}
    assert data.skipped == []
    with pytest.raises(pipelines.DataError, match=DAMAGED):
        pipelines.load("coco", (32, 32), 2, path=folder, splits=["train"], check="full")


def test_few_files_are_all_checked_beforehand(folder, monkeypatch):
    monkeypatch.undo()
    damage(folder)
    with pytest.raises(pipelines.DataError, match=DAMAGED):
        pipelines.load("coco", (32, 32), 2, path=folder, splits=["train"], cache=False)


def test_a_broken_file_is_told_as_it_is_met(folder):
    damage(folder)
    data = pipelines.load("coco", (32, 32), 1, path=folder, splits=["train"], shuffle=False)
    batches = iter(data.train)
    next(batches)
    with pytest.raises(tf.errors.OpError, match=DAMAGED) as caught:
        list(batches)
    assert pipelines.errors.sentence_of(caught.value).startswith("Image '")


def test_verify_reads_what_was_not_met(folder):
    damage(folder)
    with pytest.raises(pipelines.DataError, match=f"^{DAMAGED}"):
        pipelines.load("coco", (32, 32), 2, path=folder, splits=["train"]).verify()
    data = pipelines.load("coco", (32, 32), 2, path=folder, splits=["train"], on_error="skip")
    data.verify()
    assert data.sizes == {"train": 4}
    assert len(data.skipped) == 1


def test_an_epoch_ends_where_too_few_samples_are_left(folder):
    for name in "abcde":
        damage(folder, f"{name}.jpg")
    with pytest.raises(tf.errors.OpError, match=r"Split 'train' has [01] usable images, fewer than one batch of 2"):
        read(folder, on_error="skip")


@pytest.mark.slow
@pytest.mark.parametrize("cache", [True, False])
def test_a_broken_file_that_is_skipped_is_grey_and_counts_for_no_task(folder, cache):
    options = {"cache": cache, "augmentation": {"flip": True}, "shuffle": False, "on_error": "skip"}
    whole, _ = read(folder, 2, **options)
    damage(folder)
    found, data = read(folder, 2, **options)
    for epoch, expected in zip(found, whole, strict=True):
        (first, second), (same, other) = epoch, expected
        for value, unchanged in zip(flat([[second]]), flat([[other]]), strict=True):
            np.testing.assert_array_equal(value, unchanged)
        np.testing.assert_array_equal(first[0][0], same[0][0])
        assert (first[0][1] == 114).all()
        assert all(weight.tolist() == [1.0, 0.0] for weight in first[2].values())
        assert (first[1]["segmentation"][1] == 255).all()
        assert (first[1]["detection"]["classes"][1] == -1).all()
    assert data.sizes == {"train": 4}
    assert [text for text in data.skipped if "b.jpg" in text] == data.skipped
    assert len(data.skipped) == 1
    (account,) = data.accounts
    assert list(account.balance().lost) == ["images/b.jpg", "masks/b.png"]


def test_a_mask_with_a_value_that_is_no_class_is_told_as_it_is_met(folder, picture):
    picture("masks/c.png", np.full((40, 60), 9, np.uint8))
    _, data = read(folder, cache=False, on_error="skip")
    assert len(data.skipped) == 1
    assert "c.png' has the value 9" in data.skipped[0]


def test_of_several_sources_what_an_epoch_took_leaves_out_the_broken(folder, coco):
    other = coco({f"{name}.jpg": [(3, 2, 4, 20, 15)] for name in "abc"}, at="other")
    damage(other)
    whole = {"source": "coco", "options": {"divide": False}}
    given = {"one": {**whole, "path": folder}, "two": {**whole, "path": other}}
    data = pipelines.load(given, (32, 32), 2, splits=["train"], tasks=["detection"], cache=False, on_error="skip")
    list(data.train)
    assert data.by_source == {"train": {"one": 5, "two": 2}}
    assert data.report(0)["labelled/detection"] == pytest.approx(7 / 8)


@pytest.mark.slow
def test_a_skipped_file_counts_in_no_figure_of_a_validation(folder):
    model = toys.model([tasks.Detection("detection", ["square", "bar"])])
    model.compile("sgd")

    def measured(**options):
        data = pipelines.load("coco", (32, 32), 2, path=folder, splits=["validation"], tasks=["detection"], **options)
        return model.evaluate(data.validation, verbose=0, return_dict=True)

    content = (folder / "annotations.json").read_text()
    damage(folder)
    found = measured(on_error="skip")
    (folder / "annotations.json").write_text(content.replace("b.jpg", "gone.jpg"))
    assert found == pytest.approx(measured(on_error="skip", check="full"), rel=1e-5, nan_ok=True)
    (folder / "annotations.json").write_text(content)
    with pytest.raises(pipelines.DataError, match=f"^{DAMAGED}"):
        measured()


@pytest.mark.parametrize("devices", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_fit_stops_with_the_sentence_or_goes_on_without_the_file(folder, devices, two_devices):
    place = tf.distribute.MirroredStrategy(two_devices[:devices])
    damage(folder)
    found = {"path": folder, "splits": ["train"], "tasks": ["segmentation"], "replicas": devices, "shuffle": False}
    stopping, skipping = (pipelines.load("coco", (32, 32), 2, on_error=what, **found) for what in ("stop", "skip"))
    with place.scope():
        model = toys.model([tasks.from_spec(spec) for spec in stopping.specs])
        model.compile("sgd")
    with pytest.raises(pipelines.DataError, match=f"^{DAMAGED}"):
        model.fit(stopping.train, epochs=2, verbose=0, shuffle=False)
    model.fit(skipping.train, epochs=2, verbose=0, shuffle=False)
    assert len(skipping.skipped) == 1
