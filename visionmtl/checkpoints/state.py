"""The variables of a training as arrays, and given back, each replica what it had."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from visionmtl.workers import ALONE, Workers, replicas_of

Groups = Mapping[str, Sequence[Any]]  # variables by what they are of, as `KeptModel.training_state` returns them


class MisfitError(Exception):
    """Arrays that are not those of these variables; the message says which differs."""


def taken(groups: Groups, workers: Workers = ALONE) -> dict[str, np.ndarray]:
    """Return the values of variables, copied to the host, by `<group>:<number>:<replica>:<path>`.

    What every replica has alike is there once; what each counts for itself, or measures of its own images as batch
    normalisation does, once a replica. Of several workers, all of which ask, each is returned its own replicas, with
    what all workers count added up.
    """
    arrays, counted = {}, []
    for group, variables in groups.items():
        for number, variable in enumerate(variables):
            held = replicas_of(variable)
            for replica, own in enumerate(held if _may_differ(group, variable, held[0]) else held[:1]):
                name = f"{group}:{number}:{replica}:{_path(variable)}"
                arrays[name] = np.array(own.numpy())
                counted += [name] if _apart(own) else []
    if workers.several:
        for name, *parts in zip(counted, *workers.arrays([arrays[name] for name in counted]), strict=True):
            arrays[name] = sum(parts[1:], parts[0])
    return arrays


def give_back(groups: Groups, arrays: Mapping[str, np.ndarray], workers: Workers = ALONE) -> None:
    """Give variables the values that `taken` returned; on another number of replicas, what they count adds up alike.

    Of several workers the chief has counted what all had.

    Raises:
        MisfitError: they are those of other variables; none is changed.
    """
    stored: dict[tuple[str, int], list[tuple[str, np.ndarray]]] = {}
    for name, array in arrays.items():
        group, number, _, path = name.split(":", 3)
        stored.setdefault((group, int(number)), []).append((path, array))
    wanted = {(group, n): variable for group, all_of in groups.items() for n, variable in enumerate(all_of)}
    _check(wanted, stored)
    for place, variable in wanted.items():
        values, held = [array for _, array in stored[place]], replicas_of(variable)
        if len(values) != len(held):
            own = _apart(held[0])
            rest = np.zeros_like(values[0]) if own else values[0]
            values = [sum(values[1:], values[0]) if own else values[0], *[rest] * (len(held) - 1)]
        for replica, value in zip(held, values, strict=True):
            replica.assign(value if workers.is_chief or not _apart(held[0]) else np.zeros_like(value))


def not_finite(arrays: Mapping[str, np.ndarray], names: Iterable[str]) -> str | None:
    """Return the first of these names whose array holds a value that is no number, or None."""
    for name in names:
        values = arrays[name]
        if values.dtype.kind not in "biu" and not np.isfinite(values.astype(np.float32, copy=False)).all():
            return name.split(":", 3)[3]
    return None


def unfinished(variables: Iterable[Any]) -> str | None:
    """Return the path of the first of some variables with a value that is NaN or infinite, or None."""
    for variable in variables:
        value = tf.convert_to_tensor(variable)
        if value.dtype.is_floating and not bool(tf.reduce_all(tf.math.is_finite(value))):
            return _path(variable)
    return None


def _check(wanted: Mapping[tuple[str, int], Any], stored: Mapping[tuple[str, int], list]) -> None:
    for (group, number), variable in wanted.items():
        shape = list(variable.shape)
        if (group, number) not in stored:
            raise MisfitError(f"the model has '{_path(variable)}' {shape} among its {group}, the checkpoint has not")
        path, array = stored[group, number][0]
        had = list(array.shape)
        if had != shape:
            raise MisfitError(f"'{_path(variable)}' of the model is {shape}, '{path}' of the checkpoint {had}")
    for place, values in stored.items():
        if place not in wanted:
            raise MisfitError(f"the checkpoint has '{values[0][0]}' among its {place[0]}, the model has not")


def _apart(held: Any) -> bool:
    """Whether each replica counts for itself, and a reader adds up."""
    return held.synchronization == tf.VariableSynchronization.ON_READ


def _may_differ(group: str, variable: Any, held: Any) -> bool:
    """Whether replicas may have different values: an optimizer moves them alike, and adds up gradients of each."""
    if _apart(held):
        return True
    alike = variable.trainable or (group == "optimizer" and "accumul" not in _path(variable))
    return not alike and held.aggregation == tf.VariableAggregation.NONE


def _path(variable: Any) -> str:
    return getattr(variable, "path", None) or variable.name
