"""What every balancer is: state in Keras variables; and a loss balancer: one number whose slopes are the weights."""

import math
from collections.abc import Sequence

import keras
import tensorflow as tf

from visionmtl.balancing.task_gradients import weighted_sum
from visionmtl.errors import UsageError

SCOPES = ("parameters", "features")


class Balancer:
    """How K tasks share the update; see `LossBalancer` and `gradients.GradientBalancer` for the two kinds.

    Attributes:
        tasks: the names of the K tasks, once prepared.
        scope: where it has the gradients of the tasks compared: "parameters", "features", or None for nowhere.
        apart: whether it needs each task's gradient apart in every step; else one pass back, from one number, will do.
        state: the layer that holds its state, for the model to save; None where it has none or is that layer itself.
        sub_batches: of the batch, dealt out in turn, whose gradients it has compared with each other: 1 or 2.
        update_every: steps from one comparison to the next.
        looks_back: whether it wants the losses of the batch once more after the step, at the price of a forward pass.
    """

    scope: str | None = None
    apart = True
    state: keras.layers.Layer | None = None
    sub_batches = 1
    update_every = 1
    looks_back = False

    def prepare(self, tasks: list[str], regression: list[bool], shared: Sequence = ()) -> None:
        """Create the state for these tasks.

        Args:
            tasks: their names.
            regression: which losses are a regression's (squared error).
            shared: where the tasks' gradients are compared: the variables that several tasks train, or with the scope
                "features" the symbolic maps that they share.
        """
        self.tasks = list(tasks)

    def scalarise(self, losses: tf.Tensor, present: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Return one number from the losses.

        Args:
            losses: float32 `[K]`, each task's mean over all replicas; 0 for a task without labels in this batch.
            present: float32 `[K]`, 1 for a task with labels in this batch, else 0.
            training: whether a step follows; a balancer that draws at random takes its mean otherwise.
        """
        raise NotImplementedError

    def total(self, losses: tf.Tensor, present: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor | None]:
        """Return `scalarise` of a training step, and its slopes by the losses `[K]` where these are the weights."""
        return self.scalarise(losses, present, training=True), None

    def smooth(self, held, forward):
        """Return the gradients to compare and merge in place of those of the step, and move the state past it.

        Args:
            held: the gradients, `task_gradients.TaskGradients`: by variable and summed over the replicas, or with the
                scope "features" by shared map, of this replica's images.
            forward: the pass, `backward.Forward`.
        """
        return held

    def weigh(self, gramian: tf.Tensor | None, forward, product: tf.Tensor | None = None) -> tf.Tensor:
        """Return the weights `[K]` of a step, and move the state past it.

        Args:
            gramian: float32 `[K, K]`, or None where nobody looked.
            forward: the pass, `backward.Forward`.
            product: `[K, K]`, of the gradients of two parts of the batch, where it wants them.
        """
        raise NotImplementedError

    def weights_of_own(self, weights: tf.Tensor, losses: tf.Tensor, present: tf.Tensor) -> tf.Tensor | None:
        """Return what multiplies the gradient of what one task trains alone, `[K]`; None leaves it as it is."""
        return None

    def merge(self, gradients: dict[int, tf.Tensor], weights: tf.Tensor, number: tf.Tensor, place: int) -> tf.Tensor:
        """Return one gradient from those of the tasks that reach a source.

        Args:
            gradients: by the number of the task.
            weights: `[K]`.
            number: of steps behind; with `place`, which tells sources apart, the seed of a random draw.
        """
        return weighted_sum(gradients, weights)

    def update(self, losses: tf.Tensor, present: tf.Tensor) -> None:
        """Move the state past a training step, in graph, with its losses and the tasks present, `[K]`."""

    def look_back(self, before: tf.Tensor, after: tf.Tensor, present: tf.Tensor) -> None:
        """Move the state, in graph, with the losses `[K]` of one batch before and after its step."""

    def end_epoch(self) -> None:
        """Move the state past an epoch of training, on the host."""

    def logs(self) -> dict[str, tf.Tensor]:
        """Return what it is worth to watch beside the weights: scalars by name."""
        return {}


class LossBalancer(Balancer, keras.layers.Layer):
    """Turn the losses of K tasks into the one number whose gradient trains the model.

    The weight of a task IS the derivative of that number by the task's loss, so that what is logged is what trained.
    State, if any, lives in Keras variables: it is saved, restored and mirrored with the model.

    A subclass implements `scalarise`. It may create variables in `prepare`, trained ones by `add_weight` and state by
    `add_state`, and move its state in `update`, `look_back` and `end_epoch`.
    """

    apart = False

    def __init__(self, dtype="float32", **kwargs):
        super().__init__(dtype=dtype, **kwargs)  # whatever the model computes in, losses and weights do not round

    def prepare(self, tasks, regression, shared=()):
        super().prepare(tasks, regression, shared)
        self.built = True

    def add_state(self, name: str, shape=(), value=0.0, dtype="float32"):
        """Create a variable that no gradient trains; all replicas assign it the same."""
        return add_state(self, name, shape, value, dtype)

    def weights_of(self, losses: tf.Tensor, present: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Return the weight of each task `[K]`: the derivative of `scalarise` by its loss."""
        return self._total(losses, present, training)[1]

    def total(self, losses, present):
        # Both from one evaluation. Evaluated twice, a few steps in a hundred had the weights of the step after: of two
        # equal computations TensorFlow's graph optimizer (its dependency pass) may put one behind the update.
        return self._total(losses, present, training=True)

    def _total(self, losses, present, training):
        losses = tf.stop_gradient(losses)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(losses)
            total = self.scalarise(losses, present, training)
        slopes = tape.gradient(total, losses, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        return total, tf.stop_gradient(slopes)

    def weigh(self, gramian, forward, product=None):
        if gramian is not None:
            self.see(gramian, forward.losses, forward.present)
        return forward.slopes

    def weights_of_own(self, weights, losses, present):
        return weights

    def see(self, gramian: tf.Tensor, losses: tf.Tensor, present: tf.Tensor) -> None:
        """Move the state, in graph, with the Gramian `[K, K]` of the tasks' gradients, where somebody looked."""

    def call(self, losses, present=None, training=False):
        """Return `scalarise`, so that a balancer also works as a layer."""
        losses = tf.convert_to_tensor(losses, tf.float32)
        return self.scalarise(losses, tf.ones_like(losses) if present is None else present, training)


def add_state(layer: keras.layers.Layer, name: str, shape=(), value=0.0, dtype="float32"):
    """Add a variable to a layer that no gradient trains and all replicas assign the same."""
    return layer.add_weight(
        name=name,
        shape=shape,
        initializer=keras.initializers.Constant(value) if dtype == "float32" else "zeros",
        dtype=dtype,
        trainable=False,
        aggregation="only_first_replica",
    )


def check_range(method: str, name: str, value, low: float, high: float = math.inf, closed: bool = False) -> float:
    """Return a hyperparameter as a float.

    Raises:
        UsageError: it is no number above `low` (or `low` itself if `closed`) and up to `high`.
    """
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not (low <= value if closed else low < value) or not value <= high:
        limit = f"{'of at least' if closed else 'above'} {low:g}" + (f" and up to {high:g}" if high < math.inf else "")
        raise UsageError(f"balancing '{method}' was given {name}={value!r}: expected a number {limit}.")
    return float(value)


def check_seed(method: str, value) -> int:
    """Return a seed; raise UsageError if it is none."""
    return int(check_range(method, "seed", value, 0, 2**31 - 1, closed=True))


def check_scope(method: str, scope) -> str:
    """Return a scope; raise UsageError if it is none."""
    if scope not in SCOPES:
        raise UsageError(f"balancing '{method}' was given scope={scope!r}: expected {' or '.join(SCOPES)}.")
    return scope


def masked_softmax(logits: tf.Tensor, present: tf.Tensor) -> tf.Tensor:
    """Return the softmax over the present tasks `[K]`, 0 for the others."""
    highest = tf.reduce_max(tf.where(present > 0, logits, tf.reduce_min(logits)))
    shares = tf.exp(tf.where(present > 0, logits - highest, 0.0)) * present
    return tf.math.divide_no_nan(shares, tf.reduce_sum(shares))
