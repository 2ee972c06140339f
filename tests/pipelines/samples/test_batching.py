"""Order, epochs, seeds, memory and devices."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from cases import few

import pipelines
from pipelines import loading

AUGMENT = {"flip": True, "scale": [0.7, 1.5], "colour": 0.2}


@pytest.fixture
def folder(coco, tmp_path):
    """Ten training and five validation images, each with a square at a place of its own, and masks."""
    for split, count in (("train", 10), ("val", 5)):
        coco({f"{i}.png": [(3, 3 * i, 2 * i, 10, 10 + i)] for i in range(count)}, at=f"data/{split}", masks=True)
    return tmp_path / "data"


def load(folder, **options):
    return pipelines.load("coco", **{"image_size": (32, 48), "batch_size": 4, "path": folder, **options})


def epoch(dataset):
    """All batches of one pass, flattened and joined."""
    batches = [[np.asarray(x) for x in tf.nest.flatten(batch)] for batch in dataset]
    return [np.concatenate(parts) for parts in zip(*batches, strict=True)]


def same(first, second):
    return all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


@pytest.mark.slow
def test_training_batches_are_whole_and_the_last_evaluation_batch_is_not(folder):
    data = load(folder)
    assert [len(images) for images, _, _ in data.train] == [4, 4]
    assert [len(images) for images, _, _ in data.validation] == [4, 1]
    assert (data.train.cardinality(), data.validation.cardinality()) == (2, 2)
    assert data.sizes == {"train": 10, "validation": 5}
    assert (data.train.element_spec[0].shape, data.validation.element_spec[0].shape[1:]) == (
        (4, 32, 48, 3),
        (32, 48, 3),
    )


@pytest.mark.slow
def test_the_same_seed_gives_the_same_epochs_and_each_epoch_differs(folder):
    first, again, other = (load(folder, augmentation=AUGMENT, seed=seed) for seed in (1, 1, 2))
    epochs = [epoch(first.train) for _ in range(2)]
    assert not same(*epochs)
    assert same(epochs[0], epoch(again.train))
    assert same(epochs[1], epoch(again.train))
    assert not same(epochs[0], epoch(other.train))


@pytest.mark.slow
def test_a_resumed_training_can_seek_its_epoch(folder):
    data, resumed = load(folder, augmentation=AUGMENT), load(folder, augmentation=AUGMENT)
    third = [epoch(data.train) for _ in range(3)][2]
    resumed.seek(2)
    assert same(third, epoch(resumed.train))


@pytest.mark.slow
def test_without_shuffling_the_order_is_that_of_the_file_and_evaluation_always_has_it(folder):
    data = load(folder, shuffle=False, batch_size=5)
    left = [box[0, 0] for _, labels, _ in data.train for box in labels["detection"]["boxes"].numpy()]
    assert left == sorted(left)
    assert same(epoch(data.validation), epoch(data.validation))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("augmentation", "resize"),
    few(
        [(None, "stretch"), ({"flip": True, "colour": 0.2}, "letterbox"), (AUGMENT, "stretch"), (AUGMENT, "letterbox")],
        keep=[(AUGMENT, "letterbox")],
    ),
)
def test_batches_are_the_same_from_memory_and_from_files(folder, augmentation, resize):
    kept, read = (load(folder, augmentation=augmentation, resize=resize, cache=c) for c in (True, False))
    for _ in range(2):
        assert same(epoch(kept.train), epoch(read.train))
    assert same(epoch(kept.validation), epoch(read.validation))


@pytest.mark.slow
def test_what_does_not_fit_in_memory_is_read_from_files(folder, monkeypatch):
    monkeypatch.setattr(loading, "MEMORY", 10 * 32 * 48 * 6)  # enough for the training split, not for both
    data, usual = load(folder), load(folder, cache=False)
    for path in (folder / "train" / "images").iterdir():
        path.unlink()
    assert len(epoch(data.train)[0]) == 8
    assert same(epoch(data.validation), epoch(usual.validation))


@pytest.mark.slow
@pytest.mark.parametrize("augmentation", [None, AUGMENT])
def test_later_epochs_open_no_file(folder, augmentation):
    data = load(folder, augmentation=augmentation)
    for path in folder.glob("*/*/*.png"):
        path.unlink()
    assert len(epoch(data.train)[0]) == 8
    assert len(epoch(data.validation)[0]) == 5


@pytest.mark.slow
def test_two_replicas_see_each_image_once(folder, two_devices):
    strategy = tf.distribute.MirroredStrategy(two_devices)
    data = load(folder, augmentation=AUGMENT)
    expected = epoch(data.train)[0]
    data.seek(0)
    shared = strategy.experimental_distribute_dataset(data.train)
    seen = [part for images, _, _ in shared for part in strategy.experimental_local_results(images)]
    assert [len(part) for part in seen] == [2] * 4
    np.testing.assert_array_equal(np.concatenate(seen), expected)


@pytest.mark.slow
@pytest.mark.parametrize("cache", few([True, False], keep=[True]))
def test_workers_read_their_parts_of_the_batches_of_one(folder, cache):
    options = {"augmentation": AUGMENT, "cache": cache}
    whole = load(folder, **options)
    parts = [load(folder, worker=(number, 2), **options) for number in range(2)]
    for _ in range(2):
        for one, *each in zip(whole.train, *(part.train for part in parts), strict=True):
            joined = tf.nest.map_structure(lambda *x: tf.concat(x, axis=0), *each)
            tf.nest.map_structure(np.testing.assert_array_equal, one, joined)


@pytest.mark.slow
def test_a_last_batch_is_filled_up_for_all_workers_with_samples_that_weigh_nothing(folder):
    whole = epoch(load(folder).validation)[0]
    parts = [list(load(folder, worker=(number, 2)).validation) for number in range(2)]
    assert [[len(images) for images, _, _ in part] for part in parts] == [[2, 2], [2, 2]]
    images, weights = [], []
    for batches in zip(*parts, strict=True):
        for picture, _, weight in batches:
            images.append(picture)
            assert all(np.array_equal(one, weight["detection"]) for one in weight.values())
            weights.append(weight["detection"])
    seen = np.concatenate(images)[np.concatenate(weights) > 0]
    np.testing.assert_array_equal(seen, whole)


@pytest.mark.parametrize(
    ("worker", "sentence"), [((2, 2), "expected .number, how many."), ((0, 3), "a multiple of the 3")]
)
def test_a_part_that_cannot_be_is_refused(folder, worker, sentence):
    with pytest.raises(pipelines.DataError, match=sentence):
        load(folder, worker=worker)


@pytest.mark.slow
@pytest.mark.parametrize("replicas", few([1, 2], keep=[1]))
def test_keras_fits_a_model_on_it(folder, two_devices, replicas):
    strategy = tf.distribute.MirroredStrategy(two_devices[:replicas])
    data = load(folder, augmentation=AUGMENT, tasks=["classification"])

    def plain(images, labels, weights):
        return tf.cast(images, tf.float32), labels["classification"], weights["classification"]

    with strategy.scope():
        model = keras.Sequential([keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2)])
        model.compile(loss="mse")
    history = model.fit(
        data.train.map(plain), validation_data=data.validation.map(plain), epochs=2, verbose=0, shuffle=False
    )
    assert np.isfinite(history.history["val_loss"]).all()
