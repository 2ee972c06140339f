"""What a method is that weighs the tasks by the Gramian of their gradients, and the gradients as it sees them."""

from typing import Any, NamedTuple, Self

import numpy as np
import tensorflow as tf

from visionmtl.balancing.method import K_PASSES, Method

ZERO = 1e-10  # a gradient shorter than this times the longest counts as zero
RIDGE = 1e-12  # keeps the systems of parallel gradients positive definite; far below the 1e-5 asked of a direction


class Gradients(NamedTuple):
    """K gradients as their Gramian shows them, in directions and lengths: unequal lengths cannot spoil a system then.

    Attributes:
        cosines: float64 `[K, K]`; 0 in the rows and columns of absent tasks and of zero gradients.
        norms: float64 `[K]` relative to the longest; 1 for absent tasks and zero gradients, so that one may divide.
        present: float64 `[K]`, 1 where the task takes part.
        active: float64 `[K]`, 1 where it takes part and its gradient is not zero.
        rounding: an eigenvalue of the cosines below this times the largest is rounding.
    """

    cosines: tf.Tensor
    norms: tf.Tensor
    present: tf.Tensor
    active: tf.Tensor
    rounding: float

    def definite(self) -> tf.Tensor:
        """Return the cosines made positive definite in spite of rounding, with 1 on an inactive task's diagonal."""
        lowest = tf.reduce_min(tf.linalg.eigvalsh(self.cosines))
        return self.cosines + tf.linalg.diag(1 - self.active + RIDGE + 2 * tf.maximum(-lowest, 0.0))

    def length(self, coefficients: tf.Tensor) -> tf.Tensor:
        """Return the length of the sum of unit gradients times `coefficients` `[K]`."""
        return tf.sqrt(tf.maximum(tf.tensordot(coefficients, tf.linalg.matvec(self.cosines, coefficients), 1), 0.0))

    def weights(self, weights: tf.Tensor, usable: bool | tf.Tensor = True) -> tf.Tensor:
        """Return `weights` `[K]` of the present tasks if usable, finite and of some gradient that is not 0; else 1."""
        usable = usable & tf.reduce_any(self.active > 0) & tf.reduce_all(tf.math.is_finite(weights))
        return tf.where((self.present > 0) & usable, weights, self.present)


def gradients(gramian: tf.Tensor, present: tf.Tensor | None = None) -> Gradients:
    """Return the gradients a Gramian `[K, K]` shows, without those of absent tasks; one with NaN or Inf counts as 0."""
    gramian = tf.convert_to_tensor(gramian)
    K = gramian.shape[0]
    rounding = 2 * K * float(np.finfo(gramian.dtype.as_numpy_dtype).eps)
    gramian = tf.cast(gramian, tf.float64)
    present = tf.ones(K, bool) if present is None else tf.cast(present, bool)
    gramian = tf.where(present[:, None] & present, gramian, 0.0)
    gramian = tf.where(tf.reduce_all(tf.math.is_finite(gramian)), gramian, 0.0)
    gramian = tf.math.divide_no_nan(gramian, tf.reduce_max(tf.linalg.diag_part(gramian)))
    squares = tf.linalg.diag_part(gramian)
    active = tf.cast(squares > ZERO**2, tf.float64)
    norms = tf.sqrt(tf.where(active > 0, squares, 1.0))
    cosines = gramian / norms / norms[:, None] * active * active[:, None]
    cosines = tf.clip_by_value((cosines + tf.transpose(cosines)) / 2, -1.0, 1.0)
    return Gradients(tf.linalg.set_diag(cosines, active), norms, tf.cast(present, tf.float64), active, rounding)


class Comparison(NamedTuple):
    """What else a step knows when it compares the tasks' gradients.

    Attributes:
        gramian: float32 or float64 `[K, K]`, as it is.
        losses: `[K]`, or None where the Gramian is all there is.
        seed: int32 `[2]`, of stateless draws: another one in every step.
        memory: `[K, ...]`, what the method remembers; None before the first step.
        product: `[K, K]`, of the mean gradients of two sub-batches, where the method wants them; else None.
        preference: float64 `[K]`, how much a task counts beside the others; None for all alike.
    """

    gramian: tf.Tensor
    losses: tf.Tensor | None
    seed: tf.Tensor
    memory: tf.Tensor | None
    product: tf.Tensor | None
    preference: tf.Tensor | None = None

    def preferred(self, seen: Gradients) -> tf.Tensor:
        """Return the preferences, float64 `[K]`: 0 for an absent task, and a mean of 1 over the others."""
        if self.preference is None:
            return seen.present
        given = self.preference * seen.present
        total = tf.reduce_sum(given)
        return tf.where(total > 0, given * tf.math.divide_no_nan(tf.reduce_sum(seen.present), total), seen.present)


class GramianMethod(Method):
    """From the Gramian of K task gradients to the K weights of their sum, `sum_k weights_k * gradient_k`.

    All the computing is float64 in the graph. An absent task weighs exactly 0, and the others what they would weigh
    without it.

    Where every gradient is zero, where the Gramian is not finite, and where a method's own definition has no solution,
    the fall-back is the weight 1 for every present task: `Gradients.weights` sees to it. "Zero" is shorter than 1e-10
    of the longest gradient.

    A subclass declares its hyperparameters and implements `weights`; one that remembers something from step to step
    implements `start` and `weights_and_memory`.

    Attributes:
        draws: whether it draws at random: then the balancer takes a seed.
        sub_batches: 2 where it wants the product of the gradients of two halves of the batch.
        scale_free: whether the weights stay where all gradients grow alike.
        max_norm: that of `Balancer.max_norm`.
    """

    family = "gradient"
    cost = K_PASSES
    draws = False
    sub_batches = 1
    scale_free = True
    max_norm: float | None = None

    def __init__(self, **hyperparameters: Any) -> None:
        self.tune(hyperparameters)

    def weights(self, seen: Gradients, comparison: Comparison) -> tf.Tensor:
        """Return the weights, float64 `[K]`."""
        raise NotImplementedError

    def gain(self) -> float:
        """Return what K equal gradients g give, over K * g: 1 wherever the method's definition allows."""
        return 1.0

    def weighs_heads(self) -> bool:
        """Return whether the weights also hold for what one task trains alone."""
        return False

    def start(self, tasks: int) -> np.ndarray | None:
        """Return the memory of K tasks before the first step; None where nothing is remembered."""
        return None

    def weights_and_memory(self, seen: Gradients, comparison: Comparison) -> tuple[tf.Tensor, tf.Tensor | None]:
        """Return the weights, float64 `[K]`, and what to remember."""
        return self.weights(seen, comparison), None

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this method again."""
        return self.settings()

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Return the method that `get_config` described."""
        return cls(**config)
