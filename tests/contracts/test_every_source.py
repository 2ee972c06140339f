"""What every source gives: splits, labels of the kinds that it names, weights, and batches that a model learns from."""

import folders
import numpy as np
import pytest
import tensorflow as tf

import pipelines
from pipelines import kinds, sources

SIZE, ROWS = (32, 48), 4


@pytest.fixture(scope="module", params=folders.WRITERS)
def written(request, tmp_path_factory):
    """A source's name, where its tiny data set lies, and the options to read it by."""
    path, options = folders.WRITERS[request.param](tmp_path_factory.mktemp(request.param) / "data")
    return request.param, path, options


@pytest.fixture(scope="module")
def loaded(written):
    """The batches of a source, of two images, with its specs."""
    return load(written)


def load(written, **more):
    name, path, options = written
    more = {"splits": ["train", "validation"], "shuffle": False, **options, **more}
    return pipelines.load(name, SIZE, 2, path=path, max_boxes=ROWS, **more)


def test_there_is_a_tiny_data_set_of_every_source():
    assert {*folders.WRITERS} == {*sources.names()}


@pytest.mark.slow
def test_its_data_is_recognised_and_read_by_its_place_alone(written):
    name, path, options = written
    if not sources.SOURCES[name].layouts:
        return
    assert pipelines.recognise(path) == name
    assert load((str(path), None, options)).sizes == load(written).sizes


@pytest.mark.slow
def test_every_file_and_every_object_is_accounted_for(written):
    name, path, options = written
    accounts = pipelines.survey(name, path, splits=["train", "validation"], **options).source.accounts
    for account in accounts:
        balance = account.balance()
        assert balance.files == sum(1 for file in path.rglob("*") if file.is_file())
        assert not balance.lost
        assert balance.sentence is None
    assert accounts or name in ("garments", "packed", "tfds")  # what these read is no work of the user's hands


def test_splits_have_the_samples_that_were_written(loaded):
    assert loaded.sizes == {"train": 3, "validation": 2}
    assert not loaded.skipped
    assert loaded.train.cardinality() == 1  # a batch of training is whole
    assert [len(images) for images, _, _ in loaded.validation] == [2]


def test_a_batch_is_that_of_the_contract(loaded):
    for images, labels, weights in (*loaded.train, *loaded.validation):
        assert images.shape == (2, *SIZE, 3)
        assert images.dtype == tf.uint8
        assert labels.keys() == weights.keys() == {spec.name for spec in loaded.specs}
        for spec in loaded.specs:
            kind = kinds.of(spec)
            none = kind.finish(tf.nest.map_structure(lambda x: x[None], kind.unlabelled(tf.constant(SIZE), ROWS)), None)
            form = tf.nest.map_structure(lambda x: (x.dtype, tuple(x.shape[1:])), none)
            assert tf.nest.map_structure(lambda x: (x.dtype, tuple(x.shape[1:])), labels[spec.name]) == form
            assert weights[spec.name].dtype == tf.float32
            assert weights[spec.name].shape == (2,)
            assert set(weights[spec.name].numpy()) <= {0.0, 1.0}


def test_the_samples_of_a_training_batch_are_named(loaded):
    names = loaded.names(0, 0)
    assert len(set(names)) == 2
    assert loaded.names(0, 1) == loaded.names(1, 1)  # the rest, which makes no whole batch
    if loaded.accounts:
        assert not any(name.startswith("sample ") for name in names), names


def test_every_task_has_a_label_somewhere(loaded):
    labelled = {spec.name: 0.0 for spec in loaded.specs}
    for _, _, weights in (*loaded.train, *loaded.validation):
        for task, weight in weights.items():
            labelled[task] += weight.numpy().sum()
    assert all(labelled.values()), labelled


@pytest.mark.slow
def test_read_again_it_is_the_same(written, loaded):
    first, second = (
        [np.asarray(x) for batch in data.validation for x in tf.nest.flatten(batch)] for data in (loaded, load(written))
    )
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.slow
def test_a_pass_begins_where_it_is_told(written):
    name, path, options = written
    whole, sought = (
        pipelines.load(name, SIZE, 1, path=path, max_boxes=ROWS, splits=["train"], **options) for _ in range(2)
    )
    expected = list(whole.train)
    sought.seek(0, 1)
    for batch, other in zip(sought.train.take(len(expected) - 1), expected[1:], strict=True):
        tf.nest.map_structure(np.testing.assert_array_equal, batch, other)


def test_one_task_alone_is_read_and_one_that_is_not_there_is_told(written, loaded):
    task = loaded.specs[-1].name
    (images, labels, _), *_ = load(written, tasks=[task]).validation
    assert labels.keys() == {task}
    assert images.shape == (2, *SIZE, 3)
    with pytest.raises(pipelines.DataError, match="Task 'moods' has no labels"):
        load(written, tasks=["moods"])
