"""A pass that begins in the middle of an epoch gives, bit for bit, what a whole one gives from there on."""

import numpy as np
import pytest
import tensorflow as tf
from cases import few

import pipelines
from pipelines.epochs.rules import METHODS
from pipelines.samples import meeting

AUGMENT = {"flip": True, "scale": [0.7, 1.5], "rotate": 5, "colour": 0.2}
SEVERAL = {"sampling": "uniform", "epoch": 5}


@pytest.fixture
def folder(coco, tmp_path):
    """Eleven images, each with a square at a place of its own, and masks."""
    coco({f"{i}.png": [(3, 3 * i, 2 * i, 10, 10 + i)] for i in range(11)}, at="data/train", masks=True)
    return tmp_path / "data"


def batches(dataset, count):
    """Some batches of a pass, each as one list of arrays."""
    return [[np.asarray(x) for x in tf.nest.flatten(batch)] for batch in dataset.take(count)]


def check(load):
    """Compare a data set that seeks steps of an epoch with one that read the epochs whole, of five batches each."""
    whole, sought = load(), load()
    batches(whole.train, 5)
    expected, following = batches(whole.train, 5), batches(whole.train, 1)
    for step in (0, 3):
        sought.seek(1, step)
        assert same(batches(sought.train, 5 - step), expected[step:])
    assert same(batches(sought.train, 1), following)  # the epoch after it is whole again


def same(found, expected):
    assert len(found) == len(expected)
    return all(
        np.array_equal(a, b)
        for one, other in zip(found, expected, strict=True)
        for a, b in zip(one, other, strict=True)
    )


def loader(folder, **options):
    given = {"image_size": (32, 48), "batch_size": 2, "augmentation": AUGMENT, "splits": ["train"], **options}
    return lambda: pipelines.load("coco", path=folder, **given)


OPTIONS = {
    "whole": {},
    "files": {"cache": False},
    "placed": {"augmentation": None},
    "in_turn": {"shuffle": False},
    "worker": {"worker": (1, 2)},
    "alternate": {"sampling": "alternate"},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", few(OPTIONS, keep=["worker"]))
def test_one_source_is_sought_at_a_step(folder, name):
    check(loader(folder, **OPTIONS[name]))


@pytest.mark.slow
def test_a_pack_is_sought_at_a_step(folder, tmp_path):
    pipelines.pack("coco", tmp_path / "pack", path=folder)
    check(lambda: pipelines.load("packed", (32, 48), 2, path=tmp_path / "pack", augmentation=AUGMENT))


@pytest.mark.slow
@pytest.mark.parametrize("cache", [True, False])
def test_samples_that_are_checked_as_they_are_met_are_sought_at_a_step(folder, cache, monkeypatch):
    monkeypatch.setattr(meeting, "AT_ONCE", 0)
    check(loader(folder, cache=cache))


@pytest.mark.slow
@pytest.mark.parametrize("method", few(METHODS, keep=["curriculum"]))
def test_several_sources_are_sought_at_a_step(folder, coco, tmp_path, method):
    coco({f"{i}.png": [(3, 2 * i, 2, 8, 8)] for i in range(3)}, at="few/train", masks=True)
    sources = {
        "many": {"source": "coco", "path": folder},
        "few": {"source": "coco", "path": tmp_path / "few", "tasks": ["detection"]},
    }
    given = SEVERAL | {"sampling": {"method": method, "epochs": 2}, "augmentation": AUGMENT, "splits": ["train"]}

    def load():
        data = pipelines.load(sources, (32, 48), 2, **given)
        data.observe(0, {"detection": 1.0})
        return data

    check(load)


@pytest.mark.slow
def test_joined_sources_are_sought_at_a_step(folder, coco, tmp_path):
    coco({f"{i}.png": [(3, 2 * i, 2, 8, 8)] for i in range(11)}, at="other/train")
    sources = {
        "masks": {"source": "coco", "path": folder, "tasks": ["segmentation"]},
        "boxes": {"source": "coco", "path": tmp_path / "other", "tasks": ["detection"]},
    }
    given = {"augmentation": AUGMENT, "splits": ["train"], "joined": True}
    check(lambda: pipelines.load(sources, (32, 48), 2, **given))


@pytest.mark.slow
def test_two_replicas_are_sought_at_a_step(folder, two_devices):
    strategy = tf.distribute.MirroredStrategy(two_devices)
    load = loader(folder, replicas=2)
    expected = batches(load().train, 5)[3]
    data = load()
    data.seek(0, 3)
    iterator = iter(strategy.experimental_distribute_dataset(data.train))
    shared = [strategy.experimental_local_results(x) for x in tf.nest.flatten(next(iterator))]
    for parts, value in zip(shared, expected, strict=True):
        np.testing.assert_array_equal(np.concatenate(parts), value)


def test_what_is_behind_is_not_read(folder):
    data = loader(folder, cache=False, shuffle=False)()
    for number in (0, 1, 10):  # in the order of their names
        (folder / "train" / "images" / f"{number}.png").unlink()
    data.seek(0, 2)
    assert len(batches(data.train, 3)) == 3
