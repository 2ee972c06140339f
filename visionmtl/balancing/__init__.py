"""How tasks share the update: balancers by name, one a file in `losses/`, `gramian/` and `elementwise/`.

From outside: `get`, `names`, `options`, the bases below, `hyperparameters`, `catalogue` and `task_gradients`.
A new one is a file in one of the three folders, named as it is chosen; its neighbours show what it holds.
"""

from typing import Any

from pipelines import discovery
from visionmtl.balancing.balancer import Balancer
from visionmtl.balancing.elementwise_balancer import ElementwiseBalancer
from visionmtl.balancing.gradient_balancer import METHODS, GradientBalancer
from visionmtl.balancing.gramian_method import GramianMethod
from visionmtl.balancing.hyperparameters import Hyperparameter, check_names
from visionmtl.balancing.loss_balancer import LossBalancer
from visionmtl.balancing.method import Method
from visionmtl.errors import one_of

_losses: dict[str, type[LossBalancer]] = discovery.classes(f"{__name__}.losses", LossBalancer)
LOSSES = {"equal": _losses["equal"]} | _losses  # the baseline of all leads
ELEMENTWISE: dict[str, type[ElementwiseBalancer]] = discovery.classes(f"{__name__}.elementwise", ElementwiseBalancer)
MADE: dict[str, type[Balancer]] = {**LOSSES, **ELEMENTWISE}  # as they are; a method of METHODS in a GradientBalancer
BALANCERS: dict[str, type[Method]] = {**LOSSES, **METHODS, **ELEMENTWISE}


def names() -> list[str]:
    """Return the names of the balancers."""
    return list(BALANCERS)


def options(name: str) -> dict[str, Hyperparameter]:
    """Return what `get` takes beside the name of a balancer, by name.

    Raises:
        UsageError: the name is unknown.
    """
    own = BALANCERS[one_of(name, BALANCERS, "balancing method")].hyperparameters()
    if name not in METHODS:
        return own
    common = GradientBalancer.hyperparameters()
    return own | {key: value for key, value in common.items() if key != "seed" or METHODS[name].draws}


def get(balancer: Any, **hyperparameters: Any) -> Balancer:
    """Return a balancer from its name, from `{"method": ..., hyperparameter: value}`, or as it is if it is one already.

    A `GramianMethod` of your own becomes a `GradientBalancer`.

    Raises:
        UsageError: the name or a hyperparameter is unknown.

    Example:
        >>> balancer = get("fixed", weights={"depth": 0.5})
    """
    if isinstance(balancer, Balancer):
        return balancer
    if isinstance(balancer, GramianMethod):
        return GradientBalancer(balancer, **hyperparameters)
    if isinstance(balancer, dict):
        hyperparameters = {key: value for key, value in balancer.items() if key != "method"} | hyperparameters
        balancer = balancer.get("method", "equal")
    check_names(balancer, hyperparameters, options(balancer))
    return GradientBalancer(balancer, **hyperparameters) if balancer in METHODS else MADE[balancer](**hyperparameters)


__all__ = [
    "Balancer",
    "ElementwiseBalancer",
    "GradientBalancer",
    "GramianMethod",
    "LossBalancer",
    "get",
    "names",
    "options",
]
