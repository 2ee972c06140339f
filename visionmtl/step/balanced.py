"""BalancedModel: a functional Keras model of several outputs whose tasks share the update. The only `train_step`."""

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from pipelines.errors import plainly
from visionmtl import balancing as balancers
from visionmtl.errors import UsageError, one_of
from visionmtl.step import keras_losses, tracking
from visionmtl.step.backward import Forward, Targets, apart, together
from visionmtl.step.conflicts import Conflicts
from visionmtl.step.cut import Pass
from visionmtl.step.pace import Pace
from visionmtl.step.plan import Plans, StepPlan
from visionmtl.step.task_losses import TaskLosses, check_labels, task_losses
from visionmtl.step.update import Update


@keras.saving.register_keras_serializable("visionmtl")
class BalancedModel(keras.Model):
    """A functional model with one loss per task, combined by a balancer. Knows nothing of vision.

    A task is an output (or, in a subclass, a group of outputs) with a loss. A task's loss in a step is the mean over
    the samples labelled for it, on ALL replicas together; a task with no labelled sample in the batch takes no part.

    Attributes:
        balancer: what combines the losses or the gradients, once compiled.
        conflicts: what was seen of how the tasks' gradients lie to each other; `conflicts.watch` has them compared.

    Example:
        The small network people start from, ten classes and "is there an object":

        >>> image = keras.Input((32, 32, 3))
        >>> x = image
        >>> for filters in (16, 32, 64):
        ...     x = keras.layers.Conv2D(filters, 3, strides=2, activation="relu")(x)
        >>> x = keras.layers.Flatten()(x)
        >>> label = keras.layers.Dense(10, activation="softmax")(x)
        >>> present = keras.layers.Dense(1, activation="sigmoid")(x)
        >>> model = visionmtl.BalancedModel(image, {"label": label, "present": present})
        >>> losses = {"label": "sparse_categorical_crossentropy", "present": "binary_crossentropy"}
        >>> model.compile("adam", loss=losses, balancing="uncertainty")
    """

    balancer: Any  # a balancing.Balancer
    conflicts: Conflicts
    plans: Plans
    pace: Pace
    train_function: Any

    def compile(
        self,
        optimizer: Any = "adam",
        loss: Mapping | None = None,
        metrics: Mapping | None = None,
        balancing: Any = "equal",
        clip_norm: float | None = None,
        **kwargs: Any,
    ) -> None:
        """Prepare for training.

        Args:
            optimizer: as in Keras.
            loss: `{output name: Keras loss}`; an output without one is not trained.
            metrics: `{output name: Keras metric or list of them}`.
            balancing: name of a balancer, `{"method": name, hyperparameter: value}`, or a balancer.
            clip_norm: largest norm of the gradient over all variables and replicas; None for no limit.
            **kwargs: further arguments of `keras.Model.compile`.

        Raises:
            UsageError: an output or a balancer is unknown, or the model was built outside the strategy in force.
        """
        if tf.distribute.has_strategy() and tf.distribute.get_strategy() is not self._distribute_strategy:
            raise UsageError("The model was built outside strategy.scope(): build it and compile it in the same scope.")
        if clip_norm is not None and clip_norm <= 0:
            raise UsageError(f"clip_norm was given as {clip_norm}: expected a positive number, or None for no limit.")
        super().compile(optimizer=optimizer, **kwargs)
        self._arguments = {"loss": loss, "metrics": metrics, "balancing": balancing, "clip_norm": clip_norm} | kwargs
        self.clip_norm = clip_norm
        self._prepare_losses(loss, metrics)
        for kept in ("balancer", "balancer_state"):
            if getattr(self, kept, None) is not None:
                delattr(self, kept)
        self.balancer = balancers.get(balancing)
        self._prepare_balancer()
        inner: Any = getattr(self.optimizer, "inner_optimizer", self.optimizer)
        if inner.weight_decay and not inner.built and not hasattr(inner, "_exclude_from_weight_decay"):
            inner.exclude_from_weight_decay(self.balancer.trainable_variables)
        self._trackers = tracking.means(f"{name}_loss" for name in self.task_names)
        self._weights = tracking.means(f"weight/{name}" for name in self.task_names)

    def _prepare_balancer(self) -> None:
        """Create the balancer's state, and the plans of the steps that it wants."""
        balancer = self.balancer
        self.plans = Plans(self, balancer, self.task_outputs())
        balancer.prepare(self.task_names, self._regression(), self.plans.shared())
        if balancer.state is not None:
            self.balancer_state = balancer.state  # a layer, which the model saves
        self.conflicts = Conflicts(len(self.task_names))
        self.pace = Pace(balancer, self.conflicts)
        if balancer.update_every > 1 and self.steps_per_execution > 1:
            raise UsageError(
                f"update_every={balancer.update_every} needs steps_per_execution=1, but compile was given"
                f" {self.steps_per_execution}: leave one of them out."
            )

    def task_outputs(self) -> dict[str, list]:
        """Return each task's symbolic outputs, of which its loss is made."""
        outputs = self._output_structure()
        return {name: [outputs[name]] for name in self.task_names}

    def _prepare_losses(self, loss: Mapping | None, metrics: Mapping | None) -> None:
        """Read the losses and metrics of `compile`; a subclass whose tasks bring their own overrides this."""
        outputs = self._output_structure()
        self._losses_of = keras_losses.losses(loss, outputs)
        self._metrics_of = keras_losses.metrics(metrics, outputs, self._losses_of)

    def _output_structure(self) -> dict:
        if not isinstance(self.output, dict):
            raise UsageError("A BalancedModel's outputs are a dictionary {name: tensor}, one entry a task.")
        return self.output

    @property
    def task_names(self) -> list[str]:
        """The names of the tasks, in the order of the balancer's losses."""
        return list(self._losses_of)

    def _regression(self) -> list[bool]:
        return [keras_losses.is_regression(loss) for loss in self._losses_of.values()]

    def route(self, task: str) -> keras.Model:
        """Return a functional model of one task's outputs that shares this one's layers and runs nothing of the others.

        Raises:
            UsageError: there is no such task.
        """
        wanted = {id(tensor) for tensor in self.task_outputs()[one_of(task, self.task_names, "task")]}
        outputs = {key: tensor for key, tensor in self.output.items() if id(tensor) in wanted}
        return keras.Model(self.input, outputs, name=f"{self.name}_{task}")

    def sample_losses(self, labels: Mapping, outputs: Mapping) -> dict[str, tf.Tensor]:
        """Return the loss of each sample `[B]` for each task whose labels are given."""
        return keras_losses.sample_losses(self._losses_of, labels, outputs)

    def task_losses(
        self, labels: Mapping, outputs: Mapping, weights: Mapping | None, sub_batches: int = 1
    ) -> TaskLosses:
        """Return the tasks' mean losses over all replicas, and what this replica adds to them.

        Raises:
            UsageError: labels or weights are not by task, or no label is of the model's tasks.
        """
        check_labels(labels, weights, self.task_names)
        return task_losses(self.sample_losses(labels, outputs), weights, self.task_names, sub_batches)

    def other_losses(self) -> list[tf.Tensor]:
        """Return the losses that are no task's, as of layers, each as one number, whatever its layer computes in."""
        return [tf.reduce_sum(tf.cast(loss, tf.float32)) for loss in self.losses]

    def train_step(self, data: Any) -> dict[str, Any]:
        """Train on a batch as Keras has a model do it: by the plan of the step that is due."""
        return self.step(data, self.plans.due)

    def step(self, data: Any, plan: StepPlan) -> dict[str, Any]:
        """Train on a batch, by a plan; return what is logged."""
        images, labels, weights = keras.utils.unpack_x_y_sample_weight(data)
        replicas, scale = self.distribute_strategy.num_replicas_in_sync, self.optimizer.scale_loss
        with tf.GradientTape(persistent=plan.apart) as tape:
            ran = plan.cut(images, tape=tape, training=True) if plan.cut else Pass(self(images, training=True))
            tasks = self.task_losses(labels, ran.outputs, weights, plan.sub_batches)
            # The losses move the model, the total the balancer's own variables; the optimizer SUMS over replicas.
            total, slopes = self.balancer.total(tasks.means, tasks.present)
            total = tf.add_n([total, *self.other_losses()])
            targets = Targets([scale(loss) for loss in tasks.local], scale(total / replicas), scale(tf.constant(1.0)))
        forward = Forward(
            tape=tape,
            ran=ran,
            tasks=tasks,
            slopes=slopes,
            targets=targets,
            variables=self.trainable_variables,
            number=self.optimizer.iterations,
        )
        back = apart(forward, self.balancer, plan.look) if plan.apart else together(forward)
        del tape, forward
        update = Update(self.optimizer, self.trainable_variables, self.clip_norm, replicas)
        update.apply(back.gradients, back.summed)
        if back.gramian is not None:
            self.conflicts.record(back.gramian, back.weights, tasks.present)
        self.balancer.update(tasks.means, tasks.present)
        if self.balancer.looks_back:
            self.balancer.look_back(tasks.means, self._losses_again(images, labels, weights), tasks.present)
        logs = self._follow_losses(total, tasks) | self.balancer.logs() | tracking.follow(self._weights, back.weights)
        return logs | tracking.follow_metrics(self._metrics_of, labels, ran.outputs, weights)

    def _losses_again(self, images: Any, labels: Mapping, weights: Mapping | None) -> tf.Tensor:
        """Return the losses `[K]` of a batch as a training step sees them, and leave no trace of having looked."""
        own = {id(variable) for variable in self.balancer.variables}
        touched = [variable for variable in self.non_trainable_variables if id(variable) not in own]
        values = [tf.identity(variable) for variable in touched]
        losses = self.task_losses(labels, self(images, training=True), weights).means
        for variable, value in zip(touched, values, strict=True):
            variable.assign(value)
        return losses

    def _follow_losses(self, total: tf.Tensor, tasks: TaskLosses) -> dict[str, tf.Tensor]:
        """Take a batch's losses into their running means and return these."""
        self._loss_tracker.update_state(total)
        return {"loss": self._loss_tracker.result()} | tracking.follow(self._trackers, tasks.means, tasks.counts)

    def mean_losses(self) -> dict[str, float]:
        """Return each task's mean loss since the last reset, and what the balancer makes of them together, `loss`."""
        return tracking.mean_losses(self._trackers, self.balancer.scalarise)

    def test_step(self, data: Any) -> dict[str, Any]:
        """Measure a batch as Keras has a model do it."""
        labels, outputs, weights, logs = self._measured(data)
        return logs | tracking.follow_metrics(self._metrics_of, labels, outputs, weights)

    def _measured(self, data: Any) -> tuple[Mapping, dict, Mapping | None, dict[str, tf.Tensor]]:
        """Return a batch's labels, outputs and weights, and the logs of its losses."""
        images, labels, weights = keras.utils.unpack_x_y_sample_weight(data)
        outputs = self(images, training=False)
        tasks = self.task_losses(labels, outputs, weights)
        total = self.balancer.scalarise(tasks.means, tasks.present)
        return labels, outputs, weights, self._follow_losses(total, tasks)

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Any = None,
        *args: Any,
        **kwargs: Any,
    ) -> keras.callbacks.History:
        """Train as Keras does; the balancer learns where epochs end, and broken data is told in one sentence."""
        end = keras.callbacks.LambdaCallback(
            on_epoch_begin=lambda epoch, logs: self._begin_epoch(),
            on_epoch_end=lambda epoch, logs: self.balancer.end_epoch(),
        )
        if isinstance(callbacks, keras.callbacks.CallbackList):
            callbacks.append(end)
        else:
            given = callbacks if isinstance(callbacks, list | tuple) else [callbacks] if callbacks else []
            callbacks = [end, *given]
        with plainly():
            return super().fit(x, y, batch_size, epochs, verbose, callbacks, *args, **kwargs)

    def _begin_epoch(self) -> None:
        self.pace.ask()
        self.conflicts.reset()

    def make_train_function(self, force: bool = False) -> None:
        """Build the training steps, as Keras does: one that compares the tasks' gradients, and one between.

        What the optimizer keeps is built first: a step that creates no variable traces once.
        """
        self.build_optimizer()
        if self.train_function is not None and not force:
            return
        steps = {}
        for compares in (False, True):  # each traces `train_step` once it is due, and not before
            super().make_train_function(force=True)
            steps[compares] = self.train_function

        def step(iterator: Any) -> dict[str, Any]:
            compares = self.pace.compares(self.optimizer.iterations, self.steps_per_execution)
            self.plans.compares = compares
            return steps[compares](iterator)

        self.train_function = step

    def load_weights(self, *args: Any, **kwargs: Any) -> None:
        """Load weights as Keras does, and the optimizer's state where the file has it: training goes on from there."""
        if self.compiled:
            self.build_optimizer()
            self.pace.ask()
        super().load_weights(*args, **kwargs)

    def build_optimizer(self) -> None:
        """Create what the optimizer keeps for the variables that are trained, unless it is there."""
        if not self.optimizer.built:
            with self.distribute_strategy.scope():
                self.optimizer.build(self.trainable_variables)

    def get_compile_config(self) -> dict:
        if not self.compiled:
            return {}
        return keras.saving.serialize_keras_object({"optimizer": self.optimizer} | self._arguments)

    def compile_from_config(self, config: dict) -> None:
        self.compile(**keras.saving.deserialize_keras_object(config))
        self.build_optimizer()
