"""What was seen of how the gradients of the tasks lie to each other, for whoever watches a training."""

import numpy as np
import tensorflow as tf

from visionmtl.balancing.task_gradients import cosines


class Conflicts:
    """The last comparison of the tasks' gradients, and how many of the comparisons of an epoch met a conflict.

    Watching costs a training nothing but its time: no state of it is saved, and no update depends on it.

    Args:
        tasks: K.

    Attributes:
        every: steps from one comparison to the next for a balancer that needs none itself; None for never.
        step: the number of the step of the last comparison, from 0; None before the first.
    """

    def __init__(self, tasks: int):
        self.every: int | None = None
        self.step: int | None = None
        self._gramian, self._weights, self._present, self._counts = (
            tf.Variable(
                tf.zeros(shape),
                trainable=False,
                aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
                synchronization=tf.VariableSynchronization.ON_WRITE,
            )
            for shape in ((tasks, tasks), (tasks,), (tasks,), (2,))
        )

    @property
    def variables(self) -> list[tf.Variable]:
        """What is kept on the devices."""
        return [self._gramian, self._weights, self._present, self._counts]

    def watch(self, every: int | None) -> None:
        """Have the gradients compared every so many steps, or with None no more; none counts as made yet."""
        self.every, self.step = every, None

    def record(self, gramian: tf.Tensor, weights: tf.Tensor, present: tf.Tensor) -> None:
        """Keep a comparison, in the graph of a step: the Gramian `[K, K]`, the weights and the tasks present `[K]`."""
        conflict = tf.cast(tf.reduce_any(cosines(gramian) < -1e-6), tf.float32)
        self._gramian.assign(gramian)
        self._weights.assign(weights)
        self._present.assign(present)
        self._counts.assign(self._counts + tf.stack([conflict, 1.0]))

    def reset(self) -> None:
        """Count from zero, as an epoch begins."""
        self._counts.assign([0.0, 0.0])

    def read(self) -> dict[str, np.ndarray]:
        """Return the last comparison, and the fraction of those since `reset` in which two tasks were in conflict.

        Returns:
            `cosines` `[K, K]`, `norms` `[K]`, `weights` `[K]`, `present` `[K]` and `conflicts`; NaN where a task was
            absent.
        """
        matrix, weights, present, counts = (tf.convert_to_tensor(variable).numpy() for variable in self.variables)
        present = present > 0
        both = present[:, None] & present
        return {
            "cosines": np.where(both, cosines(tf.constant(matrix)).numpy(), np.nan),
            "norms": np.where(present, np.sqrt(np.diag(matrix)), np.nan),
            "weights": np.where(present, weights, np.nan),
            "present": present,
            "conflicts": np.array(counts[0] / counts[1] if counts[1] else np.nan),
        }
