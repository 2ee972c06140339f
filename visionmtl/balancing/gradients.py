"""GradientBalancer: weights from how the gradients of the tasks lie to each other."""

import inspect

import keras
import tensorflow as tf

from visionmtl.balancing import gramian
from visionmtl.balancing.balancer import Balancer, check_seed

METHODS = {
    "mgda": gramian.mgda,
    "pcgrad": gramian.pcgrad,
    "cagrad": gramian.cagrad,
    "imtl_g": gramian.imtl_g,
    "nash_mtl": gramian.nash_mtl,
    "fairgrad": gramian.fairgrad,
    "aligned_mtl": gramian.aligned_mtl,
    "upgrad": gramian.upgrad,
    "dual_proj": gramian.dual_proj,
    "config": gramian.config,
    "unit_norm": gramian.unit_norm,
}
STEP = ("gramian", "present", "losses", "order", "seed")  # arguments that are of the step, not of the method


def hyperparameters(method: str) -> list[str]:
    """Return the names of a method's hyperparameters."""
    parameters = inspect.signature(METHODS[method]).parameters
    return [name for name in parameters if name not in STEP] + (["seed"] if "seed" in parameters else [])


@keras.saving.register_keras_serializable("visionmtl")
class GradientBalancer(Balancer):
    """Weigh the tasks by the Gramian of their gradients, the K x K inner products.

    The gradient of what several tasks train is `sum_k weights_k * gradient_k`; what one task trains alone, such as its
    head, keeps its own gradient. A step costs one forward pass and K backward passes.

    Args:
        method: a key of `METHODS`; its function's docstring has the paper and the hyperparameters.
        seed: of the random order of "pcgrad", which follows from it and the steps behind.
        **hyperparameters: of the method.

    Raises:
        UsageError: a hyperparameter is out of its range.

    Example:
        >>> GradientBalancer("mgda").weights([[1.0, 0.0], [0.0, 4.0]])
        <tf.Tensor: shape=(2,), dtype=float64, numpy=array([1.6, 0.4])>
    """

    trainable_variables = ()

    def __init__(self, method, seed=0, **hyperparameters):
        self.method, self.seed, self.hyperparameters = method, check_seed(method, seed), hyperparameters
        self.weights(tf.eye(2), losses=tf.ones(2))  # a wrong value is told now, not in the first step

    def scalarise(self, losses, present, training=False):
        return tf.reduce_sum(losses * present)

    def weights(self, matrix, present=None, losses=None, step=0) -> tf.Tensor:
        """Return the weights, float64 `[K]`.

        Args:
            matrix: the Gramian `[K, K]`, float32 or float64, of the gradients summed over all replicas.
            present: `[K]`, 1 for a task with labels in this batch; None for all.
            losses: `[K]`, for a method that looks at them.
            step: the steps behind, for a method that draws at random.
        """
        wanted = inspect.signature(METHODS[self.method]).parameters
        given = {"losses": losses, "seed": tf.stack([self.seed, tf.cast(step, tf.int32)])}
        of_step = {name: value for name, value in given.items() if name in wanted}
        matrix = tf.convert_to_tensor(matrix)
        return METHODS[self.method](matrix, present, **self.hyperparameters | of_step)

    def get_config(self) -> dict:
        """Return the arguments that make this balancer again."""
        return {"method": self.method, "seed": self.seed} | self.hyperparameters

    @classmethod
    def from_config(cls, config: dict) -> "GradientBalancer":
        """Return the balancer that `get_config` described."""
        return cls(**config)
