"""Several sources as one: which labels each image has, under which names."""

import numpy as np
import pytest
import tensorflow as tf

import pipelines
from pipelines import DataError

SIZE = (40, 60)


@pytest.fixture
def sources(coco, tmp_path):
    """Streets with masks, and three more pictures with boxes alone of "square" (3) and "bar" (7)."""
    coco({f"s{i}.png": [(3, 5, 5, 20, 20), (7, 30, 5, 20, 20)] for i in range(4)}, at="streets/train", masks=True)
    coco({f"s{i}.png": [(3, 5, 5, 20, 20)] for i in range(2)}, at="streets/val", masks=True)
    coco({f"c{i}.png": [(7, 2, 2, 10, 10 + i)] for i in range(3)}, at="cells/train")

    def entry(name, **settings):
        return {"source": "coco", "path": tmp_path / name, **settings}

    return {"streets": entry("streets"), "cells": entry("cells", tasks=["detection"])}


def load(sources, **options):
    options = {"splits": ["train"], "augmentation": None, "epoch": 7, **options}
    return pipelines.load(sources, options.pop("image_size", SIZE), options.pop("batch_size", 1), **options)


def samples(data, split="train"):
    """The samples of a split as (image, labels, weights) of one, in NumPy."""
    for images, labels, weights in data.splits[split].unbatch().as_numpy_iterator():
        yield images, labels, {name: float(weight) for name, weight in weights.items()}


def cells_of(data):
    """The samples that have boxes alone."""
    return [one for one in samples(data) if one[2]["segmentation"] == 0]


def test_each_image_has_the_labels_of_its_source_alone(sources):
    data = load(sources)
    assert [(spec.name, spec.kind) for spec in data.specs] == [
        ("classification", "multi_label"),
        ("detection", "detection"),
        ("segmentation", "segmentation"),
    ]
    assert data.sizes == {"train": 7}
    assert data.by_source == {"train": {"streets": 4, "cells": 3}}
    weights = sorted(tuple(w.values()) for _, _, w in samples(data))
    assert weights == [(0.0, 1.0, 0.0)] * 3 + [(1.0, 1.0, 1.0)] * 4
    for _, labels, _ in cells_of(data):
        assert (labels["segmentation"] == 255).all()
        assert (labels["classification"] == -1).all()
        assert labels["detection"]["classes"][0] == 1
        assert (labels["detection"]["classes"][1:] == -1).all()


@pytest.mark.slow
@pytest.mark.parametrize("cache", [True, False])
def test_a_mixture_has_the_samples_of_its_sources_as_they_are(sources, cache):
    streets = pipelines.load("coco", SIZE, 1, path=sources["streets"]["path"], splits=["train"], shuffle=False)
    alone = {one[0].tobytes() + one[1]["segmentation"].tobytes() for one in samples(streets)}
    mixed = load(sources, cache=cache, epoch="longest")
    assert {i.tobytes() + one["segmentation"].tobytes() for i, one, w in samples(mixed) if w["segmentation"]} == alone


@pytest.mark.slow
def test_evaluation_takes_every_source_that_has_the_split_in_order(sources):
    data = load(sources, splits=["train", "validation", "test"])
    assert data.sizes == {"train": 7, "validation": 2}
    assert data.by_source["validation"] == {"streets": 2}
    alone = load(sources, splits=["validation"])
    assert len(list(samples(alone, "validation"))) == 2


def test_a_split_that_no_source_has_is_refused(sources):
    with pytest.raises(DataError, match="No source has a split 'test': streets, cells."):
        load(sources, splits=["test"])


def test_classes_are_merged_by_name_and_by_the_map(sources):
    sources["cells"]["classes"] = {"bar": "rod", "square": "square"}
    data = load(sources)
    assert data.specs[1].classes == ("square", "bar", "rod")
    assert {labels["detection"]["classes"][0] for _, labels, _ in cells_of(data)} == {2}
    sources["streets"]["classes"] = {"bar": "rod"}
    data = load(sources)
    assert data.specs[1].classes == ("square", "rod")
    assert data.specs[2].classes == ("background", "square", "rod")
    street = next(one for one in samples(data) if one[2]["segmentation"])
    assert street[1]["segmentation"][10, 40] == 2


