"""Balancers whose weights are learnt, by back-propagation with the model or beside it."""

import keras
import tensorflow as tf

from visionmtl.balancing.balancer import LossBalancer, check_range, check_scope, check_seed, masked_softmax
from visionmtl.layers.uncertainty import UncertaintyWeighting


class Adam:
    """Adam's step for a vector `[K]` that a balancer moves itself, with its state in the balancer.

    Reference: Kingma and Ba 2015, Adam: A Method for Stochastic Optimization, algorithm 1, with its constants.
    """

    def __init__(self, balancer: LossBalancer, count: int, learning_rate: float):
        self.learning_rate = learning_rate
        self.first, self.second = (balancer.add_state(name, (count,)) for name in ("first_moment", "second_moment"))
        self.steps = balancer.add_state("steps")

    def step(self, slope: tf.Tensor) -> tf.Tensor:
        """Return what to subtract, `[K]`, for a slope `[K]`."""
        self.steps.assign_add(1.0)
        self.first.assign(0.9 * self.first + 0.1 * slope)
        self.second.assign(0.999 * self.second + 0.001 * slope**2)
        first = self.first / (1 - 0.9**self.steps)
        second = self.second / (1 - 0.999**self.steps)
        return self.learning_rate * first / (tf.sqrt(tf.convert_to_tensor(second)) + 1e-8)


@keras.saving.register_keras_serializable("visionmtl")
class Uncertainty(LossBalancer):
    """Weights learnt with the model from each task's homoscedastic uncertainty; see `layers.UncertaintyWeighting`.

    The sum of `L * exp(-s) * c + s / 2` over the tasks; `c` is 1/2 for a regression and 1 for a classification.

    Scale: at the start (`s = 0`) a classification's loss weighs 1 and a regression's 1/2.

    Reference: Kendall, Gal and Cipolla 2018, Multi-Task Learning Using Uncertainty to Weigh Losses.
    """

    def prepare(self, tasks, regression, shared=()):
        self.weighting = UncertaintyWeighting(regression, name="uncertainty_weighting")
        self.weighting.build((len(tasks),))
        super().prepare(tasks, regression, shared)

    def scalarise(self, losses, present, training=False):
        return self.weighting(losses, present=present)


@keras.saving.register_keras_serializable("visionmtl")
class Bayesian(LossBalancer):
    """Uncertainty weighting with a posterior over each task's log-variance instead of one value.

    The posterior is normal; its mean and spread are learnt. A step draws each `s` once (reparameterised) and adds
    `L * exp(-s) * c + s / 2` of each task and `kl_weight` times the Kullback-Leibler divergence of the posterior from
    the prior; `c` is 1/2 for a regression and 1 for a classification. Evaluation takes the mean. The draws follow from
    `seed` and the steps behind. Logs `balancing/mean/<task>` and `balancing/spread/<task>`.

    Args:
        prior_spread: standard deviation of the prior, a normal around 0; above 0.
        kl_weight: 1 / (training samples) makes the sum the evidence lower bound of a mean loss; above 0.
        seed: of the draws.

    Reference: Kendall, Gal and Cipolla 2018 (the likelihood); Blundell et al. 2015, Weight Uncertainty in Neural
    Networks, section 3.2 (the posterior).
    """

    def __init__(self, prior_spread=1.0, kl_weight=1e-3, seed=0, **kwargs):
        super().__init__(**kwargs)
        self.prior_spread = check_range("bayesian", "prior_spread", prior_spread, 0)
        self.kl_weight = check_range("bayesian", "kl_weight", kl_weight, 0)
        self.seed = check_seed("bayesian", seed)

    def prepare(self, tasks, regression, shared=()):
        self.factors = tf.constant([0.5 if value else 1.0 for value in regression])
        self.mean = self.add_weight(name="mean", shape=(len(tasks),), initializer="zeros")
        self.log_spread = self.add_weight(
            name="log_spread", shape=(len(tasks),), initializer=keras.initializers.Constant(-2.0)
        )
        self.steps = self.add_state("steps", dtype="int32")
        super().prepare(tasks, regression, shared)

    def scalarise(self, losses, present, training=False):
        mean, log_spread = tf.convert_to_tensor(self.mean), tf.convert_to_tensor(self.log_spread)
        s = mean
        if training:
            draw = tf.random.stateless_normal([len(self.tasks)], [self.seed, tf.convert_to_tensor(self.steps)])
            s = mean + tf.exp(log_spread) * draw
        likelihood = losses * tf.exp(-s) * self.factors + s / 2
        spread = log_spread - tf.math.log(self.prior_spread)
        divergence = (tf.exp(2 * spread) + (mean / self.prior_spread) ** 2 - 1) / 2 - spread
        return tf.reduce_sum((likelihood + self.kl_weight * divergence) * present)

    def update(self, losses, present):
        self.steps.assign_add(1)

    def logs(self):
        means, spreads = tf.convert_to_tensor(self.mean), tf.exp(tf.convert_to_tensor(self.log_spread))
        by_task = {f"balancing/mean/{task}": means[k] for k, task in enumerate(self.tasks)}
        return by_task | {f"balancing/spread/{task}": spreads[k] for k, task in enumerate(self.tasks)}

    def get_config(self):
        own = {"prior_spread": self.prior_spread, "kl_weight": self.kl_weight, "seed": self.seed}
        return super().get_config() | own


