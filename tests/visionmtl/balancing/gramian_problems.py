"""Gradients of K tasks to try the Gramian methods on, and the methods as a training step runs them."""

# ruff: noqa: N803  (K tasks and their Jacobian J, as in the papers)

import functools

import numpy as np
import tensorflow as tf

from visionmtl import balancing
from visionmtl.balancing.elementwise.db_mtl import longest_norm
from visionmtl.balancing.gramian.gradvac import turned
from visionmtl.balancing.gramian.pcgrad import freed
from visionmtl.balancing.gramian_method import gradients

SIZES = (2, 3, 5, 8, 20)
KINDS = ("plain", "norms", "conflict", "parallel", "zero")


def weighing(name, **hyperparameters):
    """Return the function from a Gramian and the tasks present to the weights of a step."""
    return functools.partial(balancing.get(name, **hyperparameters).weights, step=2)


METHODS = {name: weighing(name) for name in balancing.METHODS} | {
    "mgda_l2": weighing("mgda", normalisation="l2"),
    "longest_norm": longest_norm,
}


def pcgrad(gramian, present=None, *, order):
    """Return PCGrad's weights where gradient k meets the others in the order of row k."""
    return freed(gradients(gramian, present), order)


def gradvac(gramian, present=None, *, order, means=None, beta=0.01):
    """Return GradVac's weights and its new means where gradient k meets the others in the order of row k."""
    means = np.zeros((len(order), len(order))) if means is None else means
    return turned(gradients(gramian, present), tf.constant(order), tf.constant(means, tf.float64), beta)


def task_gradients(kind, K, seed=0):
    """Return K gradients `[K, K + 3]` in general position, so that a direction at peace with all exists.

    The kind "stationary" is not: `[K, K - 2]`, with zero among their convex combinations.
    """
    random = np.random.default_rng([K, seed])
    if kind == "stationary":
        J, weights = random.normal(size=(K, max(K - 2, 1))), random.dirichlet(np.ones(K))
        J[-1] = -(weights[:-1] @ J[:-1]) / weights[-1]
        return J
    J = random.normal(size=(K, K + 3))
    if kind == "conflict":  # all lean against their common mean, which makes every pair conflict
        J -= 0.9 * J.mean(0)
    if kind in ("norms", "parallel", "zero"):
        J *= np.geomspace(1, 1e4, K)[random.permutation(K), None] / np.linalg.norm(J, axis=1, keepdims=True)
    if kind == "parallel":
        J[1] = 3 * J[0]
    if kind == "zero":
        J[K // 2] = 0
    return J


def distance(update, wanted):
    """Return the cosine distance of two vectors."""
    lengths = np.linalg.norm(update) * np.linalg.norm(wanted)
    return 1 - update @ wanted / lengths if lengths else float(np.linalg.norm(update - wanted) > 0)


@functools.cache
def compiled(name):
    """Return the method as one graph for each K, as a training step runs it."""
    return tf.function(METHODS[name])


def weights_of(name, J, present=None):
    """Return the weights `[K]` of a method for gradients `[K, n]`."""
    return weights_from(name, J @ J.T, np.ones(len(J)) if present is None else present)


def weights_from(name, gramian, present):
    """Return the weights `[K]` of a method for a Gramian `[K, K]` and the tasks present `[K]`."""
    return compiled(name)(tf.constant(gramian), tf.constant(present, tf.float64)).numpy()
