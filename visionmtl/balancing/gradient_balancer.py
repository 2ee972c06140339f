"""GradientBalancer: weights from how the gradients of the tasks lie to each other."""

from collections.abc import Sequence
from typing import Any, Self

import keras
import tensorflow as tf

from pipelines import discovery
from visionmtl.balancing.apart_balancer import ApartBalancer
from visionmtl.balancing.balancer import SCOPES, ForwardPass
from visionmtl.balancing.by_task import Preference
from visionmtl.balancing.gramian_method import Comparison, GramianMethod, gradients
from visionmtl.balancing.hyperparameters import choice, number, seed_of, whole
from visionmtl.errors import UsageError, one_of

METHODS: dict[str, type[GramianMethod]] = discovery.classes("visionmtl.balancing.gramian", GramianMethod)


@keras.saving.register_keras_serializable("visionmtl")
class GradientBalancer(ApartBalancer):
    """Weigh the tasks by the Gramian of their gradients, the K x K inner products.

    The gradient of what several tasks train is `sum_k weights_k * gradient_k`; what one task trains alone, such as its
    head, keeps its own gradient, unless the method's file says otherwise.

    Args:
        method: the name of a file in `gramian/`, which has the paper and the hyperparameters, or a method of your own.
        scope: "parameters" compares the gradients by all that several tasks train: exact, for one forward pass and K
            backward passes a step. "features" compares those by the last maps that all tasks share: K passes through
            the heads and one through the backbone. Then the weights answer for these maps, an upper bound of what lies
            below (Sener and Koltun 2018, section 3.3), and the update still is the weighted sum. A level that all tasks
            share, such as "P5", compares those by the parameters of its stage alone: K passes through what lies behind
            the stage and the stage itself, and one through what lies before; the last is the cheapest.
        update_every: steps from one comparison to the next; between them the weights stay, and a step costs one pass.
        averaging: fraction of the last weights in the new ones, `averaging * last + (1 - averaging) * of the method`,
            which begin at 1 each; 0 for none. The weights of noisy gradients, averaged, come nearer to those of the
            mean gradients (Zhou et al. 2022, On the Convergence of Stochastic Multi-Objective Gradient Manipulation and
            Beyond: CR-MOGM, which has the fraction grow towards 1 as the learning rate falls). What a method promises
            of a step, as that no task gets worse, holds of the average only in the long run.
        seed: of what a method draws at random, which follows from it and the steps behind.
        **hyperparameters: of the method.

    Raises:
        UsageError: an argument is unknown or out of its range.

    Example:
        >>> GradientBalancer("mgda").weights([[1.0, 0.0], [0.0, 4.0]])
        <tf.Tensor: shape=(2,), dtype=float64, numpy=array([1.6, 0.4])>
    """

    seed: int = seed_of("what the method draws")
    scope: str = choice("parameters", SCOPES, "whose gradients are compared: exact, or cheaper", levels=True)
    update_every: int = whole(1, "steps from one comparison to the next", at_least=1)
    averaging: float = number(0.0, "fraction of the last weights that is kept (CR-MOGM)", at_least=0, below=1)

    def __init__(
        self,
        method: str | GramianMethod,
        scope: str = "parameters",
        update_every: int = 1,
        seed: int = 0,
        averaging: float = 0.0,
        **hyperparameters: Any,
    ) -> None:
        super().__init__()
        if isinstance(method, GramianMethod):
            method.tune(hyperparameters)
            self.weighting = method
        else:
            self.weighting = METHODS[one_of(method, METHODS, "balancing method")](**hyperparameters)
        self.given = hyperparameters
        self.scope, self.update_every, self.seed, self.averaging = scope, update_every, seed, averaging
        self.sub_batches, self.max_norm = self.weighting.sub_batches, self.weighting.max_norm
        self.preference: list[float] | None = None
        self.memory: Any = None
        self.last: Any = None
        if self.sub_batches > 1 and self.scope == "features":
            raise UsageError(
                f"balancing '{self.method_name}' multiplies the gradients of two halves of a batch, which have no"
                " features in common, and cannot be had with scope='features': leave scope out."
            )

    @property
    def method_name(self) -> str:
        return self.weighting.method_name

    def prepare(self, tasks: list[str], regression: list[bool], shared: Sequence[Any] = ()) -> None:
        super().prepare(tasks, regression, shared)
        if declared := self._preferring():
            self.preference = declared.of(self.method_name, self.weighting.settings()["preference"], tasks)
        start = self.weighting.start(len(tasks))
        self.memory = None if start is None else self.add_state("memory", start.shape, start)
        keeps = self.update_every > 1 or self.averaging > 0
        self.last = self.add_state("weights", (len(tasks),), 1.0) if keeps else None

    def _preferring(self) -> Preference | None:
        """Return the declaration of the preferences that the method was given; None where it was given none."""
        declared = self.weighting.hyperparameters().get("preference")
        return declared if isinstance(declared, Preference) and self.weighting.settings()["preference"] else None

    def weights(
        self,
        matrix: Any,
        present: tf.Tensor | None = None,
        losses: tf.Tensor | None = None,
        step: int | tf.Tensor = 0,
    ) -> tf.Tensor:
        """Return the weights, float64 `[K]`, from a Gramian and what is remembered; remember nothing new.

        Args:
            matrix: the Gramian `[K, K]`, float32 or float64, of the gradients summed over all replicas.
            present: `[K]`, 1 for a task with labels in this batch; None for all.
            losses: `[K]`, for a method that looks at them.
            step: the steps behind, for a method that draws at random.
        """
        return self._weights(matrix, present, losses, step)[0]

    def _weights(
        self,
        matrix: Any,
        present: tf.Tensor | None,
        losses: tf.Tensor | None,
        step: int | tf.Tensor,
        product: tf.Tensor | None = None,
    ) -> tuple[tf.Tensor, tf.Tensor | None]:
        """Return the weights `[K]`, and what to remember."""
        if self.preference is None and self._preferring():
            raise UsageError(
                f"balancing '{self.method_name}' has a preference by the names of tasks: prepare it with these first."
            )
        matrix = tf.convert_to_tensor(matrix)
        memory = None if self.memory is None else tf.convert_to_tensor(self.memory)
        seed = tf.stack([self.seed, tf.cast(step, tf.int32)])
        preference = None if self.preference is None else tf.constant(self.preference, tf.float64)
        comparison = Comparison(matrix, losses, seed, memory, product, preference)
        return self.weighting.weights_and_memory(gradients(matrix, present), comparison)

    def weigh(self, gramian: tf.Tensor | None, forward: ForwardPass, product: tf.Tensor | None = None) -> tf.Tensor:
        if gramian is None:
            assert self.last is not None
            return self.last * forward.present
        weights, memory = self._weights(gramian, forward.present, forward.losses, forward.number, product)
        weights = tf.cast(weights, tf.float32)
        if self.memory is not None:
            keep = tf.reduce_all(tf.math.is_finite(gramian))
            self.memory.assign(tf.where(keep, tf.cast(memory, tf.float32), self.memory))
        if self.last is not None:
            weights += self.averaging * (self.last - weights) * forward.present
            self.last.assign(tf.where(forward.present > 0, weights, self.last))
        return weights

    def weights_of_own(self, weights: tf.Tensor | None, losses: tf.Tensor, present: tf.Tensor) -> tf.Tensor | None:
        return weights if self.weighting.weighs_heads() else None

    def get_config(self) -> dict[str, Any]:
        ours = METHODS.get(self.method_name) is type(self.weighting)
        method = {"method": self.method_name if ours else self.weighting}
        return method | self.settings() | (self.given if ours else {})

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        return cls(**config | {"method": keras.saving.deserialize_keras_object(config["method"])})