@keras.saving.register_keras_serializable("visionmtl")
class Learned(LossBalancer):
    """Weights `K * softmax(a)` whose `a` is trained by back-propagation, and kept off a corner.

    Alone, the weights would all go to the task of the smallest loss; `-strength * sum(log(weights))`, which grows
    without bound where one vanishes, holds them back. With the strength at 1 and losses near 1 they end near the
    inverse of the losses.

    Args:
        strength: of the regulariser, above 0; large keeps the weights alike.
    """

    def __init__(self, strength=1.0, **kwargs):
        super().__init__(**kwargs)
        self.strength = check_range("learned", "strength", strength, 0)

    def prepare(self, tasks, regression, shared=()):
        self.logits = self.add_weight(name="logits", shape=(len(tasks),), initializer="zeros")
        super().prepare(tasks, regression, shared)

    def scalarise(self, losses, present, training=False):
        weights = masked_softmax(tf.convert_to_tensor(self.logits), present) * tf.reduce_sum(present)
        barrier = tf.reduce_sum(tf.math.log(tf.where(present > 0, tf.maximum(weights, 1e-12), 1.0)))
        return tf.reduce_sum(weights * losses) - self.strength * barrier

    def get_config(self):
        return super().get_config() | {"strength": self.strength}


@keras.saving.register_keras_serializable("visionmtl")
class ImpartialLosses(LossBalancer):
    """Scales learnt so that all weighted losses are alike: `exp(s) * L - s`, least where `exp(s) = 1 / L`.

    Reference: Liu et al. 2021, Towards Impartial Multi-Task Learning (IMTL-L).
    """

    def prepare(self, tasks, regression, shared=()):
        self.log_scale = self.add_weight(name="log_scale", shape=(len(tasks),), initializer="zeros")
        super().prepare(tasks, regression, shared)

    def scalarise(self, losses, present, training=False):
        s = tf.convert_to_tensor(self.log_scale)
        return tf.reduce_sum((tf.exp(s) * losses - s) * present)


