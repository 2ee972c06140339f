"""Gradients of K tasks to try the gradient balancers on, and the balancers as a training step runs them."""

# ruff: noqa: N803  (K tasks and their Jacobian J, as in the papers)

import functools

import numpy as np
import tensorflow as tf

from visionmtl.balancing import descent
from visionmtl.balancing import gramian as maths

SIZES = (2, 3, 5, 8, 20)
KINDS = ("plain", "norms", "conflict", "parallel", "zero")

METHODS = {
    "gradvac": lambda *given: maths.gradvac(*given, seed=[1, 2])[0],
    "sdmgrad": lambda *given: descent.sdmgrad(*given)[0],
    "longest_norm": maths.longest_norm,
    "unit_norm": maths.unit_norm,
    "mgda": maths.mgda,
    "mgda_l2": functools.partial(maths.mgda, normalisation="l2"),
    "pcgrad": functools.partial(maths.pcgrad, seed=[1, 2]),
    "cagrad": maths.cagrad,
    "imtl_g": maths.imtl_g,
    "config": maths.config,
    "nash_mtl": maths.nash_mtl,
    "fairgrad": maths.fairgrad,
    "aligned_mtl": maths.aligned_mtl,
    "upgrad": maths.upgrad,
    "dual_proj": maths.dual_proj,
}


def task_gradients(kind, K, seed=0):
    """Return K gradients `[K, K + 3]` in general position, so that a direction at peace with all exists."""
    random = np.random.default_rng([K, seed])
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


def distance(found, wanted):
    """Return the cosine distance of two vectors."""
    lengths = np.linalg.norm(found) * np.linalg.norm(wanted)
    return 1 - found @ wanted / lengths if lengths else float(np.linalg.norm(found - wanted) > 0)


@functools.cache
def compiled(name):
    """Return the method as one graph for each K, as a training step runs it."""
    return tf.function(METHODS[name])


def weights_of(name, J, present=None):
    """Return the weights `[K]` of a method for gradients `[K, n]`."""
    present = np.ones(len(J)) if present is None else present
    return compiled(name)(tf.constant(J @ J.T), tf.constant(present)).numpy()
