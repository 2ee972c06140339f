"""Balancers whose weights are given, or follow from the losses of the step alone."""

import keras
import tensorflow as tf

from visionmtl.balancing.balancer import LossBalancer, check_range, check_seed, masked_softmax
from visionmtl.errors import UsageError, nearest


@keras.saving.register_keras_serializable("visionmtl")
class Equal(LossBalancer):
    """The sum of the losses: every task weighs 1. The baseline of every other method."""

    def scalarise(self, losses, present, training=False):
        return tf.reduce_sum(losses * present)


@keras.saving.register_keras_serializable("visionmtl")
class Fixed(LossBalancer):
    """The sum of the losses with weights you choose.

    Args:
        weights: `{task name: weight}`; a task not named weighs 1.

    Example:
        >>> model.compile("adamw", balancing=visionmtl.balancing.get("fixed", weights={"segmentation": 2.0}))
    """

    def __init__(self, weights=None, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(weights, dict | None):
            raise UsageError(f"balancing 'fixed' was given weights={weights!r}: expected {{task name: weight}}.")
        self.by_task = dict(weights or {})
        for task, weight in self.by_task.items():
            if not isinstance(weight, (int, float)) or weight < 0:
                raise UsageError(
                    f"balancing 'fixed' was given weight {weight!r} for '{task}': expected a number of at least 0."
                )

    def prepare(self, tasks, regression, shared=()):
        for task in self.by_task:
            if task not in tasks:
                raise UsageError(
                    f"balancing 'fixed' was given a weight for unknown task '{task}'.{nearest(task, tasks)}"
                    f" Tasks: {', '.join(tasks)}."
                )
        super().prepare(tasks, regression, shared)

    def scalarise(self, losses, present, training=False):
        return tf.reduce_sum(losses * present * [float(self.by_task.get(task, 1.0)) for task in self.tasks])

    def get_config(self):
        return super().get_config() | {"weights": self.by_task}


@keras.saving.register_keras_serializable("visionmtl")
class Geometric(LossBalancer):
    """The geometric mean of the losses, `GLS = (prod_k L_k)^(1 / K)`: each falls by the same share.

    A task's weight is `GLS / (K * L_k)`.

    Scale: K identical losses weigh 1 / K each, a K-th of the other methods', as in the paper.

    Reference: Chennupati et al. 2019, MultiNet++: Multi-Stream Feature Aggregation and Geometric Loss Strategy.
    """

    def scalarise(self, losses, present, training=False):
        count = tf.reduce_sum(present)
        logs = tf.math.log(tf.where(present > 0, tf.maximum(losses, 1e-12), 1.0))
        return tf.where(count > 0, tf.exp(tf.math.divide_no_nan(tf.reduce_sum(logs), count)), 0.0)


@keras.saving.register_keras_serializable("visionmtl")
class RandomWeights(LossBalancer):
    """Fresh random weights in every step: the softmax of normal numbers, which sums to K. In evaluation they are 1.

    The draws follow from `seed` and the steps behind, so that a resumed run goes on with the same ones.

    Args:
        seed: of the draws.

    Reference: Lin et al. 2022, Reasonable Effectiveness of Random Weighting (RLW).
    """

    def __init__(self, seed=0, **kwargs):
        super().__init__(**kwargs)
        self.seed = check_seed("rlw", seed)

    def prepare(self, tasks, regression, shared=()):
        self.steps = self.add_state("steps", dtype="int32")
        super().prepare(tasks, regression, shared)

    def scalarise(self, losses, present, training=False):
        if not training:
            return tf.reduce_sum(losses * present)
        draw = tf.random.stateless_normal([len(self.tasks)], [self.seed, tf.convert_to_tensor(self.steps)])
        return tf.reduce_sum(masked_softmax(draw, present) * losses) * tf.reduce_sum(present)

    def update(self, losses, present):
        self.steps.assign_add(1)

    def get_config(self):
        return super().get_config() | {"seed": self.seed}


@keras.saving.register_keras_serializable("visionmtl")
class DynamicWeightAverage(LossBalancer):
    """Weights that favour the tasks whose loss fell least from one epoch to the next: `K * softmax(r / temperature)`.

    `r` is the ratio of a task's mean losses in the last two epochs, and 1 for a task without labels in one of them. The
    weights are 1 for the first two epochs.

    Args:
        temperature: above 0; large makes the weights alike.

    Reference: Liu, Johns and Davison 2019, End-to-End Multi-Task Learning with Attention (DWA).
    """

    def __init__(self, temperature=2.0, **kwargs):
        super().__init__(**kwargs)
        self.temperature = check_range("dwa", "temperature", temperature, 0)

    def prepare(self, tasks, regression, shared=()):
        for name in ("sums", "counts", "last", "before"):
            setattr(self, name, self.add_state(name, (len(tasks),)))
        super().prepare(tasks, regression, shared)

    def scalarise(self, losses, present, training=False):
        last, before = tf.convert_to_tensor(self.last), tf.convert_to_tensor(self.before)
        ratio = tf.where((last > 0) & (before > 0), tf.math.divide_no_nan(last, before), 1.0)
        weights = masked_softmax(ratio / self.temperature, present) * tf.reduce_sum(present)
        return tf.reduce_sum(weights * losses)

    def update(self, losses, present):
        self.sums.assign_add(losses * present)
        self.counts.assign_add(present)

    def end_epoch(self):
        sums, counts = (keras.ops.convert_to_numpy(state) for state in (self.sums, self.counts))
        self.before.assign(self.last)
        self.last.assign(sums / counts.clip(min=1))
        self.sums.assign(0 * sums)
        self.counts.assign(0 * counts)

    def get_config(self):
        return super().get_config() | {"temperature": self.temperature}


@keras.saving.register_keras_serializable("visionmtl")
class SmoothTchebycheff(LossBalancer):
    """A smooth maximum over the tasks of the log loss relative to where it stood after the warm-up.

    In the warm-up epochs the sum of the log losses is minimised, and their mean loss is kept as the scale of each task;
    from then on the objective is `K * smoothing * logsumexp(log(L / scale) / smoothing)`.

    Scale: the weights are those of the logs of the losses, `1 / L` each in the warm-up.

    Args:
        smoothing: mu, above 0; small comes near the hard maximum.
        warmup_epochs: 0 or more; a task not seen in them has the scale 1.

    Reference: Lin et al. 2024, Smooth Tchebycheff Scalarization for Multi-Objective Optimization (STCH).
    """

    def __init__(self, smoothing=1.0, warmup_epochs=4, **kwargs):
        super().__init__(**kwargs)
        self.smoothing = check_range("stch", "smoothing", smoothing, 0)
        self.warmup_epochs = int(check_range("stch", "warmup_epochs", warmup_epochs, 0, closed=True))

    def prepare(self, tasks, regression, shared=()):
        for name in ("sums", "counts"):
            setattr(self, name, self.add_state(name, (len(tasks),)))
        self.epochs = self.add_state("epochs", dtype="int32")
        super().prepare(tasks, regression, shared)

    def scalarise(self, losses, present, training=False):
        sums, counts = tf.convert_to_tensor(self.sums), tf.convert_to_tensor(self.counts)
        scale = tf.where(sums > 0, tf.math.divide_no_nan(sums, counts), 1.0)
        logs = tf.math.log(tf.where(present > 0, tf.maximum(losses, 1e-20), 1.0))
        relative = tf.where(present > 0, (logs - tf.math.log(scale)) / self.smoothing, -1e9)
        smooth = tf.reduce_sum(present) * self.smoothing * tf.reduce_logsumexp(relative)
        smooth = tf.where(tf.reduce_any(present > 0), smooth, 0.0)
        return tf.where(self._warming(), tf.reduce_sum(logs), smooth)

    def _warming(self):
        return tf.convert_to_tensor(self.epochs) < self.warmup_epochs

    def update(self, losses, present):
        warming = tf.cast(self._warming(), tf.float32)
        self.sums.assign_add(losses * present * warming)
        self.counts.assign_add(present * warming)

    def end_epoch(self):
        self.epochs.assign_add(1)

    def get_config(self):
        return super().get_config() | {"smoothing": self.smoothing, "warmup_epochs": self.warmup_epochs}
