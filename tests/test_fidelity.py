"""The benchmark of cheap balancing: its Gramians are those of plain tapes, and its cosines are the arithmetic."""

import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import toys

from visionmtl import balancing

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
import fidelity_check
import fidelity_gramians
import fidelity_ways


def recorded(steps=6, tasks=3):
    """Gramians of random gradients, and these."""
    gradients = np.random.default_rng(0).normal(size=(steps, tasks, 10))
    gramian = np.einsum("tkn,tjn->tkj", gradients, gradients).astype("float32")
    seen = {"parameters": gramian, "features": gramian, "level": gramian[::-1]}
    return seen | {
        "losses": np.ones((steps, tasks), "float32"),
        "present": np.ones((steps, tasks), "float32"),
    }, gradients


def test_a_gramian_knows_the_cosine_of_two_updates():
    seen, gradients = recorded()
    weights, exact = np.random.default_rng(1).normal(size=(2, 6, 3))
    one, two = np.einsum("tk,tkn->tn", weights, gradients), np.einsum("tk,tkn->tn", exact, gradients)
    expected = (one * two).sum(1) / np.linalg.norm(one, axis=1) / np.linalg.norm(two, axis=1)
    np.testing.assert_allclose(fidelity_ways.cosine(seen["parameters"], weights, exact), expected, rtol=1e-5)


@pytest.mark.slow
def test_a_way_that_sees_the_same_is_exact_and_one_that_keeps_its_weights_is_what_training_would_keep():
    seen, _ = recorded()
    near, rate = fidelity_ways.fidelity("mgda", seen, [2], tolerance=0.0)
    assert near["features"] == pytest.approx(1)
    assert near["level"] < 0.99
    weights = np.stack([balancing.get("mgda").weights(one).numpy() for one in seen["parameters"]])
    expected = fidelity_ways.cosine(seen["parameters"], weights[[0, 0, 2, 2, 4, 4]], weights).mean()
    assert near["every 2"] == pytest.approx(expected, abs=1e-6)
    assert rate == 2  # found wanting in the first step it could be, at each time
    assert near["checked"] == pytest.approx(expected, abs=1e-6)


@pytest.mark.slow
def test_what_is_seen_of_a_batch_is_what_plain_tapes_see_and_leaves_no_trace():
    model = toys.model()
    model.compile("sgd")
    batch = tf.nest.map_structure(tf.constant, toys.batch())
    before = [np.asarray(variable) for variable in model.variables]
    seen = {key: value.numpy() for key, value in fidelity_gramians.looker(model)(batch).items()}
    losses, rows = fidelity_check.gradients(model)(batch)
    for variable, value in zip(model.variables, before, strict=True):
        np.testing.assert_array_equal(variable, value)
    np.testing.assert_allclose(seen["losses"], losses, rtol=1e-5)
    paths = [variable.path for variable in model.trainable_variables]
    heads = tuple(f"{task}_" for task in model.tasks)
    for kind, wanted in (
        ("parameters", lambda path: not path.startswith(heads)),
        ("level", lambda path: path.startswith(("convolution_3", "normalisation_3"))),
    ):
        flat = [[one.numpy().ravel() for one, path in zip(row, paths, strict=True) if wanted(path)] for row in rows]
        flat = np.stack([np.concatenate(row) for row in flat]).astype("float64")
        np.testing.assert_allclose(seen[kind], flat @ flat.T, rtol=1e-3, atol=1e-4 * np.trace(flat @ flat.T))

    update = [tf.add_n(list(each)) for each in zip(*rows, strict=True)]
    exact = [sum(float(tf.reduce_sum(a * b)) for a, b in zip(row, update, strict=True)) for row in rows]
    found = fidelity_check.difference(model)(batch, update, losses)
    np.testing.assert_allclose(found, exact, atol=0.1 * np.linalg.norm(exact))
