"""ElementwiseBalancer: more of the task gradients than their inner products, each number of them."""

from collections.abc import Mapping, Sequence
from typing import Any

from visionmtl.balancing.apart_balancer import ApartBalancer
from visionmtl.balancing.balancer import SCOPES
from visionmtl.balancing.hyperparameters import choice
from visionmtl.balancing.method import K_PASSES
from visionmtl.errors import UsageError


class ElementwiseBalancer(ApartBalancer):
    """A balancer that looks at the task gradients themselves, in every step.

    A subclass declares its hyperparameters, implements `weigh`, and `smooth` or `merge`.
    """

    family = "elementwise"
    cost = K_PASSES
    scopes: tuple[str, ...] = ("parameters",)  # the features of one batch are not those of the next

    scope: str = choice("parameters", SCOPES, "the gradients of all that several tasks train")

    def __init__(self, **hyperparameters: Any) -> None:
        super().__init__()
        self.tune(hyperparameters)
        if self.scope not in self.scopes:
            raise UsageError(
                f"balancing '{self.method_name}' works on the gradient of each parameter and cannot be had with"
                f" scope='{self.scope}': leave scope out."
            )

    def add_states(self, name: str, shapes: Mapping[int, Sequence[int]]) -> dict[int, Any]:
        """Create one variable `[K, ...]` for each shape; return them by the keys of the shapes."""
        return {
            key: self.add_state(f"{name}_{place}", (len(self.tasks), *shape))
            for place, (key, shape) in enumerate(shapes.items())
        }