def test_two_classes_can_become_one(sources):
    sources["streets"]["classes"] = {"bar": "thing", "square": "thing"}
    sources["cells"]["classes"] = {"bar": "thing", "square": "thing"}
    data = load(sources)
    assert [spec.classes for spec in data.specs] == [("thing",), ("thing",), ("background", "thing")]
    street = next(one for one in samples(data) if one[2]["segmentation"])
    assert street[1]["classification"].tolist() == [1.0]
    assert street[1]["detection"]["classes"][:3].tolist() == [0, 0, -1]
    assert set(np.unique(street[1]["segmentation"])) == {0, 1}


def test_a_class_mapped_to_nothing_is_ignored(sources):
    sources["streets"]["classes"] = {"square": None}
    sources["cells"]["classes"] = {"square": None}
    data = load(sources)
    street = next(one for one in samples(data) if one[2]["segmentation"])
    assert data.specs[1].classes == ("bar",)
    assert street[1]["detection"]["classes"][:3].tolist() == [0, -2, -1]  # regions to ignore come last
    assert street[1]["detection"]["boxes"][0].tolist() == [30, 5, 50, 25]
    assert street[1]["segmentation"][10, 10] == 255
    assert street[1]["segmentation"][10, 40] == 1
    assert street[1]["classification"].tolist() == [1.0]


def test_a_source_may_have_a_task_of_its_own(sources):
    sources["cells"]["tasks"] = {"detection": "cells"}
    data = load(sources)
    assert [spec.name for spec in data.specs] == ["classification", "detection", "segmentation", "cells"]
    found = {tuple(weights.values()) for _, _, weights in samples(data)}
    assert found == {(1.0, 1.0, 1.0, 0.0), (0.0, 0.0, 0.0, 1.0)}


def test_presence_follows_a_crop_in_the_source_where_it_follows(sources, coco, tmp_path):
    coco({"x.png": [(3, 0, 0, 16, 16)]}, at="corner/train")
    corner = {"source": "coco", "path": tmp_path / "corner", "tasks": {"classification": "there", "detection": "boxes"}}
    options = {"augmentation": {"flip": False, "scale": [2.0, 2.0]}, "epoch": 80, "sampling": "uniform"}
    data = load({"streets": sources["streets"], "corner": corner}, **options)
    seen = [
        (labels["there"][0], (labels["boxes"]["classes"] >= 0).any())
        for _, labels, weights in samples(data)
        if weights["boxes"]
    ]
    assert {bool(there) for there, _ in seen} == {True, False}
    assert all(bool(there) == bool(box) for there, box in seen)


def test_presence_may_be_learnt_without_the_boxes_that_it_follows(sources):
    data = load(sources, tasks=["classification"], augmentation={"scale": [2.0, 2.0]})
    assert {tuple(labels["classification"]) for _, labels, _ in samples(data)} == {(1.0, 1.0)}


def test_labels_are_those_of_a_trained_model(sources):
    specs = load(sources).specs
    wide = [pipelines.LabelSpec("detection", "detection", ("other", "bar", "square"))]
    data = load(sources, specs=wide)
    assert data.specs == tuple(wide)
    assert {one["detection"]["classes"][0] for _, one, _ in samples(data)} == {1, 2}
    assert load(sources, specs=specs).specs == specs
    with pytest.raises(DataError, match="Unknown detection class in the data 'bar'"):
        load(sources, specs=[pipelines.LabelSpec("detection", "detection", ("square",))])


