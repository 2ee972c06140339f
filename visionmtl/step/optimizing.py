"""What a training step has to know of a Keras optimizer, or tell it: decay, accumulation, the count of its steps."""

from collections.abc import Iterable
from typing import Any

import keras

from visionmtl.errors import UsageError


def inner(optimizer: Any) -> Any:
    """Return the optimizer that updates variables, which another may wrap to scale the loss."""
    return getattr(optimizer, "inner_optimizer", optimizer)


def scales_loss(optimizer: Any) -> bool:
    """Return whether an optimizer takes gradients of a scaled loss, and skips a step by itself where they overflow."""
    return isinstance(optimizer, keras.optimizers.LossScaleOptimizer)


def accumulation(optimizer: Any) -> int:
    """Return how many steps an update takes."""
    return inner(optimizer).gradient_accumulation_steps or 1


def check_replicas(optimizer: Any, replicas: int) -> None:
    """Refuse what Keras's optimizers cannot do on several replicas.

    Raises:
        UsageError: averaged weights are to overwrite the model's every so many steps, as Keras does on one device.
    """
    every = inner(optimizer).ema_overwrite_frequency
    if inner(optimizer).use_ema and every and replicas > 1:
        raise UsageError(
            f"The optimizer's ema_overwrite_frequency={every} is of one device, as Keras cannot overwrite the weights"
            f" on the {replicas} replicas of a strategy: leave it out; visionmtl.callbacks.AveragedWeights measures and"
            " keeps the averaged weights."
        )


def keep_from_decay(optimizer: Any, variables: Iterable[Any]) -> None:
    """Have weight decay pass over variables, beside those that the user keeps from it.

    Keras forgets what was excluded before when it is told again, so that the user's choice is told again with these.
    """
    own = inner(optimizer)
    variables = list(variables)
    if not own.weight_decay or own.built or not variables:
        return
    pattern = getattr(own, "_exclude_from_weight_decay_pattern", None)
    before = set(getattr(own, "_exclude_from_weight_decay", ()))
    own.exclude_from_weight_decay(variables, None if pattern is None else [pattern.pattern])
    own._exclude_from_weight_decay |= before


def clip_accumulated(optimizer: Any, clip_norm: float | None) -> bool:
    """Have an optimizer that accumulates gradients clip what it accumulated, once an update; return whether it does.

    Args:
        optimizer: as compiled.
        clip_norm: largest norm of the gradient over all variables and replicas; None for no limit.

    Raises:
        UsageError: it has a limit of its own.
    """
    own = inner(optimizer)
    if clip_norm is None or accumulation(optimizer) == 1:
        return False
    limits = {key: getattr(own, key) for key in ("clipnorm", "clipvalue", "global_clipnorm")}
    for key, limit in limits.items():
        if limit is not None and (key, limit) != ("global_clipnorm", clip_norm):
            raise UsageError(f"clip_norm was given beside the optimizer's {key}={limit}: leave one of them out.")
    own.global_clipnorm = clip_norm
    return True


def steps_behind(optimizer: Any) -> int:
    """Return how many steps an optimizer has seen, those of an update that is not complete too."""
    count = next(variable for variable in inner(optimizer).variables if variable.path.endswith("iteration"))
    return int(keras.ops.convert_to_numpy(count))
