"""The ways back from a forward pass: from the losses of K tasks to one gradient a variable."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import tensorflow as tf

from visionmtl.balancing import task_gradients


class Forward(NamedTuple):
    """A forward pass on this replica, and what it takes to go back from it.

    Attributes:
        tape: of the pass; persistent for `apart`.
        variables: N that are trained.
        shares: K, this replica's part of each task's mean loss, scaled as the optimizer wants it; where the balancer
            compares parts of the batch, K of each part.
        rest: its part of the losses that are no task's, and of what trains the balancer; scaled.
        unit: that scale.
        losses: `[K]`, the tasks' mean losses over all replicas.
        slopes: `[K]`, those of `Balancer.total` by the losses, which are a loss balancer's weights; None for another.
        present: `[K]`, 1 for a task with labels in this batch.
        in_part: `[parts, K]`, the weight of the labelled samples of each part.
        features: maps where the pass is cut, as the trunk made them; none if it is not cut.
        leaves: the same as the heads read them: no gradient goes on from a leaf to the trunk.
        reduce: sums a tensor, or each of a list, over the replicas.
        number: of steps behind.
    """

    tape: tf.GradientTape
    variables: Sequence[Any]
    shares: Sequence[tf.Tensor]
    rest: tf.Tensor
    unit: tf.Tensor
    losses: tf.Tensor
    slopes: tf.Tensor | None
    present: tf.Tensor
    in_part: tf.Tensor
    features: Sequence[tf.Tensor]
    leaves: Sequence[tf.Tensor]
    reduce: Callable[[Any], Any]
    number: tf.Tensor


class Backward(NamedTuple):
    """What came back.

    Attributes:
        gradients: N, one a variable, or None.
        summed: whether they are already summed over the replicas.
        weights: `[K]`, of the tasks.
        gramian: `[K, K]`, the inner products of the tasks' gradients, or None where nobody looked.
    """

    gradients: list
    summed: bool
    weights: tf.Tensor
    gramian: tf.Tensor | None


def together(forward: Forward) -> Backward:
    """Go back once, from the sum of the losses weighted by a loss balancer."""
    assert forward.slopes is not None
    targets, seeds = [*forward.shares, forward.rest], [*tf.unstack(forward.slopes), tf.constant(1.0)]
    return Backward(forward.tape.gradient(targets, forward.variables, seeds), False, forward.slopes, None)


def apart(forward: Forward, balancer, look: str | None) -> Backward:
    """Go back once a task, and let the balancer merge what comes.

    A cut pass goes back through the heads once a task and through the trunk once for all of them; a whole one goes
    back through everything once a task, and sums over the replicas before anything is compared.

    Args:
        forward: the pass.
        balancer: the balancer.
        look: where the tasks' gradients are compared: at the "parameters" (behind the cut, if there is one), at the
            "features", or nowhere, and the balancer takes the weights it has.
    """
    cut, tasks = len(forward.leaves), forward.losses.shape[0]
    parted = task_gradients.of(forward.tape, forward.shares, [*forward.leaves, *forward.variables])
    if not cut:
        parted = task_gradients.summed(parted, forward.reduce)
    halves = len(forward.shares) > tasks
    held = task_gradients.joined(parted, tasks) if halves else parted
    gramian = product = None
    if look:
        if not cut:
            held = balancer.smooth(held, forward)
        elif look == "features":
            held = [*balancer.smooth(held[:cut], forward), *held[cut:]]
        shared = range(cut) if look == "features" else [p for p in range(cut, len(held)) if len(held[p]) > 1]
        compared = [(parted if halves else held)[place] for place in shared]
        if cut and look == "parameters":
            compared = task_gradients.summed(compared, forward.reduce)
        gramian = task_gradients.gramian(compared, len(forward.shares), forward.unit)
        # A sum of local products is right at the features, where replicas hold other samples, and there alone.
        gramian = forward.reduce(gramian) if look == "features" else gramian
        if halves:
            gramian, product = task_gradients.across(gramian, forward.in_part)
    weights = balancer.weigh(gramian, forward, product)
    own = balancer.weights_of_own(weights, forward.losses, forward.present)

    merged = []
    for place, one in enumerate(held):
        if len(one) == 1 and place >= cut:  # what one task trains alone, as its head
            merged.append(next(iter(one.values())) if own is None else task_gradients.weighted_sum(one, own))
        else:
            merged.append(balancer.merge(one, weights, forward.number, place) if one else None)
    targets, seeds = [forward.rest], [tf.constant(1.0)]
    for feature, seed in zip(forward.features, merged[:cut], strict=True):
        if seed is not None:
            targets.append(feature)
            seeds.append(seed)
    others = forward.tape.gradient(targets, forward.variables, seeds)
    if not cut:
        known = [one for one in others if one is not None]
        total = iter(forward.reduce(known) if known else [])
        others = [None if one is None else next(total) for one in others]
    gradients = [_add(one, other) for one, other in zip(merged[cut:], others, strict=True)]
    return Backward(gradients, not cut, weights, gramian)


def _add(one, other):
    return other if one is None else one if other is None else one + other
