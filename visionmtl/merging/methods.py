"""The ways to merge by name, with the scale that their papers take where nothing is known."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from visionmtl.errors import UsageError, check_number, one_of
from visionmtl.merging import adamerging, arithmetic, ties

KEEP = 0.2  # of TIES's numbers; section 6 of its paper


class Method(NamedTuple):
    """A way to merge.

    Attributes:
        combine: makes one task vector of several; of one that learns it takes their coefficients too.
        scale: of that vector by default: what the paper of TIES takes for both without validation data (section 6).
        trims: whether it keeps a fraction of each vector, `keep`.
        steps: of learning coefficients on pictures; 0 where it learns nothing.
    """

    combine: Callable[..., Any]
    scale: float = 1.0
    trims: bool = False
    steps: int = 0


METHODS = {
    "arithmetic": Method(arithmetic.summed, 0.4),
    "ties": Method(ties.agreed, trims=True),
    "adamerging": Method(adamerging.weighed, steps=adamerging.STEPS),
}


def chosen(name: str, scale: float | None = None, keep: float | None = None, steps: int | None = None) -> Method:
    """Return a method with the scale, the fraction to keep and the steps that are given, or its own.

    Raises:
        UsageError: there is none of this name, a number is out of range, or the method has no use for it.
    """
    method = METHODS[one_of(name, METHODS, "method of merging")]
    if scale is not None:
        check_number("merge", "scale", scale, above=0)
        if method.steps:
            raise UsageError(f"'{name}' learns what task vectors are scaled by: leave scale out.")
        method = method._replace(scale=scale)
    if keep is not None and not method.trims:
        raise UsageError(f"'{name}' keeps all of a task vector: leave keep out, or take {_those('trims')}.")
    if method.trims:
        keep = KEEP if keep is None else check_number("merge", "keep", keep, above=0, up_to=1)
        method = method._replace(combine=partial(method.combine, keep=keep))
    if steps is not None:
        if not method.steps:
            raise UsageError(f"'{name}' learns nothing: leave steps out, or take {_those('steps')}.")
        method = method._replace(steps=int(check_number("merge", "steps", steps, at_least=1, whole=True)))
    return method


def that_learn_nothing() -> list[str]:
    """Return the names of methods that need no pictures."""
    return [name for name, method in METHODS.items() if not method.steps]


def _those(what: str) -> str:
    return ", ".join(name for name, method in METHODS.items() if getattr(method, what))
