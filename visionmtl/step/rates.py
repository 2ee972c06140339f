"""Learning rates by layer: an optimizer of Keras's that updates some variables by a fraction of its rate.

A decoupled weight decay is a product with the learning rate, and so scaled with it, as in the fine-tuning of BEiT and
ConvNeXt: their AdamW is given a group of parameters for each rate, whose decay is that rate times the common one.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

import keras
import tensorflow as tf

from visionmtl.errors import UsageError, check_number, one_of

OWN = "_visionmtl_rates"  # where an optimizer keeps them, out of the sight of what saves it
T = TypeVar("T")


def by_layer(rates: Mapping[str, float], parts: Mapping[str, Sequence[str]]) -> dict[str, float]:
    """Return the fraction of the learning rate of each layer, by its name; the others have 1.

    Args:
        rates: fractions by part; those of parts that overlap, as the backbone and its P3, are multiplied.
        parts: the names of the layers by part.

    Raises:
        UsageError: there is no such part, or a fraction is no positive number.

    Example:
        >>> by_layer({"backbone": 0.5, "P2": 0.5}, {"backbone": ["stem", "top"], "P2": ["stem"], "neck": ["smooth"]})
        {'stem': 0.25, 'top': 0.5}
    """
    layers: dict[str, float] = {}
    for part, fraction in rates.items():
        check_number("compile", f"a rate of '{one_of(part, parts, 'part to give a rate')}'", fraction, above=0)
        for layer in parts[part]:
            layers[layer] = layers.get(layer, 1.0) * float(fraction)
    return layers


def checked(rates: Any) -> dict[str, float] | None:
    """Return the fractions that `compile` was given, or None for none at all; refuse what are no fractions by part."""
    if rates is not None and not isinstance(rates, Mapping):
        raise UsageError(f"compile was given rates={rates!r}: expected fractions by part, as {{'backbone': 0.1}}.")
    return None if rates is None else dict(rates)


def scale(optimizer: Any, fractions: Iterable[tuple[Any, float]]) -> None:
    """Have an optimizer update some variables, and let them decay, by a fraction of its rate, from now on.

    Args:
        optimizer: one of Keras's or a subclass, whose `update_step` is given the rate.
        fractions: pairs of a variable and its fraction; of what is not named it is 1. None at all undoes it.
    """
    own = vars(optimizer)
    for name in (OWN, "update_step", "_apply_weight_decay"):
        own.pop(name, None)
    known = {optimizer._var_key(variable): fraction for variable, fraction in fractions if fraction != 1.0}
    if known:
        update = optimizer.update_step  # of its class

        def scaled(gradient: Any, variable: Any, learning_rate: Any) -> Any:
            fraction = fraction_of(optimizer, variable)
            return update(gradient, variable, learning_rate if fraction == 1.0 else learning_rate * fraction)

        own.update({OWN: known, "update_step": scaled})
        own["_apply_weight_decay"] = lambda variables: _decay(optimizer, variables)


def fraction_of(optimizer: Any, variable: Any) -> float:
    """Return by which fraction of its rate an optimizer updates a variable."""
    known = vars(optimizer).get(OWN)
    return 1.0 if known is None else known.get(optimizer._var_key(variable), 1.0)


def grouped(optimizer: Any, variables: Sequence[Any], values: Sequence[T]) -> dict[float, list[tuple[Any, T]]]:
    """Return variables, each with a value, by the fraction of an optimizer's rate that they are updated by."""
    groups: dict[float, list[tuple[Any, T]]] = {}
    for variable, value in zip(variables, values, strict=True):
        groups.setdefault(fraction_of(optimizer, variable), []).append((variable, value))
    return groups


def _decay(optimizer: Any, variables: Sequence[Any]) -> None:
    """Let variables decay as Keras does, each by its own rate."""
    if optimizer.weight_decay is None:
        return

    def decay_all(strategy: tf.distribute.Strategy, variables: Sequence[Any]) -> None:
        def decay(variable: Any) -> None:
            rate = tf.cast(optimizer.learning_rate, variable.dtype)
            fraction = fraction_of(optimizer, variable)
            rate = rate if fraction == 1.0 else rate * fraction
            variable.assign_sub(variable * tf.cast(optimizer.weight_decay, variable.dtype) * rate)

        for variable in variables:
            if optimizer._use_weight_decay(variable):
                whole = variable.value if isinstance(variable, keras.Variable) else variable
                strategy.extended.update(whole, decay, group=False)

    strategy = optimizer._distribution_strategy
    tf.__internal__.distribute.interim.maybe_merge_call(decay_all, strategy, list(variables))
