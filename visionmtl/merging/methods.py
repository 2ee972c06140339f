"""The ways to merge by name, with the scale that their papers take where nothing is known."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from visionmtl.errors import UsageError, check_number, one_of
from visionmtl.merging import arithmetic, ties

KEEP = 0.2  # of TIES's numbers; section 6 of its paper


class Method(NamedTuple):
    """A way to merge.

    Attributes:
        combine: makes one task vector of several.
        scale: of that vector by default: what the paper of TIES takes for both without validation data (section 6).
        trims: whether it keeps a fraction of each vector, `keep`.
    """

    combine: Callable[..., Any]
    scale: float
    trims: bool


METHODS = {
    "arithmetic": Method(arithmetic.summed, 0.4, trims=False),
    "ties": Method(ties.agreed, 1.0, trims=True),
}


def chosen(name: str, scale: float | None, keep: float | None) -> Method:
    """Return a method with the scale and the fraction to keep that are given, or its own.

    Raises:
        UsageError: there is none of this name, a number is out of range, or the method keeps no fraction.
    """
    method = METHODS[one_of(name, METHODS, "method of merging")]
    if scale is not None:
        check_number("merge", "scale", scale, above=0)
    if keep is not None and not method.trims:
        trimming = ", ".join(other for other, each in METHODS.items() if each.trims)
        raise UsageError(f"'{name}' keeps all of a task vector: leave keep out, or take {trimming}.")
    if method.trims:
        keep = KEEP if keep is None else check_number("merge", "keep", keep, above=0, up_to=1)
        method = method._replace(combine=partial(method.combine, keep=keep))
    return method if scale is None else method._replace(scale=scale)
