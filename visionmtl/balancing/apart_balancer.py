"""What the balancers have in common that take each task's gradient apart: a state beside the model."""

from collections.abc import Sequence
from typing import Any, Self

import keras
import tensorflow as tf

from visionmtl.balancing.balancer import Balancer, add_state


@keras.saving.register_keras_serializable("visionmtl")
class State(keras.layers.Layer):
    """What a balancer remembers, where a model can save it."""

    def __init__(self, name: str = "balancing", dtype: Any = "float32", **kwargs: Any) -> None:
        super().__init__(name=name, dtype=dtype, **kwargs)
        self.built = True


class ApartBalancer(Balancer):
    """A balancer that goes back once a task; what several tasks train gets `merge` of their gradients.

    A subclass implements `weigh`. In `prepare` it may create variables by `add_state`.
    """

    state: State
    trainable_variables: Sequence[Any] = ()

    def __init__(self) -> None:
        self.state = State()

    @property
    def variables(self) -> list[Any]:
        """The variables it remembers by."""
        return self.state.variables

    def add_state(self, name: str, shape: Sequence[int] = (), value: Any = 0.0) -> Any:
        """Create a variable that no gradient trains; all replicas assign it the same."""
        return add_state(self.state, name, shape, value)

    def prepare(self, tasks: list[str], regression: list[bool], shared: Sequence[Any] = ()) -> None:
        super().prepare(tasks, regression, shared)
        self.state = State()

    def scalarise(self, losses: tf.Tensor, present: tf.Tensor, training: bool = False) -> tf.Tensor:
        return tf.reduce_sum(losses * present)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this balancer again."""
        return self.settings()

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Return the balancer that `get_config` described."""
        return cls(**config)