@keras.saving.register_keras_serializable("visionmtl")
class FAMO(LossBalancer):
    """Weights under which all losses fall by the same share, learnt from how they fell, with no gradient of a task.

    The weights are `K * c * z / L` with `z = softmax(w)`, and `c` makes them sum to K. After each step the losses of
    the same batch tell which tasks fell most, and Adam lowers their `w`.

    Scale: K identical gradients give K of them; the paper's weights sum to 1.

    Args:
        learning_rate: of `w`, above 0.
        decay: gamma, the decay of `w` to 0; from above 0 to 1.

    Reference: Liu et al. 2023, FAMO: Fast Adaptive Multitask Optimization, algorithm 1.
    """

    looks_back = True

    def __init__(self, learning_rate=0.025, decay=1e-3, **kwargs):
        super().__init__(**kwargs)
        self.learning_rate = check_range("famo", "learning_rate", learning_rate, 0)
        self.decay = check_range("famo", "decay", decay, 0, 1)

    def prepare(self, tasks, regression, shared=()):
        self.logits = self.add_state("logits", (len(tasks),))
        self.adam = Adam(self, len(tasks), self.learning_rate)
        super().prepare(tasks, regression, shared)

    def scalarise(self, losses, present, training=False):
        share = masked_softmax(tf.convert_to_tensor(self.logits), present)
        positive = tf.where(present > 0, tf.maximum(losses, 1e-8), 1.0)
        scale = tf.stop_gradient(tf.math.divide_no_nan(tf.reduce_sum(present), tf.reduce_sum(share / positive)))
        return scale * tf.reduce_sum(share * tf.math.log(positive))

    def look_back(self, before, after, present):
        share = masked_softmax(tf.convert_to_tensor(self.logits), present)
        fall = tf.where(present > 0, tf.math.log(tf.maximum(before, 1e-8)) - tf.math.log(tf.maximum(after, 1e-8)), 0.0)
        slope = share * (fall - tf.reduce_sum(share * fall)) + self.decay * tf.convert_to_tensor(self.logits)
        self.logits.assign_sub(tf.where(present > 0, self.adam.step(slope), 0.0))

    def get_config(self):
        return super().get_config() | {"learning_rate": self.learning_rate, "decay": self.decay}


@keras.saving.register_keras_serializable("visionmtl")
class GradNorm(LossBalancer):
    """Weights under which every task's gradient is as long as its training rate asks for.

    With `G_k = w_k |g_k|` and the loss relative to its first value, `r_k`, over the mean of these, the weights follow
    Adam down the sum of `|G_k - mean(G) r_k^alpha|`, whose second term is held constant, and sum to K.

    Args:
        alpha: how strongly slow tasks are pulled, at least 0; 0 makes all gradients equally long. Default 1.5.
        learning_rate: of the weights, above 0. Default 0.025.
        scope: where the gradients' length is measured: "features", the last maps that all tasks share (default, near
            the paper's last shared layer), or "parameters", all that several tasks train.

    Reference: Chen et al. 2018, GradNorm: Gradient Normalization for Adaptive Loss Balancing in Deep Multitask
    Networks, algorithm 1.
    """

    def __init__(self, alpha=1.5, learning_rate=0.025, scope="features", **kwargs):
        super().__init__(**kwargs)
        self.alpha = check_range("gradnorm", "alpha", alpha, 0, closed=True)
        self.learning_rate = check_range("gradnorm", "learning_rate", learning_rate, 0)
        self.scope = check_scope("gradnorm", scope)

    def prepare(self, tasks, regression, shared=()):
        self.relative = self.add_state("weights", (len(tasks),), 1.0)
        self.first = self.add_state("first", (len(tasks),))
        self.adam = Adam(self, len(tasks), self.learning_rate)
        super().prepare(tasks, regression, shared)

    def _present(self, present):
        """Return the weights `[K]` of the present tasks, which sum to their number."""
        weights = self.relative * present
        return weights * tf.math.divide_no_nan(tf.reduce_sum(present), tf.reduce_sum(weights))

    def scalarise(self, losses, present, training=False):
        return tf.reduce_sum(self._present(present) * losses)

    def see(self, gramian, losses, present):
        first = tf.convert_to_tensor(self.first)
        first = tf.where((first == 0) & (present > 0), losses, first)
        count = tf.maximum(tf.reduce_sum(present), 1.0)
        lengths = tf.sqrt(tf.linalg.diag_part(gramian))
        rates = tf.math.divide_no_nan(losses, first) * present
        rates = tf.math.divide_no_nan(rates * count, tf.reduce_sum(rates))
        weighted = self._present(present) * lengths
        aims = tf.reduce_sum(weighted) / count * rates**self.alpha
        slope = tf.sign(weighted - aims) * lengths * present
        slope = tf.where(tf.math.is_finite(slope), slope, 0.0)
        weights = tf.maximum(self.relative - tf.where(present > 0, self.adam.step(slope), 0.0), 1e-4)
        self.first.assign(first)
        self.relative.assign(weights / tf.reduce_mean(weights))

    def get_config(self):
        own = {"alpha": self.alpha, "learning_rate": self.learning_rate, "scope": self.scope}
        return super().get_config() | own
