"""A trained model grown by a task, cut down to some tasks, and frozen in parts."""

import keras
import numpy as np
import pytest
import tensorflow as tf
import toys
from cases import few

from visionmtl import sharing
from visionmtl.errors import UsageError
from visionmtl.tasks import Classification, Segmentation


@pytest.fixture
def trained(toy_model, toy_batch):
    """A toy model after two steps, with a batch."""

    def make(**options):
        model = toy_model(**options)
        model.compile(keras.optimizers.SGD(0.01), run_eagerly=True)
        batch = toy_batch()
        for _ in range(2):
            model.train_on_batch(*batch)
        return model, batch

    return make


def assert_same_outputs(one, other, images, keys):
    first, second = one(images), other(images)
    for key in keys:
        np.testing.assert_array_equal(first[key], second[key])


@pytest.mark.slow
@pytest.mark.parametrize("name", few(["hard", "hierarchical", "cascade", "adapters"], keep=["hard"]))
def test_a_new_task_learns_alone_and_the_others_stay_bit_for_bit(name, trained):
    model, (images, labels, weights) = trained(sharing=name)
    grown = model.add_task(Classification("weather", 2))
    keys = list(model.output)
    assert_same_outputs(model, grown, images, keys)
    grown.compile(keras.optimizers.SGD(0.1), run_eagerly=True)
    before = grown(images)["weather_logits"].numpy()
    for _ in range(2):
        more = {"weather": np.array([0, 1, 1, 0])}
        grown.train_on_batch(images, labels | more, weights | {"weather": np.ones(4, "float32")})
    assert_same_outputs(model, grown, images, keys)
    assert np.abs(grown(images)["weather_logits"] - before).max() > 1e-3
    assert list(grown.tasks) == [*model.tasks, "weather"]


@pytest.mark.slow
def test_a_new_task_may_learn_with_all_the_others(trained):
    model, (images, labels, weights) = trained()
    grown = model.add_task(Segmentation("parts", 2), freeze=False)
    assert_same_outputs(model, grown, images, model.output)
    grown.compile(keras.optimizers.SGD(0.1), run_eagerly=True)
    grown.train_on_batch(images, labels | {"parts": labels["ground"] % 2}, weights)
    assert np.abs(grown(images)["scene_logits"] - model(images)["scene_logits"]).max() > 1e-5


@pytest.mark.slow
def test_a_model_of_one_task_grows_to_two_necks(trained):
    model, (images, _, _) = trained(of=[Classification("scene", 3)], sharing={"name": "hard", "until": "P2"})
    grown = model.add_task(Classification("weather", 2))
    assert_same_outputs(model, grown, images, model.output)


@pytest.mark.slow
def test_a_scheme_that_would_show_the_new_task_to_the_others_refuses_it(trained):
    model, _ = trained(sharing="fusion")
    with pytest.raises(UsageError, match="sharing 'fusion' lets task 'scene' read the new task 'weather'"):
        model.add_task(Classification("weather", 2))
    with pytest.raises(UsageError, match="has sharing 'fusion', and in sharing 'adapters' task .* such as 'adapters_"):
        model.add_task(Classification("weather", 2), sharing="adapters")
    with pytest.raises(UsageError, match="has a task 'scene'"):
        model.add_task(Classification("scene", 2))


@pytest.mark.slow
@pytest.mark.parametrize("name", few(sharing.names(), keep=["hard", "cross_stitch", "cascade"]))
def test_a_subset_gives_the_same_outputs_and_has_less(name, toy_model, toy_batch, tmp_path):
    model, (images, labels, weights) = toy_model(sharing=name), toy_batch()
    rng = np.random.default_rng(0)
    model.set_weights([value + 0.01 * abs(rng.normal(size=value.shape)) for value in model.get_weights()])
    smaller = model.subset("scene")
    assert list(smaller.tasks) == ["scene"]
    assert_same_outputs(model, smaller, images, smaller.output)
    assert smaller.count_params() < model.count_params()
    smaller.save(tmp_path / "model.keras")
    assert_same_outputs(model, keras.saving.load_model(tmp_path / "model.keras"), images, smaller.output)
    smaller.compile("sgd", run_eagerly=True)
    smaller.train_on_batch(images, labels, weights)


@pytest.mark.slow
def test_a_subset_of_what_is_all_frozen_learns_again_and_any_other_stays_as_frozen(toy_model):
    grown = toy_model(toys.tasks("scene")).add_task(toys.task("ground"))
    assert len(grown.subset("ground").trainable_variables) == len(grown.trainable_variables) > 0
    assert grown.subset("scene").trainable_variables


