"""GradientBalancer: weights from how the gradients of the tasks lie to each other."""

import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from visionmtl.balancing import descent, gramian
from visionmtl.balancing.balancer import Balancer, add_state, check_range, check_scope, check_seed
from visionmtl.errors import UsageError


class Method(NamedTuple):
    """How weights come from a Gramian.

    Attributes:
        weights: the function; `[K]` from `[K, K]`, and where it has a memory, the new memory beside it.
        memory: the shape of what it remembers from step to step, for K tasks.
        start: what the memory starts from, for K tasks.
    """

    weights: Callable
    memory: Callable[[int], tuple[int, ...]] | None = None
    start: Callable[[int], float] = lambda tasks: 0.0


METHODS = {
    "mgda": Method(gramian.mgda),
    "pcgrad": Method(gramian.pcgrad),
    "gradvac": Method(gramian.gradvac, lambda tasks: (tasks, tasks)),
    "cagrad": Method(gramian.cagrad),
    "imtl_g": Method(gramian.imtl_g),
    "nash_mtl": Method(gramian.nash_mtl),
    "fairgrad": Method(gramian.fairgrad),
    "aligned_mtl": Method(gramian.aligned_mtl),
    "upgrad": Method(gramian.upgrad),
    "dual_proj": Method(gramian.dual_proj),
    "config": Method(gramian.config),
    "sdmgrad": Method(descent.sdmgrad, lambda tasks: (tasks,), lambda tasks: 1 / tasks),
    "modo": Method(descent.modo, lambda tasks: (tasks,), lambda tasks: 1 / tasks),
    "unit_norm": Method(gramian.unit_norm),
}
STEP = (
    "gramian",
    "present",
    "losses",
    "order",
    "seed",
    "memory",
    "product",
)  # arguments of the step, not of the method
COMMON = ("scope", "update_every")


def hyperparameters(method: str) -> list[str]:
    """Return the names of a method's hyperparameters."""
    parameters = inspect.signature(METHODS[method].weights).parameters
    return [name for name in parameters if name not in STEP] + (["seed"] if "seed" in parameters else []) + [*COMMON]


@keras.saving.register_keras_serializable("visionmtl")
class State(keras.layers.Layer):
    """What a gradient balancer remembers, where a model can save it."""

    def __init__(self, **kwargs):
        super().__init__(name="balancing", dtype="float32", **kwargs)
        self.built = True


@keras.saving.register_keras_serializable("visionmtl")
class GradientBalancer(Balancer):
    """Weigh the tasks by the Gramian of their gradients, the K x K inner products.

    The gradient of what several tasks train is `sum_k weights_k * gradient_k`; what one task trains alone, such as its
    head, keeps its own gradient.

    Args:
        method: a key of `METHODS`; its function's docstring has the paper and the hyperparameters.
        scope: "parameters" compares the gradients by all that several tasks train: exact, for one forward pass and K
            backward passes a step. "features" compares those by the last maps that all tasks share: K passes through
            the heads and one through the backbone. Then the weights answer for these maps, an upper bound of what lies
            below (Sener and Koltun 2018, section 3.3), and the update still is the weighted sum.
        update_every: steps from one comparison to the next; between them the weights stay, and a step costs one pass.
        seed: of the random order of "pcgrad" and "gradvac", which follows from it and the steps behind.
        **hyperparameters: of the method.

    Raises:
        UsageError: an argument is out of its range.

    Example:
        >>> GradientBalancer("mgda").weights([[1.0, 0.0], [0.0, 4.0]])
        <tf.Tensor: shape=(2,), dtype=float64, numpy=array([1.6, 0.4])>
    """

    state: State
    trainable_variables = ()

    def __init__(self, method, scope="parameters", update_every=1, seed=0, **hyperparameters):
        self.method, self.scope, self.seed = method, check_scope(method, scope), check_seed(method, seed)
        self.update_every = int(check_range(method, "update_every", update_every, 1, closed=True))
        self.hyperparameters: dict[str, Any] = hyperparameters
        self.state = State()
        self.memory = self.last = None
        if method in METHODS and "product" in inspect.signature(METHODS[method].weights).parameters:
            self.sub_batches = 2
            if scope == "features":
                raise UsageError(
                    f"balancing '{method}' multiplies the gradients of two halves of a batch, which have no features in"
                    " common, and cannot be had with scope='features': leave scope out."
                )
        self._check()

    def _check(self) -> None:
        """Tell a wrong hyperparameter now, not in the first step."""
        self.weights(tf.eye(2), losses=tf.ones(2))

    @property
    def variables(self) -> list:
        """The variables it remembers by."""
        return self.state.variables

    def prepare(self, tasks, regression, shared=()):
        super().prepare(tasks, regression, shared)
        self.state = State()
        method = METHODS.get(self.method)
        if method and method.memory:
            self.memory = add_state(self.state, "memory", method.memory(len(tasks)), method.start(len(tasks)))
        if self.update_every > 1:
            self.last = add_state(self.state, "weights", (len(tasks),), 1.0)

    def scalarise(self, losses, present, training=False):
        return tf.reduce_sum(losses * present)

    def weights(self, matrix, present=None, losses=None, step=0) -> tf.Tensor:
        """Return the weights, float64 `[K]`, from a Gramian and what is remembered; remember nothing new.

        Args:
            matrix: the Gramian `[K, K]`, float32 or float64, of the gradients summed over all replicas.
            present: `[K]`, 1 for a task with labels in this batch; None for all.
            losses: `[K]`, for a method that looks at them.
            step: the steps behind, for a method that draws at random.
        """
        return self._weights(matrix, present, losses, step)[0]

    def _weights(self, matrix, present, losses, step, product=None):
        """Return the weights `[K]`, and what to remember."""
        method, matrix = METHODS[self.method], tf.convert_to_tensor(matrix)
        wanted = inspect.signature(method.weights).parameters
        given = {
            "losses": losses,
            "seed": tf.stack([self.seed, tf.cast(step, tf.int32)]),
            "memory": None,
            "product": product,
        }
        if self.memory is not None:
            given["memory"] = tf.convert_to_tensor(self.memory)
        of_step = {name: value for name, value in given.items() if name in wanted}
        result = method.weights(matrix, present, **self.hyperparameters | of_step)
        return result if method.memory else (result, None)

    def weigh(self, gramian, forward, product=None):
        if gramian is None:
            assert self.last is not None
            return self.last * forward.present
        weights, memory = self._weights(gramian, forward.present, forward.losses, forward.number, product)
        weights = tf.cast(weights, tf.float32)
        if self.memory is not None:
            keep = tf.reduce_all(tf.math.is_finite(gramian))
            self.memory.assign(tf.where(keep, tf.cast(memory, tf.float32), self.memory))
        if self.last is not None:
            self.last.assign(tf.where(forward.present > 0, weights, self.last))
        return weights

    def get_config(self) -> dict:
        """Return the arguments that make this balancer again."""
        common = {"method": self.method, "scope": self.scope, "update_every": self.update_every, "seed": self.seed}
        return common | self.hyperparameters

    @classmethod
    def from_config(cls, config: dict) -> "GradientBalancer":
        """Return the balancer that `get_config` described."""
        return cls(**config)
