"""Steps whose loss or gradient is NaN or infinite: left without a trace on all replicas at once, counted and told."""

import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from visionmtl.step.admission import Batch
from visionmtl.step.few_operations import can_wait
from visionmtl.step.optimizing import scales_loss
from visionmtl.step.replicas import sum_over_replicas
from visionmtl.step.update import Ready

Moved = list[tuple[Any, tf.Tensor]]  # variables that a step may move, each with its value before


class SkippedStep(NamedTuple):
    """A step that was skipped, as the host is told of it.

    Attributes:
        batch: all of it, arrays; None where it is of other things than dense tensors.
        losses: float32 `[K]`, the tasks' mean losses in it.
    """

    batch: Batch | None
    losses: np.ndarray


class Guard:
    """Sees which steps are finite, and keeps those that are not from moving anything.

    A step is finite if the tasks' losses, their total and the norm of the gradient are, over all variables and
    replicas. One that is not moves no weight, nothing of the optimizer (nor its count of steps), no state of the
    balancer, no statistic of a batch, no seed, no running mean and no metric: training goes on as if its batch had not
    been there. Gradients that are scaled, as for float16, may overflow: the optimizer that scales them skips such a
    step itself, by a smaller scale, and only a loss that is not finite is seen here.

    Args:
        wanted: whether such steps are skipped.
        told: whether the host is told of each, with its batch; what XLA compiles cannot.

    Attributes:
        number: how many the host was told of.
        last: the last of them.
    """

    def __init__(self, wanted: bool, told: bool = True):
        self.wanted, self.told = wanted, told
        self.number = self._known = 0
        self.last: SkippedStep | None = None
        self._skipped = tf.Variable(
            0.0,
            trainable=False,
            aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
            synchronization=tf.VariableSynchronization.ON_WRITE,
        )

    @property
    def variables(self) -> list[tf.Variable]:
        """What is counted, as part of the state of a training."""
        return [self._skipped]

    @property
    def skipped(self) -> int:
        """How many steps were skipped since `reset`."""
        return int(tf.convert_to_tensor(self._skipped).numpy())

    def news(self) -> bool:
        """Return whether steps were skipped since this was asked; where the host is not told, whether any could be."""
        known, self._known = self._known, self.number
        return known != self.number if self.told else self.wanted

    def reset(self) -> None:
        """Count from zero, as an epoch begins."""
        self._skipped.assign(0.0)

    def tell(self, epoch: int, logs: dict[str, Any] | None) -> None:
        """Warn of the steps that an epoch skipped and add `skipped_steps` to its logs, if there were any."""
        if skipped := self.skipped:
            steps = f"{skipped} training step{'s' * (skipped > 1)}"
            warnings.warn(
                f"Epoch {epoch + 1} skipped {steps} whose loss or gradient was NaN or infinite: nothing was learnt "
                "from these batches, and the losses logged are those of the others.",
                stacklevel=2,
            )
            if logs is not None:
                logs["skipped_steps"] = skipped

    def before(self, variables: Callable[[], Iterable[Any]]) -> Moved:
        """Return what a step may move beside what its optimizer does, with the values before it, in graph."""
        if not self.wanted:
            return []
        once = {id(variable): variable for variable in variables()}
        return [(variable, tf.identity(variable)) for variable in once.values()]  # no copy: one is made if it moves

    def update(self, optimizer: Any, ready: Ready, losses: Sequence[tf.Tensor]) -> tf.Tensor | None:
        """Update variables from gradients, if the step is finite.

        Args:
            optimizer: does it.
            ready: what it takes.
            losses: numbers or vectors that must be finite.

        Returns:
            Whether the step is finite, bool `[]`, the same on all replicas; None where none is to be skipped.
        """
        if not self.wanted:
            ready.apply(optimizer)
            return None
        scaled = scales_loss(optimizer)
        finite = _finite(losses if scaled else [*losses, ready.length()])
        if self.told and can_wait(optimizer, ready.variables):  # XLA inlines what is apart
            ready.apply(optimizer, go=finite)
            return finite

        def filled(values: list) -> None:
            there = iter(values)
            gradients = [None if gradient is None else next(there) for gradient in ready.gradients]
            ready._replace(gradients=gradients).apply(optimizer)

        def decide(strategy: tf.distribute.Strategy, finite: Any, values: list) -> None:
            # A branch may not wait for other replicas, as an optimizer does, but where it is that of all of them.
            def run() -> tf.Tensor:
                strategy.extended.call_for_each_replica(filled, args=(values,))
                return tf.constant(True)

            tf.cond(strategy.experimental_local_results(finite)[0], run, lambda: tf.constant(False))

        known = [gradient for gradient in ready.gradients if gradient is not None]
        tf.distribute.get_replica_context().merge_call(decide, args=(finite, known))
        return finite

    def after(self, finite: tf.Tensor | None, moved: Moved, batch: Batch, losses: tf.Tensor) -> None:
        """Put back what a step moved beside what its optimizer did, count it and tell of it, unless it is finite.

        Args:
            finite: from `update`.
            moved: from `before`.
            batch: this replica's.
            losses: the tasks' mean losses `[K]`.
        """
        if finite is None:
            return
        variables, values = [variable for variable, _ in moved], [value for _, value in moved]
        leaves = tf.nest.flatten(batch)
        leaves = leaves if self.told and all(isinstance(leaf, tf.Tensor) for leaf in leaves) else []

        def note(losses: np.ndarray, *parts: np.ndarray) -> bool:
            each = len(parts) // max(1, len(leaves))  # how many replicas have a part of each
            whole = [np.concatenate(parts[first : first + each]) for first in range(0, len(parts), each or 1)]
            self.last = SkippedStep(tf.nest.pack_sequence_as(batch, whole) if leaves else None, losses)
            self.number += 1
            return True

        def decide(strategy: tf.distribute.Strategy, finite: Any, values: list, losses: Any, leaves: list) -> None:
            local = strategy.experimental_local_results

            def undo() -> tf.Tensor:
                for variable, value in zip(variables, values, strict=True):
                    whole = variable.value if isinstance(variable, keras.Variable) else variable
                    for part, before in zip(local(whole), local(value), strict=False):  # as it was on each replica
                        part.assign(before)
                self._skipped.assign_add(1.0)
                if self.told:
                    parts = [part for leaf in leaves for part in local(leaf)]
                    return tf.numpy_function(note, [local(losses)[0], *parts], tf.bool)
                return tf.constant(True)

            tf.cond(local(finite)[0], lambda: tf.constant(True), undo)

        args = (finite, values, losses, leaves)
        tf.distribute.get_replica_context().merge_call(decide, args=args)


def _finite(numbers: Sequence[tf.Tensor]) -> tf.Tensor:
    """Return whether numbers and vectors are finite on all replicas, bool `[]`."""
    flat = tf.concat([tf.reshape(tf.cast(number, tf.float32), [-1]) for number in numbers], 0)
    wrong = tf.cast(tf.reduce_any(~tf.math.is_finite(flat)), tf.float32)
    return tf.equal(sum_over_replicas(wrong), 0.0)