def test_a_route_runs_one_task_and_nothing_of_the_others(toy_model, toy_batch):
    model, (images, _, _) = toy_model(), toy_batch()
    route, whole = model.route("ground"), model(images)
    for key, value in route(images).items():
        np.testing.assert_array_equal(value, whole[key])
    assert not [layer.name for layer in route.layers if layer.name.startswith(("scene", "objects"))]
    assert route.get_layer("ground_refine") is model.get_layer("ground_refine")
    with pytest.raises(UsageError, match="Unknown task 'grond'. Did you mean 'ground'"):
        model.route("grond")


@pytest.mark.slow
def test_what_is_frozen_stays_and_is_still_frozen_when_loaded(toy_model, toy_batch, tmp_path):
    model, batch = toy_model(), toy_batch()
    model.freeze(["P2", "neck", "scene"])
    model.compile("sgd")
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    before = {layer.name: layer.get_weights() for layer in model.layers}
    model.fit(tf.data.Dataset.from_tensors(batch), epochs=2, verbose=0)
    moved = {
        name
        for name, values in before.items()
        if any((a != b).any() for a, b in zip(values, model.get_layer(name).get_weights(), strict=True))
    }
    assert moved
    assert not moved & {*model.parts["P2"], *model.parts["neck"], *model.parts["scene"]}
    assert {*model.parts["P3"], *model.parts["objects"]} & moved
    assert [v.path for v in loaded.trainable_variables] == [v.path for v in model.trainable_variables]


def test_mistakes_in_freezing_are_told(toy_model):
    model = toy_model()
    with pytest.raises(UsageError, match="Unknown part to freeze 'backbon'. Did you mean 'backbone'"):
        model.freeze(["backbon"])
    with pytest.raises(UsageError, match="Nothing is left to learn"):
        model.freeze(list(model.parts))
    with pytest.raises(UsageError, match="needs a task: name some of scene"):
        model.subset([])


@pytest.mark.slow
@pytest.mark.parametrize("by_task", [True, False])
def test_branches_start_from_runs_of_one_task_or_from_one_backbone_of_all(by_task, toy_model, toy_batch):
    images, whole = toy_batch()[0], toy_model()
    alone = {task.name: toy_model([task]) for task in toys.tasks()}
    random = np.random.default_rng(0)
    for model in (whole, *alone.values()):
        model.set_weights([value + 0.1 * abs(random.normal(size=value.shape)) for value in model.get_weights()])
    branches = toy_model(sharing={"name": "cross_stitch", "own": 1.0})
    taken, left = branches.start_from(alone if by_task else whole)
    assert all(name.startswith("cross_stitch") for name in left)
    assert {"ground_toy_P3", "scene_neck_lateral_P2"} <= set(taken)
    found = branches(images)
    for model in alone.values() if by_task else [whole]:
        for key, value in model(images).items():
            np.testing.assert_allclose(found[key], value, atol=1e-5)


@pytest.mark.slow
def test_what_tasks_share_starts_from_the_first_and_a_task_without_a_run_as_it_was(toy_model):
    model = toy_model(sharing={"name": "soft", "until": "P2"})
    first, second = toy_model(toys.tasks("objects")), toy_model(toys.tasks("ground"))
    for each, value in ((first, 1.0), (second, 2.0)):
        each.set_weights([np.full_like(weight, value) for weight in each.get_weights()])
    taken, left = model.start_from({"objects": first, "ground": second})
    assert all(name.startswith("scene_") for name in left)
    for name, value in (("toy_P2", 1.0), ("objects_toy_P3", 1.0), ("ground_toy_P3", 2.0)):
        assert name in taken
        assert all((weight == value).all() for weight in model.get_layer(name).get_weights())


def test_mistakes_in_what_tasks_start_from_are_told(toy_model):
    model, other = toy_model(), toy_model(toys.tasks("scene"))
    with pytest.raises(UsageError, match="Unknown task to start 'scen'. Did you mean 'scene'"):
        model.start_from({"scen": other})
    with pytest.raises(UsageError, match="Task 'ground' is to start from a model of scene: give one of 'ground'"):
        model.start_from({"ground": other})
    wide = toy_model(toys.tasks("scene"), backbone=toys.backbone(4), neck={"channels": 4})
    with pytest.raises(UsageError, match="'scene' is to start from has no layer in common"):
        model.start_from({"scene": wide})
