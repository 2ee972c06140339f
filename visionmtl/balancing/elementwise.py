"""Balancers that need more of the task gradients than their inner products: each number of them."""

from typing import Any

import keras
import tensorflow as tf

from visionmtl.balancing import gramian as maths
from visionmtl.balancing import task_gradients
from visionmtl.balancing.balancer import add_state, check_range, check_scope
from visionmtl.balancing.gradients import GradientBalancer
from visionmtl.errors import UsageError


class Elementwise(GradientBalancer):
    """What the balancers of this file have in common: they look at every step.

    Args:
        method: its name.
        scope: "parameters"; the features of one batch are not those of the next.
        seed: of random draws.
        **hyperparameters: of the method.
    """

    scopes: tuple[str, ...] = ("parameters",)

    def __init__(self, method, scope="parameters", seed=0, **hyperparameters):
        if check_scope(method, scope) not in self.scopes:
            raise UsageError(
                f"balancing '{method}' works on the gradient of each parameter and cannot be had with"
                " scope='features': leave scope out."
            )
        super().__init__(method, scope, seed=seed, **hyperparameters)

    def get_config(self):
        return {"scope": self.scope} | self.hyperparameters


@keras.saving.register_keras_serializable("visionmtl")
class SignDropout(Elementwise):
    """Keep of each parameter's task gradients only those of one sign, drawn at random (GradDrop).

    The positive ones stay with probability `(1 + sum(g) / sum(|g|)) / 2`, else the negative ones. The draws follow from
    `seed` and the steps behind. The logged weights are 1: no task is weighed as a whole.

    Args:
        leak: share of what is dropped that is kept nevertheless, from 0 to 1. Default 0.
        seed: of the draws.

    Reference: Chen et al. 2020, Just Pick a Sign: Optimizing Deep Multitask Models with Gradient Sign Dropout,
    algorithm 1, on the gradients of the shared parameters (the paper also drops at features).
    """

    def __init__(self, leak=0.0, scope="parameters", seed=0):
        self.leak = check_range("graddrop", "leak", leak, 0, 1, closed=True)
        super().__init__("graddrop", scope, seed, leak=self.leak)

    def _weights(self, matrix, present, losses, step, product=None):
        weights = tf.ones(matrix.shape[0], tf.float64) if present is None else tf.cast(present, tf.float64)
        return weights, None

    def merge(self, gradients, weights, number, place):
        rows = tf.stack(list(gradients.values()))
        seed = tf.stack([self.seed + 7919 * place, tf.cast(number, tf.int32)])
        draw = tf.random.stateless_uniform(tf.shape(rows)[1:], seed, dtype=tf.float32)
        return keep_one_sign(rows, draw, self.leak)

    def get_config(self):
        return super().get_config() | {"seed": self.seed}


def keep_one_sign(gradients: tf.Tensor, draw: tf.Tensor, leak: float = 0.0) -> tf.Tensor:
    """Return the sum of task gradients `[K, ...]` of which, at each place, one sign was dropped.

    Args:
        gradients: `[K, ...]`.
        draw: `[...]`, uniform in 0..1: the positive ones stay where it is below their share.
        leak: share of the dropped ones that stays.
    """
    total = tf.reduce_sum(gradients, axis=0)
    purity = 0.5 * (1 + tf.math.divide_no_nan(total, tf.reduce_sum(tf.abs(gradients), axis=0)))
    positive = purity > tf.cast(draw, purity.dtype)
    kept = tf.cast(tf.where(positive, gradients > 0, gradients < 0), gradients.dtype)
    return tf.reduce_sum(gradients * (leak + (1 - leak) * kept), axis=0)


@keras.saving.register_keras_serializable("visionmtl")
class DualBalancing(Elementwise):
    """Balance the losses by their logarithms, and the gradients by giving all the length of the longest (DB-MTL).

    Task k's gradient is that of log(L_k), smoothed by a running mean over the steps. K of these means, each as large as
    what the tasks share, are kept in memory and in the checkpoint.

    Scale: that of the logarithm, a gradient over its loss, also for what one task trains alone.

    Args:
        beta: share of the old mean, from 0 to below 1; 0 keeps none. Default 0.9, of the authors' code.
        beta_sigma: the share is `beta / step ** beta_sigma`; at least 0. Default 0.

    Reference: Lin et al. 2023, Dual-Balancing for Multi-Task Learning.
    """

    def __init__(self, beta=0.9, beta_sigma=0.0, scope="parameters"):
        self.beta = check_range("db_mtl", "beta", beta, 0, 1, closed=True)
        self.beta_sigma = check_range("db_mtl", "beta_sigma", beta_sigma, 0, closed=True)
        if self.beta == 1:
            raise UsageError("balancing 'db_mtl' was given beta=1: expected a number from 0 to below 1.")
        super().__init__("db_mtl", scope, beta=self.beta, beta_sigma=self.beta_sigma)

    def prepare(self, tasks, regression, shared=()):
        super().prepare(tasks, regression, shared)
        shapes = {id(variable): tuple(variable.shape) for variable in shared}
        self.means, self.steps = _beside(self.state, "mean", len(tasks), shapes), add_state(self.state, "steps")

    def smooth(self, held, forward):
        scales = self.weights_of_own(None, forward.losses, forward.present) / forward.unit
        step = tf.convert_to_tensor(self.steps) + 1
        share = self.beta / step**self.beta_sigma
        smoothed = []
        for one, variable in zip(held, forward.variables, strict=True):
            if id(variable) not in self.means or len(one) < 2:
                smoothed.append(one)
                continue
            mean, smooth = self.means[id(variable)], {}
            rows = tf.unstack(tf.convert_to_tensor(mean))
            for task, gradient in one.items():
                new = tf.cast(gradient, tf.float32) * scales[task]
                new += share * (rows[task] - new)
                rows[task] = tf.where(tf.math.is_finite(new) & (forward.present[task] > 0), new, rows[task])
                smooth[task] = new * forward.unit
            mean.assign(tf.stack(rows))
            smoothed.append(smooth)
        self.steps.assign(step)
        return smoothed

    def _weights(self, matrix, present, losses, step, product=None):
        return maths.longest_norm(matrix, present), None

    def weights_of_own(self, weights, losses, present):
        return tf.where(present > 0, 1 / (losses + 1e-8), 0.0)


