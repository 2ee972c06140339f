"""Soft sharing and learnt relations: the penalties' maths, and that separate models are what strength 0 gives."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from visionmtl.errors import UsageError
from visionmtl.sharing import penalties
from visionmtl.tasks import Classification

RNG = np.random.default_rng(0)
W = RNG.normal(size=(4, 6)).astype("float32")
ROWS = [tf.constant(row.reshape(2, 3)) for row in W]


def half_squares(*differences):
    return 0.5 * sum((difference.astype("float64") ** 2).sum() for difference in differences)


def test_the_penalties_are_what_numpy_makes_of_them():
    centre = RNG.normal(size=(2, 3)).astype("float32")
    weights = [[0, 1, 0, 2], [1, 0, 0, 0], [0, 0, 0, 0.5], [2, 0, 0.5, 0]]
    pairs = [(i, j) for i in range(4) for j in range(i + 1, 4)]
    expected = {
        "mean": half_squares(W - W.mean(axis=0)),
        "centre": half_squares(W - centre.ravel()),
        "pairs": half_squares(*[W[i] - W[j] for i, j in pairs]),
        "given": sum(weights[i][j] * half_squares(W[i] - W[j]) for i, j in pairs),
        "chain": half_squares(W[:-1] - W[1:]),
        "trace": np.linalg.norm(W.astype("float64"), "nuc"),
    }
    found = {
        "mean": penalties.to_mean(ROWS),
        "centre": penalties.to_centre(ROWS, centre),
        "pairs": penalties.pairwise(ROWS),
        "given": penalties.pairwise(ROWS, weights),
        "chain": penalties.chain(ROWS),
        "trace": penalties.trace_norm(ROWS),
    }
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-5, err_msg=name)
    np.testing.assert_allclose(expected["pairs"], 4 * expected["mean"], rtol=1e-5)


def test_the_trace_norm_slopes_as_finite_differences_do():
    rows = tf.Variable(W)
    with tf.GradientTape() as tape:
        value = penalties.trace_norm(tf.unstack(rows))
    slope, wide, step = tape.gradient(value, rows).numpy(), W.astype("float64"), 1e-5
    for place in np.ndindex(W.shape):
        ahead, behind = wide.copy(), wide.copy()
        ahead[place] += step
        behind[place] -= step
        expected = (np.linalg.norm(ahead, "nuc") - np.linalg.norm(behind, "nuc")) / (2 * step)
        assert slope[place] == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("rows", [np.ones((3, 5)), np.zeros((3, 5)), np.eye(3, 5), np.ones((1, 5))])
def test_the_trace_norm_has_a_gradient_where_singular_values_vanish_or_coincide(rows):
    rows = tf.Variable(rows.astype("float32"))
    with tf.GradientTape() as tape:
        value = penalties.trace_norm(tf.unstack(rows))
    np.testing.assert_allclose(value, np.linalg.norm(rows.numpy(), "nuc"), atol=1e-5)
    slope = tape.gradient(value, rows).numpy()
    assert np.isfinite(slope).all()
    assert np.linalg.norm(slope, 2) < 1 + 1e-5  # a subgradient's largest singular value is 1


def test_the_relation_is_its_closed_form():
    wide = W.astype("float64")
    found = penalties.relation(penalties.gramian([[tf.constant(row)] for row in W])).numpy()
    values, vectors = np.linalg.eigh(wide @ wide.T)
    root = vectors @ np.diag(np.sqrt(values)) @ vectors.T
    np.testing.assert_allclose(root @ root, wide @ wide.T, atol=1e-10)
    np.testing.assert_allclose(found, root / np.trace(root), atol=1e-8)
    np.testing.assert_allclose(found, found.T, atol=1e-12)
    assert np.trace(found) == pytest.approx(1)
    assert np.linalg.eigvalsh(found).min() > 0
    # Of all covariances of unit trace it is the one with the least penalty, that of the trace norm squared.
    least = float(penalties.related(tf.constant(wide @ wide.T), tf.constant(found)))
    assert least == pytest.approx(np.linalg.norm(wide, "nuc") ** 2 / 2, rel=1e-4)
    other = np.eye(4) / 4
    assert float(penalties.related(tf.constant(wide @ wide.T), tf.constant(other))) > least
    np.testing.assert_allclose(penalties.relation(tf.zeros((3, 3), tf.float64)), np.eye(3) / 3)


def branch(model, task):
    return [
        variable for level in ("P2", "P3") for variable in model.get_layer(f"{task}_toy_{level}").trainable_variables
    ]


def test_without_strength_tasks_are_separate_models(toy_model, toy_batch):
    model, (images, labels, _) = toy_model(sharing={"name": "soft", "strength": 0}), toy_batch()
    for task in model.tasks:
        single = toy_model([model.tasks[task]])
        for layer in single.layers:
            if layer.weights:
                name = f"{task}_{layer.name}" if layer.name.startswith(("toy", "neck")) else layer.name
                layer.set_weights(model.get_layer(name).get_weights())
        for key, value in single(images).items():
            np.testing.assert_allclose(model(images)[key], value, atol=1e-5)
    with tf.GradientTape() as tape:
        losses = model.sample_losses({"scene": labels["scene"]}, model(images, training=True))
        total = tf.add_n([tf.reduce_mean(losses["scene"]), *model.losses])
    own, other = tape.gradient(total, [branch(model, "scene"), branch(model, "ground")])
    assert all(gradient is not None for gradient in own)
    assert all(gradient is None for gradient in other)


@pytest.mark.parametrize("tie", ["mean", "centre", "pairs", "chain", "trace"])
def test_a_tie_draws_tasks_together_level_by_level(tie, toy_model):
    model = toy_model(sharing={"name": "soft", "tie": tie, "strength": {"P3": 1.0}})
    for task in model.tasks:
        for variable in branch(model, task):
            variable.assign_add(tf.random.stateless_normal(variable.shape, [1, len(task)]))
    before = model.learnt_sharing()["distance"].values
    with tf.GradientTape() as tape:
        total = tf.add_n(model.losses)
    variables = {level: model.get_layer(f"scene_toy_{level}").trainable_variables for level in ("P2", "P3")}
    gradients = tape.gradient(total, [variables["P2"], variables["P3"]])
    assert all(gradient is None for gradient in gradients[0])
    assert all(np.abs(gradient).max() > 0 for gradient in gradients[1])

    everything = model.trainable_variables
    for _ in range(5):
        with tf.GradientTape() as tape:
            total = tf.add_n(model.losses)
        for variable, slope in zip(everything, tape.gradient(total, everything), strict=True):
            if slope is not None:
                variable.assign_sub(0.1 * slope)
    after = model.learnt_sharing()["distance"].values
    assert before.shape == (3, 3)
    assert after[0, 2] < before[0, 2]
    if tie == "centre":
        assert len(model.sharing.layers()) == 2
        assert {id(v) for v in model.sharing.layers()[1].trainable_variables} <= {id(v) for v in everything}


def test_given_relations_draw_the_related_alone(toy_model):
    model = toy_model(sharing={"name": "relation", "relations": {"scene": {"ground": 2.0}}, "strength": 1.0})
    for place, task in enumerate(model.tasks):
        for variable in branch(model, task):
            variable.assign_add(tf.fill(variable.shape, float(place)))
    with tf.GradientTape() as tape:
        total = tf.add_n(model.losses)
    slopes = tape.gradient(total, [branch(model, task)[0] for task in ("scene", "ground", "objects")])
    places = {task: place for place, task in enumerate(model.tasks)}
    apart = places["scene"] - places["ground"]
    np.testing.assert_allclose(slopes[0], 2.0 * apart, atol=1e-5)
    np.testing.assert_allclose(slopes[1], -2.0 * apart, atol=1e-5)
    assert slopes[2] is None
    assert model.learnt_sharing()["relation"].values[places["scene"], places["ground"]] == 2


@pytest.mark.parametrize(
    ("given", "optimizer", "mistakes"),
    [
        ("relation", keras.optimizers.SGD(0.05), 0.05),
        # Half of what a task reads comes from the others, which it then keeps or lets go.
        ({"name": "cross_stitch", "own": 0.6, "speed": 1.0}, keras.optimizers.Adam(0.01), 0.0),
    ],
)
def test_four_tasks_of_two_targets_show_the_two_pairs(given, optimizer, mistakes, toy_model):
    model = toy_model([Classification(task, 2) for task in "abcd"], sharing=given)
    rng = np.random.default_rng(0)
    bright, red = rng.integers(0, 2, (2, 32))
    images = rng.uniform(0, 120, (32, 32, 32, 3)) + 60 * bright[:, None, None, None]
    images[..., 0] += 60 * red[:, None, None]
    # Each task has a target's labels with mistakes of its own; all else is alike at the start.
    wrong = rng.random((4, 32)) < mistakes
    labels = {task: target ^ own for task, target, own in zip("abcd", (bright, bright, red, red), wrong, strict=True)}
    for layer in model.layers:
        if layer.weights and layer.name.startswith(("b_", "c_", "d_")):
            layer.set_weights(model.get_layer(f"a{layer.name[1:]}").get_weights())
    model.compile(optimizer)
    model.fit(images.astype("float32"), labels, epochs=60, batch_size=32, shuffle=False, verbose=0)
    values = list(model.learnt_sharing().values())[-1].values  # of the deepest level
    values = (values + values.T) / 2
    across = max(values[i, j] for i in (0, 1) for j in (2, 3))
    assert min(values[0, 1], values[2, 3]) > across + 0.01, values


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"name": "soft", "tie": "pair"}, "Unknown tie of sharing 'soft' 'pair'. Did you mean 'pairs'"),
        ({"name": "soft", "strength": -1}, "strength=-1: expected a number of at least 0"),
        ({"name": "soft", "strength": {"P9": 1}}, "level 'P9': the tasks have levels of their own P2, P3"),
        ({"name": "soft", "until": "P7"}, "Unknown level to share until 'P7'"),
        ({"name": "relation", "relations": {"scene": {"grund": 1}}}, "unknown task 'grund'. Did you mean 'ground'"),
        ({"name": "relation", "relations": ["scene"]}, "expected {task: {task: weight}}"),
        ({"name": "relation", "about": "mean"}, "Valid: start, zero"),
    ],
)
def test_mistakes_are_told_when_the_model_is_built(given, message, toy_model):
    with pytest.raises(UsageError, match=message.replace("?", r"\?")):
        toy_model(sharing=given)
