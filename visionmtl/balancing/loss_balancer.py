"""LossBalancer: one number from the losses, whose slopes are the weights."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from visionmtl.balancing.balancer import Balancer, ForwardPass, add_state
from visionmtl.balancing.hyperparameters import number_or_none
from visionmtl.balancing.largest_weight import bounded
from visionmtl.balancing.method import ONE_PASS


class LossBalancer(Balancer, keras.layers.Layer):
    """Turn the losses of K tasks into the one number whose gradient trains the model.

    The weight of a task IS the derivative of that number by the task's loss, so that what is logged is what trained.
    State, if any, lives in Keras variables: it is saved, restored and mirrored with the model.

    With `largest_weight` no task weighs more than so many times the mean of the others: what is beyond that is taken
    from the number, whose other terms still train the balancer's own variables as without it.

    A subclass declares its hyperparameters and implements `scalarise`. It may create variables in `prepare`, trained
    ones by `add_weight` and state by `add_state`, and move its state in `update`, `look_back` and `end_epoch`.
    """

    family = "loss"
    cost = ONE_PASS
    apart = False

    largest_weight: float | None = number_or_none(
        "a task weighs at most so many times the mean of the others; null for any number of times", at_least=1
    )

    def __init__(self, dtype: Any = "float32", **kwargs: Any) -> None:
        own = {name: kwargs.pop(name) for name in self.hyperparameters() if name in kwargs}
        super().__init__(dtype=dtype, **kwargs)  # whatever the model computes in, losses and weights do not round
        self.tune(own)

    def prepare(self, tasks: list[str], regression: list[bool], shared: Sequence[Any] = ()) -> None:
        super().prepare(tasks, regression, shared)
        self.built = True

    def add_state(self, name: str, shape: Sequence[int] = (), value: Any = 0.0, dtype: str = "float32") -> Any:
        """Create a variable that no gradient trains; all replicas assign it the same."""
        return add_state(self, name, shape, value, dtype)

    def weights_of(self, losses: tf.Tensor, present: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Return the weight of each task `[K]`: the derivative of `objective` by its loss."""
        return self._total(losses, present, training)[1]

    def objective(self, losses: tf.Tensor, present: tf.Tensor, training: bool = False) -> tf.Tensor:
        if self.largest_weight is None:
            return self.scalarise(losses, present, training)
        return self._total(losses, present, training)[0]

    def total(self, losses: tf.Tensor, present: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor | None]:
        # Both from one evaluation. Evaluated twice, a few steps in a hundred had the weights of the step after: of two
        # equal computations TensorFlow's graph optimizer (its dependency pass) may put one behind the update.
        return self._total(losses, present, training=True)

    def _total(self, losses: tf.Tensor, present: tf.Tensor, training: bool) -> tuple[tf.Tensor, tf.Tensor]:
        losses = tf.stop_gradient(losses)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(losses)
            total = self.scalarise(losses, present, training)
        slopes = tape.gradient(total, losses, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        weights = tf.stop_gradient(slopes)
        if self.largest_weight is not None:
            slopes, weights = weights, bounded(weights, present, self.largest_weight)
            total += tf.reduce_sum((weights - slopes) * losses)
        return total, weights

    def weigh(self, gramian: tf.Tensor | None, forward: ForwardPass, product: tf.Tensor | None = None) -> tf.Tensor:
        if gramian is not None:
            self.see(gramian, forward.losses, forward.present)
        return forward.slopes

    def weights_of_own(self, weights: tf.Tensor | None, losses: tf.Tensor, present: tf.Tensor) -> tf.Tensor | None:
        return weights

    def see(self, gramian: tf.Tensor, losses: tf.Tensor, present: tf.Tensor) -> None:
        """Move the state, in graph, with the Gramian `[K, K]` of the tasks' gradients, where somebody looked."""

    def call(self, losses: Any, present: tf.Tensor | None = None, training: bool = False) -> tf.Tensor:
        """Return `objective`, so that a balancer also works as a layer."""
        losses = tf.convert_to_tensor(losses, tf.float32)
        return self.objective(losses, tf.ones_like(losses) if present is None else present, training)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | self.settings()
