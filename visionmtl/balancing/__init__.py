"""How tasks share the update: balancers by name."""

import inspect

from visionmtl.balancing.balancer import Balancer, LossBalancer
from visionmtl.balancing.elementwise import DualBalancing, ExcessRisks, SignDropout
from visionmtl.balancing.gradients import METHODS, GradientBalancer, hyperparameters
from visionmtl.balancing.learnt import FAMO, Bayesian, GradNorm, ImpartialLosses, Learned, Uncertainty
from visionmtl.balancing.losses import (
    DynamicWeightAverage,
    Equal,
    Fixed,
    Geometric,
    RandomWeights,
    SmoothTchebycheff,
)
from visionmtl.errors import UsageError, nearest, one_of

LOSSES = {
    "equal": Equal,
    "fixed": Fixed,
    "uncertainty": Uncertainty,
    "bayesian": Bayesian,
    "learned": Learned,
    "dwa": DynamicWeightAverage,
    "rlw": RandomWeights,
    "gls": Geometric,
    "stch": SmoothTchebycheff,
    "imtl_l": ImpartialLosses,
    "famo": FAMO,
    "gradnorm": GradNorm,
}
ELEMENTWISE = {"excess_mtl": ExcessRisks, "db_mtl": DualBalancing, "graddrop": SignDropout}
CLASSES = LOSSES | ELEMENTWISE
BALANCERS = LOSSES | METHODS | ELEMENTWISE
KERAS = ("self", "args", "kwargs", "dtype")  # arguments that are no hyperparameters


def names() -> list[str]:
    """Return the names of the balancers."""
    return list(BALANCERS)


def get(balancer, **options) -> Balancer:
    """Return a balancer from its name, from `{"method": ..., hyperparameter: value}`, or as it is if it is one already.

    Raises:
        UsageError: the name or a hyperparameter is unknown.

    Example:
        >>> get("fixed", weights={"depth": 0.5})
    """
    if isinstance(balancer, Balancer):
        return balancer
    if isinstance(balancer, dict):
        options = {key: value for key, value in balancer.items() if key != "method"} | options
        balancer = balancer.get("method", "equal")
    one_of(balancer, BALANCERS, "balancing method")
    if balancer in METHODS:
        known = hyperparameters(balancer)
    else:
        known = [name for name in inspect.signature(CLASSES[balancer]).parameters if name not in KERAS]
    for name in options:
        if name not in known:
            valid = ", ".join(known) or "none"
            raise UsageError(
                f"balancing '{balancer}' has no hyperparameter '{name}'.{nearest(name, known)} Valid: {valid}."
            )
    return GradientBalancer(balancer, **options) if balancer in METHODS else CLASSES[balancer](**options)


__all__ = ["Balancer", "GradientBalancer", "LossBalancer", "get", "names"]
