"""One look at a model in training: what a step for each task alone would do to all, and how their gradients lie."""

import re
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from visionmtl.errors import UsageError
from visionmtl.step import parting
from visionmtl.step.admission import Batch, admitted
from visionmtl.step.task_losses import TaskLosses
from visionmtl.step.update import untouched

DIRECTIONS = 64  # at random, that gradients are projected to
WHOLE = "all levels"


class NothingSharedError(UsageError):
    """Tasks that nothing can be said of: there is one, or they share no parameters."""


class Seen(NamedTuple):
    """What one look saw of K tasks; NaN for a task without labels in the batch.

    Attributes:
        before: `[K]`, the losses.
        after: `[K, K]`, the losses once the shared parameters made a step for the task of the row alone.
        gramians: by level, `[K, K]`: the inner products of the tasks' gradients by its shared parameters.
        broken: whether a loss of a task with labels was not finite.
    """

    before: np.ndarray
    after: np.ndarray
    gramians: dict[str, np.ndarray]
    broken: bool = False


class Look:
    """Looks at a BalancedModel without moving it: a training that is looked at goes as it would.

    As in the paper's equation 1 and its authors' code, the step that is tried is one of plain gradient descent, on one
    task's loss as it is, and all losses are measured again on the same batch, in training mode: neither the optimizer's
    moments, nor weight decay, nor the balancer's weights are in it. Other than there, its rate is the same in all
    looks, not that of the schedule, or those at its ends would count for nothing; its gradient is limited as the
    training's is; it moves what two tasks or more use, where theirs is used by all; and not every step is looked at.
    Half precision tells losses to two or three digits, which what a step brings lies below: of one look it is noise.

    Args:
        model: compiled; on one device.
        rate: of the step that is tried, of plain gradient descent.
        limit: largest norm of the gradient of that step, over the shared parameters; None for no limit.

    Attributes:
        variables: the parameters that two tasks or more use.

    Raises:
        NothingSharedError: there is one task, or no parameter that learns is shared.

    Reference: Fifty et al. 2021, Efficiently Identifying Task Groupings for Multi-Task Learning.
    """

    def __init__(self, model: Any, rate: float, limit: float | None = None):
        self.model, self.rate, self.limit = model, rate, limit
        self.tasks = list(model.task_names)
        if len(self.tasks) < 2:
            raise NothingSharedError(
                f"The one task '{self.tasks[0]}' has none to get on with: affinity takes two or more."
            )
        self.variables = parting.variables(model, model.task_outputs())
        if not self.variables and parting.frozen(model, model.task_outputs()):
            raise NothingSharedError(
                "All that the tasks share is frozen, so that no gradients meet in it: leave a part that they share,"
                " such as the neck, out of training.freeze."
            )
        if not self.variables:
            scheme = getattr(getattr(model, "sharing", None), "name", None)
            raise NothingSharedError(
                f"{f'With model.sharing={scheme}' if scheme else 'Here'} each task trains parameters of its own, in"
                " which no gradients meet: choose a scheme that shares some, such as model.sharing=hard."
            )
        self.levels = _levels(model, self.variables)
        count = sum(int(np.prod(variable.shape)) for variable in self.variables)
        signs = np.random.default_rng(0).integers(0, 2, (-(-count // DIRECTIONS), DIRECTIONS)) * 2 - 1
        self._signs = tf.constant(signs, tf.float32)
        self._try = tf.function(self._tried, reduce_retracing=True, autograph=False)
        self._project = tf.function(self._projected, reduce_retracing=True, autograph=False)

    def __call__(self, data: Any) -> Seen:
        """Look at the model by a batch."""
        batch = self._batch(data)
        tried = [self._try(batch, tf.constant(task)) for task in range(len(self.tasks))]
        (before, _, present, _), afters = tried[0], [each[1].numpy() for each in tried]
        rows = [each[3] for each in tried]
        known = present.numpy() > 0
        gramians = {level: _gramian([row[level] for row in rows]) for level in self.levels}
        gramians[WHOLE] = np.sum(list(gramians.values()), axis=0)
        both, measured = known[:, None] & known, np.array([before.numpy(), *afters])
        return Seen(
            np.where(known, measured[0], np.nan),
            np.where(both, measured[1:], np.nan),
            {level: np.where(both, gramian, np.nan) for level, gramian in gramians.items()},
            not np.isfinite(measured[np.ix_([True, *known], known)]).all(),
        )

    def sketch(self, data: Any) -> tuple[np.ndarray, np.ndarray]:
        """Return the tasks' gradients by the shared parameters, projected at random `[K, D]`, and the losses `[K]`.

        The model is used as in evaluation: a sample's gradient does not depend on the others'. Each number of a
        gradient is added, with a random sign, to one of D sums: products of projections are as those of the gradients
        in the mean, over signs (as of a count sketch; Charikar et al. 2002).
        """
        batch = self._batch(data)
        found = [self._project(batch, tf.constant(task)) for task in range(len(self.tasks))]
        known = found[0][2].numpy() > 0
        gradients = np.where(known[:, None], np.array([each[0].numpy() for each in found]), np.nan)
        return gradients, np.where(known, found[0][1].numpy(), np.nan)

    def _batch(self, data: Any) -> Batch:
        return self.model.formed(admitted(data, self.tasks))

    def _losses(self, batch: Batch, training: bool) -> TaskLosses:
        outputs = self.model(batch.images, training=training)
        return self.model.task_losses(batch.labels, outputs, batch.weights)

    def _target(self, losses: TaskLosses, task: tf.Tensor) -> tf.Tensor:
        """Return a task's loss, scaled as the optimizer scales it, or its gradient would vanish in half precision."""
        return self.model.optimizer.scale_loss(tf.gather(tf.stack(losses.local), task))

    def _gradients(self, tape: tf.GradientTape, target: tf.Tensor) -> list[tf.Tensor]:
        """Return float32 gradients of a target's loss, not scaled; zeros for what it does not depend on."""
        scale = self.model.optimizer.scale_loss(tf.constant(1.0))
        return [
            tf.zeros(variable.shape)
            if gradient is None
            else tf.cast(tf.convert_to_tensor(gradient), tf.float32) / scale
            for gradient, variable in zip(tape.gradient(target, self.variables), self.variables, strict=True)
        ]

    def _tried(self, batch: Batch, task: tf.Tensor) -> tuple:
        """Return the losses before and after a step for a task, which tasks are there, and its gradient by level."""
        moving = self.model.non_trainable_variables
        with untouched(moving), tf.GradientTape() as tape:
            losses = self._losses(batch, training=True)
            target = self._target(losses, task)
        with tf.control_dependencies([losses.means]):
            gradients = self._gradients(tape, target)
        scale = tf.constant(self.rate)
        if self.limit is not None:
            scale *= tf.minimum(1.0, self.limit / tf.maximum(tf.linalg.global_norm(gradients), 1e-12))
        with untouched([*self.variables, *moving]):
            for variable, gradient in zip(self.variables, gradients, strict=True):
                variable.assign_sub(tf.cast(scale * gradient, variable.dtype))
            after = self._losses(batch, training=True).means
        flat = [tf.reshape(gradient, [-1]) for gradient in gradients]
        by_level = {level: tf.concat([flat[i] for i in places], 0) for level, places in self.levels.items()}
        return losses.means, after, losses.present, by_level

    def _projected(self, batch: Batch, task: tf.Tensor) -> tuple:
        """Return a task's gradient projected, all losses, and which tasks are there."""
        with tf.GradientTape() as tape:
            losses = self._losses(batch, training=False)
            target = self._target(losses, task)
        gradients = self._gradients(tape, target)
        flat = tf.concat([tf.reshape(gradient, [-1]) for gradient in gradients], 0)
        rows = tf.reshape(tf.pad(flat, [[0, tf.size(self._signs) - tf.size(flat)]]), tf.shape(self._signs))
        return tf.reduce_sum(rows * self._signs, axis=0), losses.means, losses.present


def _gramian(rows: list[tf.Tensor]) -> np.ndarray:
    together = tf.stack(rows)
    return tf.matmul(together, together, transpose_b=True).numpy()


def _levels(model: Any, variables: list) -> dict[str, list[int]]:
    """Return the places of the variables of each level of the backbone, of the neck, and of what is neither."""
    parts = getattr(model, "parts", {})
    named = sorted(part for part in parts if re.fullmatch(r"P\d+", part))
    of: dict[int, str] = {}
    for part in [*named, *(["neck"] if "neck" in parts else [])]:
        for layer in parts[part]:
            of.update({id(variable): part for variable in model.get_layer(layer).trainable_variables})
    levels: dict[str, list[int]] = {}
    for place, variable in enumerate(variables):
        levels.setdefault(of.get(id(variable), "other"), []).append(place)
    return {part: levels[part] for part in [*named, "neck", "other"] if part in levels}
