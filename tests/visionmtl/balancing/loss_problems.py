"""Three losses, balancers for them, and what they are compared with, in float64."""

import numpy as np
import tensorflow as tf

from visionmtl import balancing

ALL = tf.ones(3)
LOSSES = np.array([1.0, 2.0, 4.0])


def prepared(name, **hyperparameters):
    """A balancer of three tasks."""
    balancer = balancing.get(name, **hyperparameters)
    balancer.prepare(["a", "b", "c"], [False, True, False])
    return balancer


def weights(balancer, losses=LOSSES, present=ALL, training=True):
    """The weights of a step, as an array."""
    return balancer.weights_of(tf.constant(losses, tf.float32), present, training).numpy()


def softmax(logits):
    """In float64, for comparison."""
    powers = np.exp(np.asarray(logits, np.float64))
    return powers / powers.sum()


def slopes(function, losses, step=1e-6):
    """The derivatives of a function of the losses, by central differences in float64."""
    losses = np.asarray(losses, np.float64)
    moves = np.eye(len(losses)) * step
    return np.array([(function(losses + move) - function(losses - move)) / (2 * step) for move in moves])
