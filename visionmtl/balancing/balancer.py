"""What every balancer is to the training step that asks it."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import keras
import tensorflow as tf

from visionmtl.balancing.method import Method
from visionmtl.balancing.task_gradients import TaskGradients, weighted_sum

SCOPES = ("parameters", "features")


class ForwardPass(Protocol):
    """What a balancer may read of the forward pass of a step; `step.backward.Forward` says more of it."""

    @property
    def losses(self) -> tf.Tensor:
        """`[K]`, the tasks' mean losses over all replicas."""

    @property
    def present(self) -> tf.Tensor:
        """`[K]`, 1 for a task with labels in this batch."""

    @property
    def slopes(self) -> tf.Tensor | None:
        """`[K]`, those of `Balancer.total` by the losses; None where the balancer gave none."""

    @property
    def features(self) -> Sequence[tf.Tensor]:
        """The maps of this replica's images where the pass is cut; none if it is not cut."""

    @property
    def unit(self) -> tf.Tensor:
        """What the optimizer scaled the losses by, and so the gradients."""

    @property
    def variables(self) -> Sequence[Any]:
        """All that is trained."""

    @property
    def reduce(self) -> Callable[[Any], Any]:
        """Sums a tensor, or each of a list, over the replicas."""

    @property
    def number(self) -> tf.Tensor:
        """Of the steps behind."""


class Balancer(Method):
    """How K tasks share the update; the three families are built on it.

    Attributes:
        tasks: the names of the K tasks, once prepared.
        scope: where it has the gradients of the tasks compared: "parameters", "features", a level such as "P5", or None
            for nowhere.
        scopes: those it can be had with, where it has any.
        apart: whether it needs each task's gradient apart in every step; else one pass back, from one number, will do.
        state: the layer that holds its state, for the model to save; None where it has none or is that layer itself.
        sub_batches: of the batch, dealt out in turn, whose gradients it has compared with each other: 1 or 2.
        update_every: steps from one comparison to the next.
        max_norm: largest norm of the gradient, over all replicas, of what several tasks train; None for no limit. What
            one task trains alone is not clipped, and the weights that are logged are those before.
        looks_back: whether it wants the losses of the batch once more after the step, at the price of a forward pass.
    """

    tasks: list[str]
    scope: str | None = None
    scopes: tuple[str, ...] = SCOPES
    apart = True
    state: Any = None
    sub_batches = 1
    update_every = 1
    max_norm: float | None = None
    looks_back = False

    def prepare(self, tasks: list[str], regression: list[bool], shared: Sequence[Any] = ()) -> None:
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

    def objective(self, losses: tf.Tensor, present: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Return the number that is logged as `loss`: `scalarise`, with what the user has it leave out."""
        return self.scalarise(losses, present, training)

    def total(self, losses: tf.Tensor, present: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor | None]:
        """Return `objective` of a training step, and its slopes by the losses `[K]` where these are the weights."""
        return self.scalarise(losses, present, training=True), None

    def smooth(self, held: TaskGradients, forward: ForwardPass) -> TaskGradients:
        """Return the gradients to compare and merge in place of those of the step, and move the state past it.

        Args:
            held: the gradients: by variable and summed over the replicas, or with the scope "features" by shared map,
                of this replica's images.
            forward: the pass.
        """
        return held

    def weigh(self, gramian: tf.Tensor | None, forward: ForwardPass, product: tf.Tensor | None = None) -> tf.Tensor:
        """Return the weights `[K]` of a step, and move the state past it.

        Args:
            gramian: float32 `[K, K]`, or None where nobody looked.
            forward: the pass.
            product: `[K, K]`, of the gradients of two sub-batches, where it wants them.
        """
        raise NotImplementedError

    def weights_of_own(self, weights: tf.Tensor | None, losses: tf.Tensor, present: tf.Tensor) -> tf.Tensor | None:
        """Return what multiplies the gradient of what one task trains alone, `[K]`; None leaves it as it is."""
        return None

    def merge(self, gradients: dict[int, tf.Tensor], weights: tf.Tensor, number: tf.Tensor, place: int) -> tf.Tensor:
        """Return one gradient from those of the tasks that reach a source.

        Args:
            gradients: by the number of the task.
            weights: `[K]`.
            number: of steps behind; with `place`, which tells sources apart, the seed of a random draw.
            place: of the source.
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


def add_state(
    layer: keras.layers.Layer, name: str, shape: Sequence[int] = (), value: Any = 0.0, dtype: str = "float32"
) -> Any:
    """Add a variable to a layer that no gradient trains and all replicas assign the same."""
    return layer.add_weight(
        name=name,
        shape=shape,
        initializer=keras.initializers.Constant(value) if dtype == "float32" else "zeros",
        dtype=dtype,
        trainable=False,
        aggregation="only_first_replica",
    )
