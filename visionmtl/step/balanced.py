"""BalancedModel: a functional Keras model of several outputs whose tasks share the update. The only `train_step`."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from visionmtl import balancing as balancers
from visionmtl.errors import UsageError, check_number, one_of
from visionmtl.step import arrays, compiling, due, keras_losses, keras_metrics, optimizing, stateless, tracking
from visionmtl.step.admission import Batch, admitted
from visionmtl.step.conflicts import Conflicts
from visionmtl.step.diagnosis import Diagnosis, diagnose
from visionmtl.step.epochs import with_epochs
from visionmtl.step.faults import Faults, Found
from visionmtl.step.finite import Guard
from visionmtl.step.given import check_run, named
from visionmtl.step.pace import Pace
from visionmtl.step.parted import PartedModel
from visionmtl.step.plain_words import plain_words
from visionmtl.step.plan import Plans
from visionmtl.step.position import Position
from visionmtl.step.rates import checked
from visionmtl.step.sizes import AsGiven
from visionmtl.step.task_losses import TaskLosses, task_losses
from visionmtl.step.training_step import training_step


@keras.saving.register_keras_serializable("visionmtl")
class BalancedModel(PartedModel):
    """A functional model with one loss per task, combined by a balancer. Knows nothing of vision.

    A task is an output (or, in a subclass, a group of outputs) with a loss. A task's loss in a step is the mean over
    the samples labelled for it, on ALL replicas together; a task with no labelled sample in the batch takes no part.

    Attributes:
        balancer: what combines the losses or the gradients, once compiled.
        conflicts: what was seen of how the tasks' gradients lie to each other; `conflicts.watch` has them compared.
        guard: what was seen of steps that are not finite.

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
    faults: Faults
    guard: Guard
    plans: Plans
    pace: Pace
    sizes = AsGiven()
    train_function: Any
    tracing = staticmethod(lambda compares, size: None)  # called before a further kind of step is traced

    def compile(
        self,
        optimizer: Any = "adam",
        loss: Mapping | None = None,
        metrics: Mapping | None = None,
        balancing: Any = "equal",
        clip_norm: float | None = None,
        check_values: bool = True,
        skip_nonfinite: bool = True,
        rates: Mapping[str, float] | None = None,
        *,
        freeze_statistics: Sequence[str] = (),
        synchronise_statistics: bool | None = None,
        remat: Sequence[str] = (),
        **kwargs: Any,
    ) -> None:
        """Prepare for training.

        Args:
            optimizer: as in Keras.
            loss: `{output name: Keras loss}`; an output without one is not trained.
            metrics: `{output name: Keras metric or list of them}`.
            balancing: name of a balancer, `{"method": name, hyperparameter: value}`, or a balancer.
            clip_norm: largest norm of the gradient over all variables and replicas; None for no limit.
            check_values: whether every batch is looked through for labels and images that cannot be.
            skip_nonfinite: whether a step whose loss or gradient is NaN or infinite is skipped, and counted: it leaves
                the model, the optimizer, the balancer and all that is logged as they were.
            rates: by which fraction of the learning rate parts learn, as `{"backbone": 0.1}`: names of `parts`, or of
                layers where the model has no parts. Those of parts that overlap are multiplied; weight decay is scaled
                with the rate.
            freeze_statistics: parts, named as in `rates`, whose batch normalisations use and keep the statistics they
                have while their weights learn: those of small batches are noisy.
            synchronise_statistics: whether batch normalisations take the statistics of all replicas together, so that
                several train like one, or each replica its own; None for what each layer's `synchronized` says.
            remat: parts whose layers' inner results are computed again on the way back instead of kept, for memory.
            **kwargs: further arguments of `keras.Model.compile`.

        Raises:
            UsageError: an output, part or balancer is unknown, or the model was built outside the strategy in force.
        """
        if tf.distribute.has_strategy() and tf.distribute.get_strategy() is not self._distribute_strategy:
            raise UsageError("The model was built outside strategy.scope(): build it and compile it in the same scope.")
        if clip_norm is not None:
            check_number("compile", "clip_norm", clip_norm, above=0)
        keras_losses.check_arguments(kwargs)
        compiling.check(kwargs.get("jit_compile"), self.distribute_strategy.num_replicas_in_sync)
        super().compile(optimizer=optimizer, **kwargs)
        optimizing.check_replicas(self.optimizer, self.distribute_strategy.num_replicas_in_sync)
        self.compiled_with = {"loss": loss, "metrics": metrics, "balancing": balancing, "clip_norm": clip_norm}
        self.compiled_with |= {
            "check_values": check_values,
            "skip_nonfinite": skip_nonfinite,
            "rates": checked(rates),
        } | kwargs
        self.faults, self.guard = Faults(check_values, self.workers), Guard(skip_nonfinite, told=not self.jit_compile)
        self.position = Position()
        self.clip_norm = clip_norm
        self._prepare_losses(loss, metrics)
        for kept in ("balancer", "balancer_state"):
            if getattr(self, kept, None) is not None:
                delattr(self, kept)
        self.balancer = balancers.get(balancing)
        self._prepare_balancer()
        optimizing.keep_from_decay(self.optimizer, self.balancer.trainable_variables)
        self.scale_rates(self.optimizer)
        stateless.accept_none(self)
        self._freeze_statistics(freeze_statistics)
        self._synchronise_statistics(synchronise_statistics)
        self._rematerialise(remat)
        self._clips_itself = optimizing.clip_accumulated(self.optimizer, clip_norm)
        self._trackers = tracking.means(f"{name}_loss" for name in self.task_names)
        self._weights = tracking.means(f"weight/{name}" for name in self.task_names)
        self.running = tracking.Losses(self._loss_tracker, self._trackers)

    def _prepare_balancer(self) -> None:
        """Create the balancer's state, and the plans of the steps that it wants."""
        balancer = self.balancer
        self.plans = Plans(self, balancer, self.task_outputs())
        balancer.prepare(self.task_names, self._regression(), self.plans.shared())
        if balancer.state is not None:
            self.balancer_state = balancer.state  # a layer, which the model saves
        self.conflicts = Conflicts(len(self.task_names))
        accumulation = optimizing.accumulation(self.optimizer)
        self.pace = Pace(balancer, self.conflicts, self.steps_per_execution, accumulation)

    def moved_by_steps(self) -> list:
        """Return the variables that a training step may move beside those that its optimizer does."""
        measured = [*self.metrics_variables, *self.running.others.variables, *self.conflicts.variables]
        return [*self.non_trainable_variables, *measured]

    def task_outputs(self) -> dict[str, list]:
        """Return each task's symbolic outputs, of which its loss is made."""
        outputs = self._output_structure()
        return {name: [outputs[name]] for name in self.task_names}

    def _prepare_losses(self, loss: Mapping | None, metrics: Mapping | None) -> None:
        """Read the losses and metrics of `compile`; a subclass whose tasks bring their own overrides this."""
        outputs = self._output_structure()
        self._losses_of = keras_losses.losses(loss, outputs)
        self._metrics_of = keras_metrics.metrics(metrics, outputs)
        keras_losses.check_masks(self)

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

    def admit(self, data: Any, tasks: Sequence[str] | None = None) -> Batch:
        """Return a batch as it was given, for all tasks or some, in the form of the contract; checked when traced.

        Raises:
            UsageError: labels or weights are not by task, or not in a form that the tasks take.
        """
        batch = self.formed(admitted(data, self.task_names if tasks is None else tasks))
        with tf.control_dependencies(self.faults.note(lambda: self.value_faults(batch))):
            return batch._replace(labels=tf.nest.map_structure(tf.identity, batch.labels))

    def formed(self, batch: Batch) -> Batch:
        """Return a batch with labels in the form that losses take; a subclass whose tasks know it overrides this."""
        return batch

    def value_faults(self, batch: Batch) -> Found:
        """Return, in graph, what is wrong with the values of a batch; of what Keras's losses take nothing is known."""
        return {}

    def sample_losses(self, labels: Mapping, outputs: Mapping, weights: Mapping | None = None) -> dict[str, tf.Tensor]:
        """Return the loss of each sample `[B]` for each task whose labels are given.

        Args:
            labels: by task.
            outputs: of the model.
            weights: of the samples `[B]`, by task, for losses that look at what is labelled in the whole batch.
        """
        return keras_losses.sample_losses(self._losses_of, labels, outputs)

    def task_losses(
        self, labels: Mapping, outputs: Mapping, weights: Mapping | None, sub_batches: int = 1
    ) -> TaskLosses:
        """Return the tasks' mean losses over all replicas, and what this replica adds to them."""
        return task_losses(self.sample_losses(labels, outputs, weights), weights, self.task_names, sub_batches)

    def other_loss(self) -> tf.Tensor:
        """Return the sum of the losses that are no task's, as of layers, whatever these compute in."""
        return tf.add_n([tf.constant(0.0), *(tf.reduce_sum(tf.cast(loss, tf.float32)) for loss in self.losses)])

    def diagnose(self, batch: Batch) -> Diagnosis:
        """Return where in a batch, as `guard.last` has one, what is not finite comes from; nothing is moved."""
        return diagnose(self, batch)

    def train_step(self, data: Any) -> dict[str, Any]:
        """Train on a batch as Keras has a model do it: by the plan of the step that is due."""
        return training_step(self, data, self.plans.due)

    def reset_metrics(self) -> None:
        """Forget what was measured."""
        super().reset_metrics()
        if self.compiled:
            self.running.reset()

    def test_step(self, data: Any) -> dict[str, Any]:
        """Measure a batch as Keras has a model do it."""
        labels, outputs, weights, _, logs = self._measured(data)
        return logs | tracking.results(tracking.follow_metrics(self._metrics_of, labels, outputs, weights))

    def _measured(self, data: Any) -> tuple[Mapping, dict, Mapping | None, dict[str, tf.Tensor], dict[str, tf.Tensor]]:
        """Return a batch's labels, outputs and weights, its samples' losses by task, and the logs of its losses."""
        images, labels, weights = self.admit(data)
        outputs = self(images, training=False)
        losses = self.sample_losses(labels, outputs, weights)
        tasks = task_losses(losses, weights, self.task_names)
        others = self.other_loss()
        total = self.balancer.objective(tasks.means, tasks.present) + others
        self.running.follow(total, others, tasks)
        return labels, outputs, weights, losses, self.running.results()

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
        """Train as Keras does, on NumPy labels and weights by task too; the balancer learns where epochs end."""
        given = named("fit", args, kwargs, taken=6)
        check_run(batch_size, epochs, callbacks, x, given)
        y = arrays.prepare(self, given, x, y)
        replicas = self.distribute_strategy.num_replicas_in_sync
        with plain_words(x, batch_size, replicas), compiling.told(self.jit_compile):
            callbacks = with_epochs(callbacks, self.guard, self.began)
            return super().fit(x, y, batch_size, epochs, verbose, callbacks, **given)

    def make_train_function(self, force: bool = False) -> None:
        """Build the training steps, as Keras does: of each size those that compare the tasks' gradients or do not.

        What the optimizer keeps is built first: a step that creates no variable traces once.
        """
        self.build_optimizer()
        if self.train_function is not None and not force:
            return
        self.sizes.check(self)
        steps = {}
        for kind in itertools.product((False, True), self.sizes.all):  # each is traced once it is due, and not before
            super().make_train_function(force=True)
            steps[kind] = self.train_function

        self.train_function = due.step(self, steps)
