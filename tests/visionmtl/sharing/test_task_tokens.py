"""Task tokens: what they leave as it is, what they read, and that they do not mind the image's size."""

import keras
import numpy as np
import pytest

from visionmtl import sharing
from visionmtl.errors import UsageError
from visionmtl.sharing.base.running_mean import RunningMean
from visionmtl.sharing.task_tokens import waves

TASKS = ("scene", "ground", "objects")
SMALL = {"dim": 8, "attention_heads": 2, "tokens": 16}


def mixed(scheme, side, tasks=TASKS):
    """A scheme's mix alone, on two levels: what it has learnt, and a model from maps to `{task: {level: map}}`."""
    keras.utils.set_random_seed(0)
    maps = {level: keras.Input((size, size, 4), name=level) for level, size in (("P2", side), ("P3", side // 2))}
    made = scheme.mix(dict.fromkeys(tasks, maps), dict.fromkeys(tasks))
    model = keras.Model(maps, made.by_task)
    return lambda: made.learnt(model), model


def shaken(side=8):
    """The same with random weights: at the start every token does nothing."""
    (learnt, model), random = mixed(sharing.get("task_tokens", **SMALL), side), np.random.default_rng(1)
    for variable in model.trainable_variables:
        variable.assign(variable + random.normal(size=variable.shape) * 0.3)
    return learnt, model


def random_maps(side=8):
    random = np.random.default_rng(0)
    return {
        level: random.normal(size=(2, size, size, 4)).astype("float32")
        for level, size in (("P2", side), ("P3", side // 2))
    }


def test_maps_pass_as_they_are_at_the_start():
    maps = random_maps()
    _, model = mixed(sharing.get("task_tokens", **SMALL), 8)
    for found in model(maps, training=True).values():
        for level, x in found.items():
            np.testing.assert_array_equal(x, maps[level])


def test_a_task_reads_the_other_tasks():
    _, model = shaken()
    maps = random_maps()
    before = model(maps)["scene"]
    model.get_layer("task_tokens_embedding_objects").embedding.assign_add(np.linspace(-1, 1, 8))
    for level, x in model(maps)["scene"].items():
        assert np.abs(x - before[level]).max() > 1e-3


def test_a_task_reads_the_whole_picture_and_where_things_are_in_it():
    _, model = shaken()
    maps = random_maps()
    elsewhere = {level: x.copy() for level, x in maps.items()}
    elsewhere["P2"][:, 7, 7] += 3
    before, after = (model(one)["scene"]["P2"].numpy()[:, 0, 0] for one in (maps, elsewhere))
    assert np.abs(before - after).max() > 1e-3
    flipped = {level: x[:, ::-1, ::-1] for level, x in maps.items()}
    assert np.abs(model(flipped)["scene"]["P2"][:, ::-1, ::-1] - model(maps)["scene"]["P2"]).max() > 1e-3


@pytest.mark.slow
def test_the_same_weights_do_the_same_to_an_image_of_twice_the_size():
    _, small = shaken()
    (_, large), maps = mixed(sharing.get("task_tokens", **SMALL), 16), random_maps()
    large.set_weights(small.get_weights())
    enlarged = {level: x.repeat(2, axis=1).repeat(2, axis=2) for level, x in maps.items()}
    for task, found in small(maps).items():
        for level, x in found.items():
            expected = x.numpy().repeat(2, axis=1).repeat(2, axis=2)
            np.testing.assert_allclose(large(enlarged)[task][level], expected, atol=1e-5)


def test_a_position_is_relative_to_the_image():
    for sides, place in (((1, 1), (0, 0)), ((9, 3), (4, 1)), ((15, 5), (7, 2))):
        np.testing.assert_allclose(waves(*sides)[place], waves(3, 3)[1, 1], atol=1e-4)
    every = np.reshape(waves(16, 16), (256, -1))
    apart = np.linalg.norm(every[:, None] - every[None], axis=-1)
    assert apart[~np.eye(256, dtype=bool)].min() > 0.5


@pytest.mark.parametrize(("height", "width", "cells"), [(4, 4, 16), (5, 3, 15), (9, 12, 12), (40, 30, 12)])
def test_the_grid_has_as_many_cells_as_allowed_at_most(height, width, cells):
    maps = {level: keras.Input((height * n, width * n, 4)) for level, n in (("P3", 4), ("P4", 2), ("P5", 1))}
    assert sharing.get("task_tokens", **SMALL)._seen(maps).shape == (None, cells, 8)


def test_the_attention_between_tasks_is_kept():
    learnt, model = shaken()
    model(random_maps(), training=True)
    matrices = learnt()
    assert list(matrices) == [f"attention of tasks to each other, block {number}" for number in (1, 2)]
    block = model.get_layer("task_tokens_block_1")
    tokens = np.concatenate([model.get_layer(f"task_tokens_embedding_{task}").embedding[None] for task in TASKS])
    asking = block.normalisations[0](tokens[None])
    _, expected = block.to_tokens(asking, asking, return_attention_scores=True)
    matrix = matrices["attention of tasks to each other, block 1"]
    assert matrix.rows == matrix.columns == list(TASKS)
    np.testing.assert_allclose(matrix.values, 0.97 / 3 + 0.03 * np.mean(expected, axis=(0, 1)), atol=1e-6)
    assert np.ptp(matrix.values) > 1e-3
    np.testing.assert_allclose(matrix.values.sum(axis=1), 1, atol=1e-5)


def test_a_running_mean_starts_even_and_follows_what_training_shows():
    layer = RunningMean(axes=2, momentum=0.9)
    shares = np.random.default_rng(0).dirichlet(np.ones(3), (2, 5, 4)).astype("float32")
    np.testing.assert_array_equal(layer(shares), shares)
    np.testing.assert_allclose(layer.mean, np.full((4, 3), 1 / 3), atol=1e-6)
    layer(shares, training=True)
    np.testing.assert_allclose(layer.mean, 0.9 / 3 + 0.1 * shares.mean(axis=(0, 1)), atol=1e-6)
    again = RunningMean.from_config(layer.get_config())
    assert (again.axes, again.momentum) == (2, 0.9)


def test_a_task_alone_attends_to_the_picture_only():
    learnt, _ = mixed(sharing.get("task_tokens", **SMALL), 8, ["scene"])
    assert learnt() == {}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dim": 10, "attention_heads": 4}, "dim=10: expected a multiple of attention_heads=4"),
        ({"attention_heads": 0}, "attention_heads=0: expected a whole number of at least 1"),
        ({"depth": 0}, "depth=0"),
        ({"tokens": "many"}, "tokens='many'"),
    ],
)
def test_impossible_tokens_are_refused(options, message, toy_model):
    with pytest.raises(UsageError, match=message):
        toy_model(sharing={"name": "task_tokens"} | options)
