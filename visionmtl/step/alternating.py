"""Alternating: training that takes the tasks in turn, one a step, each with its own data and optimizer."""

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from pipelines.errors import plainly
from visionmtl.errors import UsageError, nearest
from visionmtl.step.admission import Batch
from visionmtl.step.balanced import BalancedModel
from visionmtl.step.epochs import Begins, Skips, among
from visionmtl.step.task_losses import task_losses
from visionmtl.step.update import Ready


class Alternating(keras.Model):
    """Train a model's tasks in turn: a step of one task runs its own part of the model and moves what it reaches.

    What `fit` counts as a step is a round: one batch, one pass and one update of each task, in the order of the model's
    tasks. Nothing of another task is computed meanwhile, its labels need not be there, and no losses are balanced. The
    model itself learns; save, evaluate and export it as ever.

    Args:
        model: a compiled model; under a strategy, build this in the same scope.
        optimizers: `{task: optimizer}`; a task not named is moved by the model's own.

    Raises:
        UsageError: the model is not compiled, or with `sizes`, or a task is unknown.

    Example:
        >>> turns = Alternating(model, {"detection": keras.optimizers.SGD(0.01)})
        >>> history = turns.fit({"detection": boxed, "segmentation": masked}, epochs=2)

    Reference: Collobert and Weston 2008, A Unified Architecture for Natural Language Processing, section 4.
    """

    def __init__(self, model: BalancedModel, optimizers: Mapping[str, Any] | None = None):
        super().__init__(name=f"{model.name}_in_turns")
        if not model.compiled:
            raise UsageError("Alternating takes a compiled model: call model.compile first.")
        if model.sizes.all != (None,):
            raise UsageError("Alternating trains on images as they are: compile the model without sizes.")
        self.model = model
        self.routes = {task: model.route(task) for task in model.task_names}
        self.optimizers = {task: keras.optimizers.get(given) for task, given in (optimizers or {}).items()}
        for task in self.optimizers:
            _check(task, model)
        if len({id(optimizer) for optimizer in self.optimizers.values()}) < len(self.optimizers):
            raise UsageError("Two tasks were given one optimizer: give each its own, or none for the model's.")
        model.build_optimizer()
        for task, optimizer in self.optimizers.items():
            optimizer.build(self.routes[task].trainable_variables)
            model.scale_rates(optimizer)
        self.trackers = {task: keras.metrics.Mean(name=f"{task}_loss") for task in self.routes}
        self.compile(model.optimizer, jit_compile=model.jit_compile)
        self.built = True

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        """The running means of the tasks' losses."""
        return list(self.trackers.values())

    def fit(
        self, x: Mapping[str, tf.data.Dataset] | None = None, *args: Any, callbacks: Any = None, **kwargs: Any
    ) -> keras.callbacks.History:
        """Train on `{task: batches of images, labels and weights}`; a round takes one batch of each.

        An epoch ends with the shortest data set, or after `steps_per_epoch` rounds if every data set goes on for ever.
        A batch's labels and weights are `{task: ...}`, of which only the task's own are read.

        Raises:
            UsageError: `x` names a task the model does not have, or not one.
        """
        if not isinstance(x, Mapping) or not x:
            raise UsageError("Alternating.fit takes {task: data set}, one data set of batches for each task to train.")
        for task in x:
            _check(task, self.model)
        with plainly():
            watched = among(Begins(self.model.began), among(Skips(self.model.guard), callbacks))
            return super().fit(tf.data.Dataset.zip(dict(x)), *args, callbacks=watched, **kwargs)

    def evaluate(self, *args: Any, **kwargs: Any) -> Any:
        """Evaluate the model, all tasks together, as the model itself does."""
        kwargs.pop("_use_cached_eval_dataset", None)
        return self.model.evaluate(*args, **kwargs)

    def train_step(self, data: Mapping[str, Any]) -> dict[str, tf.Tensor]:
        """Train a step of each task that `data` has a batch of."""
        for task in self.routes:
            if task in data:
                self._turn(task, self.model.admit(data[task], [task]))
        return {f"{task}_loss": self.trackers[task].result() for task in self.routes if task in data}

    def _turn(self, task: str, batch: Batch) -> None:
        """Train one step of a task."""
        model, route = self.model, self.routes[task]
        optimizer: Any = self.optimizers.get(task, model.optimizer)
        replicas = model.distribute_strategy.num_replicas_in_sync
        guard, tracker = model.guard, self.trackers[task]
        moved = guard.before(lambda: [*model.moved_by_steps(), *tracker.variables])
        with tf.GradientTape() as tape:
            losses = model.sample_losses(batch.labels, route(batch.images, training=True), batch.weights)
            tasks = task_losses(losses, batch.weights, [task])
            others = model.other_loss()
            target = optimizer.scale_loss(tasks.local[0] + others / replicas)
        reached = zip(tape.gradient(target, route.trainable_variables), route.trainable_variables, strict=True)
        known = [(gradient, variable) for gradient, variable in reached if gradient is not None]
        ready = Ready([gradient for gradient, _ in known], [variable for _, variable in known])
        finite = guard.update(optimizer, ready, [tasks.means, others])
        tracker.update_state(tasks.means[0], sample_weight=tasks.counts[0])
        guard.after(finite, moved, batch, tasks.means)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Return the model's outputs."""
        return self.model(inputs, training=training)


def _check(task: str, model: BalancedModel) -> None:
    if task not in model.task_names:
        valid = ", ".join(model.task_names)
        raise UsageError(f"The model has no task '{task}'.{nearest(task, model.task_names)} Tasks: {valid}.")
