"""Data kept in files: packed the first time, read from there until it changes."""

import numpy as np
import pytest
import tensorflow as tf

import pipelines
from pipelines import caching
from pipelines.packs import catalogue
from pipelines.samples import preparing


@pytest.fixture
def data(coco, tmp_path):
    """A COCO folder of six training and three validation images with masks, and what loads it."""
    for split, count in (("train", 6), ("val", 3)):
        coco({f"{i}.png": [(3, 3 * i, 2 * i, 10, 10 + i)] for i in range(count)}, at=f"data/{split}", masks=True)

    def load(cache=tmp_path / "cache", **options):
        return pipelines.load("coco", (32, 48), 2, path=tmp_path / "data", cache=cache, **options)

    return load


def all_of(dataset):
    return [np.asarray(x) for batch in dataset for x in tf.nest.flatten(batch)]


def packings(monkeypatch):
    """A list that grows by each source that is packed."""
    made, usual = [], caching.pack
    monkeypatch.setattr(caching, "pack", lambda *args, **options: (made.append(args[0]), usual(*args, **options))[1])
    return made


@pytest.mark.slow
def test_batches_from_the_cache_are_those_of_the_source_and_it_is_packed_once(data, tmp_path, monkeypatch):
    made = packings(monkeypatch)
    options = {"augmentation": {"flip": True, "scale": [0.7, 1.5]}}
    expected = [all_of(data(True, **options).splits[split]) for split in ("train", "validation")]
    for _ in range(2):
        found = data(**options)
        for split, arrays in zip(("train", "validation"), expected, strict=True):
            for one, other in zip(all_of(found.splits[split]), arrays, strict=True):
                np.testing.assert_array_equal(one, other)
    assert made == ["coco"]
    data(splits=["train", "test"])
    data(splits=["validation"])
    assert made == ["coco"]
    data(tasks=["detection"])
    assert made == ["coco", "coco"]
    assert len(list((tmp_path / "cache").iterdir())) == 2


@pytest.mark.slow
def test_a_changed_source_and_a_damaged_cache_are_packed_again(data, coco, tmp_path, monkeypatch):
    made = packings(monkeypatch)
    before = data().sizes["train"]
    content = tmp_path / "data" / "train" / "annotations.json"
    text = content.read_text()
    (tmp_path / "data" / "train" / "images" / "extra.png").write_bytes(b"not in the index")
    data()
    content.write_text(text.replace('"bbox": [0, 0, 10, 10]', '"bbox": [0, 0, 20, 10]'))
    boxes = [labels["detection"]["boxes"].numpy()[:, 0] for _, labels, _ in data(shuffle=False).train]
    assert np.concatenate(boxes)[0].tolist() == pytest.approx([0, 0, 20 * 48 / 60, 8])
    assert len(made) == 3
    (shard,) = (tmp_path / "cache").glob("*/train-*.tfrecord")
    shard.write_bytes(shard.read_bytes()[:-9])
    assert data().sizes["train"] == before
    assert len(made) == 4
    for lost in ("pack.json", "index.npz"):
        (file,) = (tmp_path / "cache").glob(f"*/{lost}")
        file.unlink()
        assert data().sizes["train"] == before
    assert len(made) == 6


@pytest.mark.slow
def test_nothing_is_kept_in_memory_beside(data, monkeypatch):
    monkeypatch.setattr(preparing, "Memory", None)
    assert len(all_of(data().train)) > 0


@pytest.mark.slow
def test_several_sources_are_kept_each_for_itself(data, tmp_path, monkeypatch):
    made = packings(monkeypatch)
    entry = {"source": "coco", "path": tmp_path / "data"}
    sources = {"all": entry, "boxes": entry | {"tasks": ["detection"]}, "drawn": {"source": "garments"}}
    sources["drawn"] |= {"options": {"train": 4}, "tasks": {"classification": "scene"}}
    for _ in range(2):
        found = pipelines.load(sources, (32, 48), 2, splits=["train"], cache=str(tmp_path / "cache"))
    assert found.sizes == {"train": 16}
    assert made == []  # one split alone is read from its files
    for _ in range(2):
        found = pipelines.load(sources, (32, 48), 2, splits=["train", "validation"], cache=str(tmp_path / "cache"))
    assert found.by_source["train"] == {"all": 6, "boxes": 6, "drawn": 4}
    assert made == ["coco", "coco"]


def test_a_cache_and_fast_decoding_exclude_each_other(data):
    with pytest.raises(pipelines.DataError, match="choose one of them"):
        data(fast_decode=True)


def test_broken_data_is_not_cached_half(data, tmp_path):
    with pytest.raises(pipelines.DataError, match="keeps sound data only"):
        data(on_error="skip")
    broken = tmp_path / "data" / "train" / "images" / "1.png"
    whole = broken.read_bytes()
    broken.write_bytes(whole[:60])
    with pytest.raises(pipelines.DataError, match="1.png"):
        data()
    broken.write_bytes(whole)
    assert data().sizes["train"] == 6


@pytest.mark.slow
def test_a_source_that_changes_while_it_is_packed_is_packed_anew(data, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(catalogue, "write", stop)
        with pytest.raises(KeyboardInterrupt):
            data()
    assert list((tmp_path / "cache").glob("*/journal.jsonl"))
    (tmp_path / "data" / "train" / "images" / "extra.png").write_bytes(b"not in the index")
    assert data().sizes["train"] == 6


def stop(*args):
    raise KeyboardInterrupt