def test_a_source_that_labels_no_task_asked_for_is_left_out(sources):
    data = load(sources, tasks=["segmentation"])
    assert data.sizes == {"train": 4}
    assert [spec.name for spec in data.specs] == ["segmentation"]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"tasks": {"detection": "segmentation"}}, "'segmentation' is of kind segmentation in source 'streets' and"),
        ({"classes": {"baar": "bar"}}, "Unknown class of source 'cells' 'baar'. Did you mean 'bar'"),
        ({"paths": "x"}, "Did you mean 'path'"),
        ({"source": "cocoo"}, "Did you mean 'coco'"),
        ({"options": {"dvide": True}}, "Did you mean 'divide'"),
        ({"tasks": ["depth"]}, "Task 'depth' has no labels"),
    ],
)
def test_a_mistake_is_told_with_the_name_of_the_source_or_what_was_meant(sources, change, sentence):
    with pytest.raises(DataError, match=sentence):
        load(sources | {"cells": sources["cells"] | change})


def test_alternating_weighs_one_task_a_batch(sources):
    data = load(sources, sampling="alternate", batch_size=2, epoch=6)
    turns = [[name for name, w in weights.items() if w.numpy().any()] for _, _, weights in data.train]
    assert turns == [["classification"], ["detection"], ["segmentation"]] * 2
    assert all(w.numpy().max() == 1 for _, _, weights in data.train for w in weights.values() if w.numpy().any())


def test_a_report_has_the_shares_of_sources_and_labels(sources):
    data = load(sources, sampling="uniform", epoch=8)
    expected = {"share/streets": 0.5, "share/cells": 0.5}
    expected |= {"labelled/classification": 0.5, "labelled/detection": 1.0, "labelled/segmentation": 0.5}
    assert data.report(0) == pytest.approx(expected)


def test_broken_images_are_told_or_skipped_whichever_source_they_are_of(sources, tmp_path):
    broken = tmp_path / "cells" / "train" / "images" / "c1.png"
    broken.write_bytes(broken.read_bytes()[:60])
    with pytest.raises(DataError, match="c1.png"):
        load(sources)
    data = load(sources, on_error="skip")
    assert data.by_source == {"train": {"streets": 4, "cells": 2}}
    assert len(data.skipped) == 1


def test_one_source_alone_may_alternate_too(sources):
    data = pipelines.load(
        "coco", SIZE, 2, path=sources["streets"]["path"], splits=["train"], sampling="alternate", epoch=3
    )
    turns = [[name for name, w in weights.items() if w.numpy().any()] for _, _, weights in data.train]
    assert turns == [["classification"], ["detection"], ["segmentation"]]


def test_a_folder_without_splits_is_divided_the_same_way_when_one_of_them_is_read(coco, tmp_path):
    coco({f"{i:02d}.png": [(3, 5, 5, 20, 20)] for i in range(40)}, at="flat")
    entry = {"source": "coco", "path": tmp_path / "flat"}
    sizes = load({"flat": entry}, splits=["train", "validation"]).sizes
    assert load({"flat": entry}, splits=["validation"]).sizes == {"validation": sizes["validation"]}


def test_two_replicas_share_each_batch_of_a_mixture(sources, two_devices):
    strategy = tf.distribute.MirroredStrategy(two_devices)
    data = load(sources, batch_size=2, epoch=6, sampling="uniform", augmentation={"scale": [0.8, 1.2]})
    expected = np.concatenate([images for images, _, _ in data.train])
    data.seek(0)
    shared = strategy.experimental_distribute_dataset(data.train)
    seen = [part for images, _, _ in shared for part in strategy.experimental_local_results(images)]
    np.testing.assert_array_equal(np.concatenate(seen), expected)


@pytest.mark.slow
def test_workers_share_a_mixture(sources):
    options = {"batch_size": 4, "epoch": 5, "sampling": "uniform"}
    whole = load(sources, **options)
    parts = [load(sources, worker=(number, 2), **options) for number in range(2)]
    for one, *each in zip(whole.train, *(part.train for part in parts), strict=True):
        joined = tf.nest.map_structure(lambda *x: tf.concat(x, axis=0), *each)
        tf.nest.map_structure(np.testing.assert_array_equal, one, joined)