@keras.saving.register_keras_serializable("visionmtl")
class ExcessRisks(Elementwise):
    """Give weight to the tasks that are farthest from what they could reach, not to those of a large loss (ExcessMTL).

    A task's excess risk is estimated as `g' H^-1/2 g`, H being the sum of its squared gradients so far, and taken
    relative to the first one; its weight is multiplied by `exp(step_size * risk)`. The weights also hold for what one
    task trains alone, and sum to K. K of these sums are kept in memory and in the checkpoint.

    Args:
        step_size: above 0. Default 0.01.
        scope: whose gradients tell the risk. "features", the default: those of a shift of each channel of the last maps
            that all tasks share, as a bias there would have; K passes through the heads and one through the backbone.
            "parameters", as in the paper: those of all that several tasks train; K whole passes, and K sums as large.

    Reference: He et al. 2024, Robust Multi-Task Learning with Excess Risks.
    """

    scopes = ("parameters", "features")

    def __init__(self, step_size=0.01, scope="features"):
        self.step_size = check_range("excess_mtl", "step_size", step_size, 0)
        super().__init__("excess_mtl", scope, step_size=self.step_size)

    def _check(self):
        pass

    def prepare(self, tasks, regression, shared=()):
        super().prepare(tasks, regression, shared)
        start = -1 if self.scope == "features" else 0  # of a map the channels count alone
        shapes = {id(one): tuple(one.shape[start:]) for one in shared}
        self.squares = _beside(self.state, "squares", len(tasks), shapes)
        self.first = add_state(self.state, "first", (len(tasks),))
        self.relative = add_state(self.state, "weights", (len(tasks),), 1.0)

    def smooth(self, held, forward):
        risks = [tf.constant(0.0)] * len(self.tasks)
        for one, squares in self._compared(held, forward):
            rows = tf.unstack(tf.convert_to_tensor(squares))
            for task, gradient in one.items():
                square = (tf.cast(gradient, tf.float32) / forward.unit) ** 2
                rows[task] += tf.where(tf.math.is_finite(square), square, 0.0)
                risks[task] += tf.reduce_sum(square / tf.sqrt(rows[task] + 1e-7))
            squares.assign(tf.stack(rows))
        self._move(tf.stack(risks), forward.present)
        return held

    def _compared(self, held, forward) -> list[tuple[dict[int, tf.Tensor], Any]]:
        """Return the tasks' gradients by what they share, summed over the replicas, each beside its sums of squares."""
        if self.scope == "parameters":
            pairs = zip(held, forward.variables, strict=True)
            squares = [(one, self.squares.get(id(variable))) for one, variable in pairs]
            return [(one, sums) for one, sums in squares if sums is not None and len(one) > 1]
        shifts = [{task: _over_places(gradient) for task, gradient in one.items()} for one in held]
        together = zip(task_gradients.summed(shifts, forward.reduce), self.squares.values(), strict=True)
        return [(one, sums) for one, sums in together if len(one) > 1]

    def _move(self, risks, present):
        """Move the weights by the risks `[K]` of a step; the first one of a task only sets its scale."""
        first, weights = tf.convert_to_tensor(self.first), tf.convert_to_tensor(self.relative)
        counts = (present > 0) & tf.math.is_finite(risks)
        grown = weights * tf.exp(self.step_size * tf.math.divide_no_nan(risks, first))
        weights = tf.where(counts & (first > 0), grown, weights)
        self.first.assign(tf.where(counts & (first == 0), risks, first))
        self.relative.assign(weights / tf.reduce_mean(weights))

    def _weights(self, matrix, present, losses, step, product=None):
        present = tf.ones(matrix.shape[0]) if present is None else tf.cast(present, tf.float32)
        weights = self.relative * present
        scale = tf.math.divide_no_nan(tf.reduce_sum(present), tf.reduce_sum(weights))
        return tf.cast(weights * scale, tf.float64), None

    def weights_of_own(self, weights, losses, present):
        return weights


def _over_places(gradient: tf.Tensor) -> tf.Tensor:
    """Return the sum over images and places of the gradient of a map: that of a shift of its channels, `[C]`."""
    return tf.reduce_sum(tf.cast(gradient, tf.float32), axis=list(range(len(gradient.shape) - 1)))


def _beside(layer, name: str, tasks: int, shapes: dict[int, tuple]) -> dict:
    """Add to a layer one variable `[K, ...]` for each shape, K being `tasks`; return them by the keys of the shapes."""
    return {
        key: add_state(layer, f"{name}_{place}", (tasks, *shape)) for place, (key, shape) in enumerate(shapes.items())
    }
