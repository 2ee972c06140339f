"""Cascade, distillation, fusion and hierarchy: who reads whom, from where they start, and what they refuse."""

import numpy as np
import pytest
import tensorflow as tf

from visionmtl.errors import UsageError


def same_weights(model, other):
    """Give a model the weights of another's layers of the same names."""
    taken, _ = model.start_from(other)
    return taken


def heads(model, task):
    return [v for layer in model.parts[task] for v in model.get_layer(layer).trainable_variables]


def reaches(model, batch, loss_of, task):
    """Return whether a task's loss has a gradient that is not zero by another task's head, away from the start."""
    images, labels, _ = batch
    for variable in model.trainable_variables:
        if "_write" in variable.path:  # what starts at zero
            variable.assign_add(0.1 * tf.random.stateless_normal(variable.shape, [0, 1]))
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(model.sample_losses({loss_of: labels[loss_of]}, model(images, training=True))[loss_of])
    found = tape.gradient(loss, heads(model, task))
    return any(gradient is not None and np.abs(gradient).max() > 0 for gradient in found)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["cascade", "fusion", "distillation"])
def test_at_the_start_nothing_is_read_and_the_model_is_hard_sharing(name, toy_model, toy_batch):
    model, plain, (images, _, _) = toy_model(sharing=name), toy_model(), toy_batch()
    assert same_weights(model, plain)
    found = model(images)
    for key, value in plain(images).items():
        np.testing.assert_allclose(found[key], value, atol=1e-5)


@pytest.mark.slow
def test_a_cascade_reads_in_its_order(toy_model, toy_batch):
    batch = toy_batch()
    order = ["scene", "ground", "objects"]
    assert reaches(toy_model(sharing={"name": "cascade", "order": order}), batch, "ground", "scene")
    assert not reaches(toy_model(sharing={"name": "cascade", "order": order}), batch, "scene", "ground")
    assert reaches(toy_model(sharing="cascade"), batch, "scene", "objects")  # pixels, then boxes, then the whole
    graph = {"scene": ["ground"], "objects": "ground"}
    assert reaches(toy_model(sharing={"name": "cascade", "order": graph}), batch, "objects", "ground")
    assert not reaches(toy_model(sharing={"name": "cascade", "order": graph}), batch, "objects", "scene")


def test_a_stopped_gradient_leaves_the_task_that_is_read_alone(toy_model, toy_batch):
    options = {"name": "cascade", "order": ["scene", "ground", "objects"], "stop_gradient": True}
    model, batch = toy_model(sharing=options), toy_batch()
    assert not reaches(model, batch, "ground", "scene")
    before = model(batch[0])["ground_logits"].numpy()
    model.get_layer("scene_logits").bias.assign_add([3.0, 0, 0])
    assert np.abs(model(batch[0])["ground_logits"] - before).max() > 1e-4  # it is read all the same


@pytest.mark.slow
def test_initial_predictions_learn_from_the_labels_too(toy_model, toy_batch):
    images, labels, _ = toy_batch()
    losses = {}
    for weight in (0.0, 1.0):
        model = toy_model(sharing={"name": "fusion", "initial_weight": weight})
        losses[weight] = model.sample_losses(labels, model(images))
    task = model.tasks["ground"]
    first = task.loss(labels["ground"], {"logits": model(images)["auxiliary_ground_logits"]})
    np.testing.assert_allclose(losses[1.0]["ground"] - losses[0.0]["ground"], first, rtol=1e-4)
    assert not [key for key in model.predict(images, verbose=0) if key.startswith("auxiliary")]


@pytest.mark.slow
def test_pad_net_distils_at_one_level_or_at_all(toy_model):
    one = toy_model(sharing={"name": "distillation", "levels": ["P2"]})
    every = toy_model(sharing="distillation")
    added = [{layer.name for layer in model.layers if layer.name.endswith("_attention")} for model in (one, every)]
    assert added[0] == {f"distillation_{task}_P2_attention" for task in one.tasks}
    assert added[1] - added[0] == {f"distillation_{task}_P3_attention" for task in one.tasks}


def test_a_hierarchy_attaches_low_tasks_early_and_shows_them_to_the_higher(toy_model, toy_batch):
    model, (images, labels, _) = toy_model(sharing="hierarchical"), toy_batch()
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(model.sample_losses({"ground": labels["ground"]}, model(images))["ground"])
    deep = model.get_layer("toy_P3").trainable_variables
    assert all(gradient is None for gradient in tape.gradient(loss, deep))
    before = model(images)["scene_logits"].numpy()
    for variable in model.get_layer("hierarchical_ground_P2_write").trainable_variables:
        variable.assign_add(tf.ones_like(variable))
    for variable in model.get_layer("hierarchical_scene_P2_write").trainable_variables:
        variable.assign_add(0.1 * tf.random.stateless_normal(variable.shape, [0, 1]))
    assert np.abs(model(images)["scene_logits"] - before).max() > 1e-4


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"name": "cascade", "order": ["scene", "ground", "scene"]},
            "a cycle through 'scene'",
        ),
        ({"name": "cascade", "order": {"scene": "ground", "ground": "scene"}}, "in a cycle: scene -> ground -> scene"),
        ({"name": "cascade", "order": ["scene", "ground"]}, "without 'objects': name every task"),
        ({"name": "cascade", "order": {"scene": "grund"}}, "unknown task 'grund'. Did you mean 'ground'"),
        ({"name": "hierarchical", "order": {"ground": "ground"}}, "in a cycle: ground -> ground"),
        ({"name": "hierarchical", "levels": {"scene": "P9"}}, "Unknown level to attach at 'P9'.*Valid: P2, P3"),
        ({"name": "hierarchical", "levels": {"scen": "P2"}}, "unknown task 'scen'. Did you mean 'scene'"),
        ({"name": "distillation", "levels": ["P1"]}, "Unknown level to distil at 'P1'"),
        ({"name": "fusion", "initial_weight": -1}, "initial_weight=-1: expected a number of at least 0"),
        ({"name": "experts", "count": 0}, "count=0: expected a whole number of at least 1"),
    ],
)
def test_what_they_cannot_be_is_refused_when_the_model_is_built(given, message, toy_model):
    with pytest.raises(UsageError, match=message.replace("?", r"\?")):
        toy_model(sharing=given)
