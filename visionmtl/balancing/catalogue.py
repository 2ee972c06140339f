"""What each balancer is, for people to choose by: its family, its paper, what a step costs and what it promises."""

from typing import NamedTuple

from visionmtl.balancing import BALANCERS, ELEMENTWISE
from visionmtl.balancing.method import K_HEADS, K_PASSES


class Entry(NamedTuple):
    """One balancer, as its file says it.

    Attributes:
        name: as in a recipe.
        family: "loss", "gradient" (from the Gramian of the task gradients) or "elementwise".
        paper: authors and year; "" for none.
        cost: of a step, in passes; the star is that of `NOTE`.
        promise: in a few words.
    """

    name: str
    family: str
    paper: str
    cost: str
    promise: str


def entries() -> list[Entry]:
    """Return the entry of every balancer."""
    return [Entry(name, each.family, each.paper, each.cost, each.promise) for name, each in BALANCERS.items()]


def _note() -> str:
    """Return what the costs leave out: where a hyperparameter makes a step cheaper or dearer."""
    always = [name for name, each in ELEMENTWISE.items() if each.cost == K_PASSES]
    whole = [name for name in always if "features" not in ELEMENTWISE[name].scopes]
    heads = [name for name, each in BALANCERS.items() if each.cost == K_HEADS]
    return (
        f"* with scope=features, but for {', '.join(whole)}, 1 backward of the backbone and K of the heads; between the"
        f" steps of update_every=n, but for {', '.join(always)}, 1 backward. For {', '.join(heads)} with"
        " scope=parameters, K backward."
        " For the gradient family also scope=P5, or any level that all tasks share: 1 backward before its stage and K"
        " from there on. K is the number of tasks."
    )


NOTE = _note()
