"""BalancedModel: a functional Keras model of several outputs whose tasks share the update. The only `train_step`."""

from typing import Any

import keras
import tensorflow as tf

from visionmtl import balancing as balancers
from visionmtl.errors import UsageError, one_of
from visionmtl.step import keras_losses, parting
from visionmtl.step.backward import Forward, apart, together
from visionmtl.step.conflicts import Conflicts
from visionmtl.step.task_losses import Shares, shares
from visionmtl.step.update import Update


@keras.saving.register_keras_serializable("visionmtl")
class BalancedModel(keras.Model):
    """A functional model with one loss per task, combined by a balancer. Knows nothing of vision.

    A task is an output (or, in a subclass, a group of outputs) with a loss. A task's loss in a step is the mean over
    the samples labelled for it, on ALL replicas together; a task with no labelled sample in the batch takes no part.

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
    train_function: Any
    _parting: Any  # a balancing.shared.Parting or None
    _last_layers: Any
    _cutting: Any  # where the pass that runs is cut, and its tape

    def compile(self, optimizer="adam", loss=None, metrics=None, balancing="equal", clip_norm=None, **kwargs):
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
        self._trackers = {f"{name}_loss": keras.metrics.Mean(name=f"{name}_loss") for name in self.task_names}
        self._weights = {f"weight/{name}": keras.metrics.Mean(name=f"weight/{name}") for name in self.task_names}

    def _prepare_balancer(self):
        """Create the balancer's state, and cut the model where its tasks part if that can be wanted."""
        outputs, balancer = self._task_outputs(), self.balancer
        self._parting, self._last_layers = parting.parting(self, outputs), parting.last_layers(self, outputs)
        if balancer.scope == "features":
            parting.check_common(self._parting, self.task_names)
            compared = self._parting.features if self._parting else []
        else:
            compared = parting.variables(self, outputs)
        balancer.prepare(self.task_names, self._regression(), compared)
        if balancer.state is not None:
            self.balancer_state = balancer.state  # a layer, which the model saves
        self.conflicts = Conflicts(len(self.task_names))
        self._comparing, self._behind = False, None
        if balancer.update_every > 1 and self.steps_per_execution > 1:
            raise UsageError(
                f"update_every={balancer.update_every} needs steps_per_execution=1, but compile was given"
                f" {self.steps_per_execution}: leave one of them out."
            )

    def _task_outputs(self) -> dict[str, list]:
        """Return each task's symbolic outputs."""
        outputs = self._output_structure()
        return {name: [outputs[name]] for name in self.task_names}

    def _prepare_losses(self, loss, metrics):
        """Read the losses and metrics of `compile`; a subclass whose tasks bring their own overrides this."""
        outputs = self._output_structure()
        self._losses_of = keras_losses.losses(loss, outputs)
        self._metrics_of = keras_losses.metrics(metrics, outputs, self._losses_of)

    def _output_structure(self):
        if not isinstance(self._outputs_struct, dict):
            raise UsageError("A BalancedModel's outputs are a dictionary {name: tensor}, one entry a task.")
        return self._outputs_struct

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
        wanted = {id(tensor) for tensor in self._task_outputs()[one_of(task, self.task_names, "task")]}
        outputs = {key: tensor for key, tensor in self.output.items() if id(tensor) in wanted}
        return keras.Model(self.input, outputs, name=f"{self.name}_{task}")

    def sample_losses(self, labels, outputs) -> dict[str, tf.Tensor]:
        """Return the loss of each sample `[B]` for each task whose labels are given."""
        return keras_losses.sample_losses(self._losses_of, labels, outputs)

    def _reduce(self, value):
        """Return the sum of a tensor, or of each of a list of tensors, over the replicas."""
        context = tf.distribute.get_replica_context()
        if context is None or context.num_replicas_in_sync == 1:
            return value
        return context.all_reduce(tf.distribute.ReduceOp.SUM, value)

    def _replicas(self) -> int:
        return self.distribute_strategy.num_replicas_in_sync

    def _task_losses(self, labels, outputs, weights, parts=1) -> Shares:
        """Return the tasks' mean losses, as shares of this replica and of so many parts of the batch."""
        return shares(self.sample_losses(labels, outputs), weights, self.task_names, self._reduce, parts)

    def train_step(self, data):
        images, labels, weights = keras.utils.unpack_x_y_sample_weight(data)
        look, cut = self._plan()
        single = not look and not self.balancer.apart
        with tf.GradientTape(persistent=not single) as tape:
            features, leaves, outputs = self._forward(tape, images, cut)
            found = self._task_losses(labels, outputs, weights, self.balancer.sub_batches if look else 1)
            losses, counts = found.losses, found.counts
            present = tf.cast(counts > 0, tf.float32)
            # The shares move the model, the total the balancer's own variables; the optimizer SUMS over replicas.
            total, slopes = self.balancer.total(losses, present)
            total = tf.add_n([total, *self.losses])
            targets = [self.optimizer.scale_loss(share) for share in (*found.parts, total / self._replicas())]
        forward = Forward(
            tape, self.trainable_variables, targets[:-1], targets[-1], self.optimizer.scale_loss(tf.constant(1.0)),
            losses, slopes, present, found.in_part, features, leaves, self._reduce, self.optimizer.iterations,
        )  # fmt: skip
        back = together(forward) if single else apart(forward, self.balancer, look)
        del tape
        update = Update(self.optimizer, self.trainable_variables, self.clip_norm, self._replicas(), self._reduce)
        (update.sums if back.summed else update.parts)(back.gradients)
        if back.gramian is not None:
            self.conflicts.record(back.gramian, back.weights, present)
        self.balancer.update(losses, present)
        if self.balancer.looks_back:
            self.balancer.look_back(losses, self._losses_again(images, labels, weights), present)
        logs = self._track(total, losses, counts) | self.balancer.logs()
        for name, value in zip(self._weights, tf.unstack(back.weights), strict=True):
            self._weights[name].update_state(value)
            logs[name] = self._weights[name].result()
        return logs | self._update_metrics(labels, outputs, weights)

    def _plan(self) -> tuple[str | None, Any]:
        """Return where this step compares the tasks' gradients, if it does, and where its pass is cut, if it is."""
        if not self._comparing:
            return None, self._parting if self.balancer.apart else None
        if self.balancer.scope is None:  # it is only watched
            return "parameters", self._last_layers
        return self.balancer.scope, self._parting if self.balancer.scope == "features" else None

    def _forward(self, tape, images, cut):
        """Return the features where the pass is cut, the same for what is behind to read, and the outputs."""
        if cut is None:
            return [], [], self(images, training=True)
        self._cutting = cut, tape
        try:
            outputs = self(images, training=True)
        finally:
            self._cutting = None
        return *self._cut_features, outputs

    def _run_through_graph(self, inputs, operation_fn=lambda operation: operation, call_fn=None):
        if getattr(self, "_cutting", None) is None:
            return super()._run_through_graph(inputs, operation_fn, call_fn)
        cut, tape = self._cutting
        features, leaves, outputs = cut.run(self, inputs, operation_fn, tape)
        self._cut_features = tuple(features), tuple(leaves)
        return outputs

    def _losses_again(self, images, labels, weights):
        """Return the losses `[K]` of a batch as a training step sees them, and leave no trace of having looked."""
        own = {id(variable) for variable in self.balancer.variables}
        touched = [variable for variable in self.non_trainable_variables if id(variable) not in own]
        values = [tf.identity(variable) for variable in touched]
        losses = self._task_losses(labels, self(images, training=True), weights).losses
        for variable, value in zip(touched, values, strict=True):
            variable.assign(value)
        return losses

    def _track(self, total, losses, counts):
        """Update the running means of the losses and return them."""
        self._loss_tracker.update_state(total)
        logs = {"loss": self._loss_tracker.result()}
        local = tf.unstack(losses)
        for (name, tracker), value, count in zip(self._trackers.items(), local, tf.unstack(counts), strict=True):
            tracker.update_state(value, sample_weight=count)
            logs[name] = tracker.result()
        return logs

    def _mean_losses(self) -> dict[str, float]:
        """Return each task's mean loss since the last reset, and what the balancer makes of them together.

        Unlike the running mean of the batches' `loss`, it does not depend on how samples fell into batches.
        """
        losses = {name: float(tracker.result()) for name, tracker in self._trackers.items()}
        present = [float(tracker.count > 0) for tracker in self._trackers.values()]
        return {
            "loss": float(self.balancer.scalarise(tf.constant(list(losses.values())), tf.constant(present)))
        } | losses

    def _update_metrics(self, labels, outputs, weights):
        logs = {}
        for name, metrics in self._metrics_of.items():
            if labels.get(name) is None:
                continue
            for metric in metrics:
                metric.update_state(labels[name], outputs[name], None if weights is None else weights.get(name))
                logs[metric.name] = metric.result()
        return logs

    def _measured(self, data):
        """Return a batch's labels, outputs and weights, and the logs of its losses."""
        images, labels, weights = keras.utils.unpack_x_y_sample_weight(data)
        outputs = self(images, training=False)
        _, losses, counts, _ = self._task_losses(labels, outputs, weights)
        total = self.balancer.scalarise(losses, tf.cast(counts > 0, tf.float32))
        return labels, outputs, weights, self._track(total, losses, counts)

    def test_step(self, data):
        labels, outputs, weights, logs = self._measured(data)
        return logs | self._update_metrics(labels, outputs, weights)

    def fit(self, x=None, y=None, batch_size=None, epochs=1, verbose="auto", callbacks=None, *args, **kwargs):
        """Train as Keras does; the balancer learns where epochs end."""
        end = keras.callbacks.LambdaCallback(
            on_epoch_begin=lambda epoch, logs: self._begin_epoch(),
            on_epoch_end=lambda epoch, logs: self.balancer.end_epoch(),
        )
        if isinstance(callbacks, keras.callbacks.CallbackList):
            callbacks.append(end)
        else:
            given = callbacks if isinstance(callbacks, list | tuple) else [callbacks] if callbacks else []
            callbacks = [end, *given]
        return super().fit(x, y, batch_size, epochs, verbose, callbacks, *args, **kwargs)

    def _begin_epoch(self):
        self._behind = None
        self.conflicts.reset()

    def make_train_function(self, force=False):
        """Build the training steps, with and without a comparison of the tasks' gradients, of which one is due.

        What the optimizer keeps is built first: a step that creates no variable traces once.
        """
        self._build_optimizer()
        if self.train_function is not None and not force:
            return
        steps = {}
        for compare in (False, True):
            super().make_train_function(force=True)
            steps[compare] = self.train_function

        def step(iterator):
            # Counted on the host, which need not wait for the device to know which step is due.
            if self._behind is None:
                self._behind = int(keras.ops.convert_to_numpy(self.optimizer.iterations))
            self._comparing = self._due(self._behind)
            if self._comparing:
                self.conflicts.step = self._behind
            self._behind += self.steps_per_execution
            return steps[self._comparing](iterator)

        self.train_function = step

    def _due(self, behind: int) -> bool:
        """Return whether the tasks' gradients are compared in the step after `behind`."""
        if self.balancer.scope is not None:
            return behind % self.balancer.update_every == 0
        every = self.conflicts.every
        return every is not None and behind % every < self.steps_per_execution

    def load_weights(self, *args, **kwargs):
        """Load weights as Keras does, and the optimizer's state where the file has it: training goes on from there."""
        if self.compiled:
            self._build_optimizer()
            self._behind = None
        super().load_weights(*args, **kwargs)

    def _build_optimizer(self):
        if not self.optimizer.built:
            with self.distribute_strategy.scope():
                self.optimizer.build(self.trainable_variables)

    def get_compile_config(self):
        if not self.compiled:
            return {}
        return keras.saving.serialize_keras_object({"optimizer": self.optimizer} | self._arguments)

    def compile_from_config(self, config):
        self.compile(**keras.saving.deserialize_keras_object(config))
        self._build_optimizer()
