"""The ways back from a forward pass: from the losses of K tasks to one gradient a variable."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import tensorflow as tf

from visionmtl.balancing import task_gradients
from visionmtl.balancing.task_gradients import TaskGradients
from visionmtl.step.cut import Pass
from visionmtl.step.replicas import sum_over_replicas
from visionmtl.step.task_losses import TaskLosses


class Targets(NamedTuple):
    """What is differentiated, scaled as the optimizer wants it.

    Attributes:
        tasks: K a sub-batch: what its samples on this replica add to each task's mean loss.
        rest: this replica's part of the losses that are no task's, and of what trains the balancer.
        unit: the scale.
    """

    tasks: Sequence[tf.Tensor]
    rest: tf.Tensor
    unit: tf.Tensor


class Forward(NamedTuple):
    """A forward pass on this replica, and what it takes to go back from it.

    Attributes:
        tape: of the pass; persistent for `apart`.
        ran: the pass, cut or not.
        tasks: their losses.
        slopes: `[K]`, those of `Balancer.total` by the losses, which are a loss balancer's weights; None for another.
        targets: what is differentiated.
        variables: N that are trained.
        number: of steps behind.
        reduce: sums a tensor, or each of a list, over the replicas.
    """

    tape: tf.GradientTape
    ran: Pass
    tasks: TaskLosses
    slopes: tf.Tensor | None
    targets: Targets
    variables: Sequence[Any]
    number: tf.Tensor
    reduce: Callable[[Any], Any] = sum_over_replicas

    @property
    def losses(self) -> tf.Tensor:
        """The tasks' mean losses over all replicas, `[K]`."""
        return self.tasks.means

    @property
    def present(self) -> tf.Tensor:
        """1 for a task with labels in this batch, else 0, `[K]`."""
        return self.tasks.present

    @property
    def features(self) -> Sequence[tf.Tensor]:
        """The maps of this replica's images where the pass is cut; none if it is not cut."""
        return self.ran.features

    @property
    def unit(self) -> tf.Tensor:
        """What gradients are scaled by, as for float16."""
        return self.targets.unit


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
    targets = [*forward.targets.tasks, forward.targets.rest]
    seeds = [*tf.unstack(forward.slopes), tf.constant(1.0)]
    gradients = forward.tape.gradient(targets, forward.variables, seeds)
    return Backward(gradients, summed=False, weights=forward.slopes, gramian=None)


def apart(forward: Forward, balancer: Any, look: str | None, among: Sequence[Any] | None = None) -> Backward:
    """Go back once a task, and let the balancer merge what comes.

    A cut pass goes back through the heads once a task and through the trunk once for all of them; a whole one goes
    back through everything once a task, and sums over the replicas before anything is compared.

    Args:
        forward: the pass.
        balancer: the balancer.
        look: where the tasks' gradients are compared: at the "parameters" (behind the cut, if there is one), at the
            "features", or nowhere, and the balancer takes the weights it has.
        among: the variables whose gradients are compared; None for all that several tasks train.
    """
    cut = len(forward.ran.leaves)
    tasks, halves = forward.losses.shape[0], len(forward.targets.tasks) > forward.losses.shape[0]
    parted = task_gradients.of(forward.tape, forward.targets.tasks, [*forward.ran.leaves, *forward.variables])
    if not cut:
        parted = task_gradients.summed(task_gradients.own_joined(parted, tasks) if halves else parted, forward.reduce)
    held = task_gradients.joined(parted, tasks) if halves else parted
    gramian = product = None
    if look:
        held = _smoothed(forward, balancer, held, look)
        gramian, product = _compared(forward, parted, held, _places(forward, held, look, among), look)
    weights = balancer.weigh(gramian, forward, product)
    merged = _merged(forward, balancer, held, weights)
    others = _others(forward, merged[:cut])
    gradients = [_add(gradient, other) for gradient, other in zip(merged[cut:], others, strict=True)]
    return Backward(gradients, summed=not cut, weights=weights, gramian=gramian)


def _smoothed(forward: Forward, balancer: Any, held: TaskGradients, look: str) -> TaskGradients:
    """Return the gradients that the balancer compares and merges in place of those of the step."""
    cut = len(forward.ran.leaves)
    if not cut:
        return balancer.smooth(held, forward)
    if look == "features":
        return [*balancer.smooth(held[:cut], forward), *held[cut:]]
    return held


def _places(forward: Forward, held: TaskGradients, look: str, among: Sequence[Any] | None) -> Sequence[int]:
    """Return the places of the sources whose gradients are compared."""
    cut = len(forward.ran.leaves)
    if look == "features":
        return range(cut)
    if among is None:
        return [place for place in range(cut, len(held)) if len(held[place]) > 1]
    wanted = {id(variable) for variable in among}
    return [cut + place for place, variable in enumerate(forward.variables) if id(variable) in wanted]


def _compared(
    forward: Forward, parted: TaskGradients, held: TaskGradients, places: Sequence[int], look: str
) -> tuple[tf.Tensor, tf.Tensor | None]:
    """Return the Gramian `[K, K]`, and of two sub-batches the product of their gradients `[K, K]`.

    Args:
        forward: the pass.
        parted: the gradients of each sub-batch.
        held: those of the whole batch.
        places: of the sources whose gradients are compared.
        look: where they are compared.
    """
    cut, rows = len(forward.ran.leaves), len(forward.targets.tasks)
    halves = rows > forward.losses.shape[0]
    compared = [(parted if halves else held)[place] for place in places]
    if cut and look == "parameters":
        compared = task_gradients.summed(compared, forward.reduce)
    gramian = task_gradients.gramian(compared, rows, forward.unit)
    # A sum of local products is right at the features, where replicas hold other samples, and there alone.
    gramian = forward.reduce(gramian) if look == "features" else gramian
    return task_gradients.across(gramian, forward.tasks.sub_counts) if halves else (gramian, None)


def _merged(forward: Forward, balancer: Any, held: TaskGradients, weights: tf.Tensor) -> list[tf.Tensor | None]:
    """Return one gradient for each feature and variable, from those of the tasks that reach it."""
    own = balancer.weights_of_own(weights, forward.losses, forward.present)
    merged: list[tf.Tensor | None] = []
    for place, gradients in enumerate(held):
        if len(gradients) == 1 and place >= len(forward.ran.leaves):  # what one task trains alone, as its head
            merged.append(
                next(iter(gradients.values())) if own is None else task_gradients.weighted_sum(gradients, own)
            )
        else:
            merged.append(balancer.merge(gradients, weights, forward.number, place) if gradients else None)
    return merged


def _others(forward: Forward, at_features: list[tf.Tensor | None]) -> list[tf.Tensor | None]:
    """Return the gradients, one a variable, of what is no task's, and of the trunk from those at its features."""
    targets, seeds = [forward.targets.rest], [tf.constant(1.0)]
    for feature, seed in zip(forward.ran.features, at_features, strict=True):
        if seed is not None:
            targets.append(feature)
            seeds.append(seed)
    others = forward.tape.gradient(targets, forward.variables, seeds)
    if forward.ran.leaves:
        return others
    known = [gradient for gradient in others if gradient is not None]
    total = iter(forward.reduce(known) if known else [])
    return [None if gradient is None else next(total) for gradient in others]


def _add(gradient: tf.Tensor | None, other: tf.Tensor | None) -> tf.Tensor | None:
    return other if gradient is None else gradient if other is None else gradient + other
