"""What each balancer is, for people to choose by: its family, its paper, what a step costs and what it promises."""

from typing import NamedTuple

from visionmtl.balancing import BALANCERS, METHODS


class Entry(NamedTuple):
    """One balancer.

    Attributes:
        name: as in a recipe.
        family: "loss", "gradient" (from the Gramian of the task gradients) or "elementwise".
        paper: authors and year; "" for none.
        cost: of a step, in passes.
        promise: in a few words.
    """

    name: str
    family: str
    paper: str
    cost: str
    promise: str


ONE_PASS, LOOKS_BACK = "1 forward, 1 backward", "2 forward, 1 backward"
HALVES = "1 forward, 2 K backward, by halves of the batch"
K_PASSES, K_HEADS = "1 forward, K backward*", "1 forward, 1 backward, K of the heads"
_OWN = {
    "equal": ("", ONE_PASS, "the sum of the losses; the baseline"),
    "fixed": ("", ONE_PASS, "weights you choose"),
    "uncertainty": ("Kendall et al. 2018", ONE_PASS, "weights learnt from each task's noise"),
    "bayesian": ("Kendall et al. 2018, Blundell et al. 2015", ONE_PASS, "the same with a posterior over the noise"),
    "learned": ("", ONE_PASS, "softmax weights learnt by back-propagation, kept off the corners"),
    "dwa": ("Liu et al. 2019", ONE_PASS, "more weight where the loss fell least from epoch to epoch"),
    "rlw": ("Lin et al. 2022", ONE_PASS, "random weights in every step"),
    "gls": ("Chennupati et al. 2019", ONE_PASS, "all losses fall by the same share: their geometric mean"),
    "stch": ("Lin et al. 2024", ONE_PASS, "a smooth maximum: the worst task first"),
    "imtl_l": ("Liu et al. 2021", ONE_PASS, "weighted losses alike"),
    "famo": ("Liu et al. 2023", LOOKS_BACK, "all losses fall by the same share, learnt as they fall"),
    "gradnorm": ("Chen et al. 2018", K_HEADS, "gradients as long as training rates ask"),
    "excess_mtl": ("He et al. 2024", K_HEADS, "more weight where most is still to gain, whatever the label noise"),
    "db_mtl": ("Lin et al. 2023", K_PASSES, "log losses, gradients smoothed and all as long as the longest"),
    "graddrop": ("Chen et al. 2020", K_PASSES, "one sign a parameter, drawn at random"),
}  # fmt: skip
_GRAMIAN = {
    "mgda": ("Désidéri 2012, Sener and Koltun 2018", "no task gets worse; the shortest vector of the hull"),
    "pcgrad": ("Yu et al. 2020", "conflicts between pairs projected away; no conflict for two tasks"),
    "gradvac": ("Wang et al. 2021", "pairs turned until they are as near as usual"),
    "cagrad": ("Liu et al. 2021", "near the mean gradient, best for the worst-off task"),
    "imtl_g": ("Liu et al. 2021", "equal projections on every task's direction"),
    "nash_mtl": ("Navon et al. 2022", "no task gets worse; the Nash bargain, blind to the losses' scales"),
    "fairgrad": ("Ban and Ji 2024", "no task gets worse; alpha-fair"),
    "aligned_mtl": ("Senushkin et al. 2023", "orthogonal gradients of one length; a well-conditioned step"),
    "upgrad": ("Quinton and Rey 2024", "no task gets worse; each gradient freed of its conflicts, then summed"),
    "dual_proj": ("Lopez-Paz and Ranzato 2017", "no task gets worse; the sum freed of its conflicts"),
    "config": ("Liu et al. 2024", "no task gets worse; the same cosine to every gradient"),
    "sdmgrad": ("Xiao et al. 2023", "a short vector of the hull, pulled at by the mean"),
    "modo": ("Chen et al. 2023", "towards the shortest vector of the hull, one step a batch"),
    "unit_norm": ("", "every gradient equally long"),
}
NOTE = (
    "* with scope=features, 1 backward of the backbone and K of the heads; between the steps of update_every=n, 1"
    " backward. Neither for db_mtl and graddrop. For gradnorm and excess_mtl with scope=parameters, K backward."
)


def entries() -> list[Entry]:
    """Return the entry of every balancer."""
    found = []
    for name in BALANCERS:
        if name in METHODS:
            paper, promise = _GRAMIAN[name]
            found.append(Entry(name, "gradient", paper, HALVES if name in ("sdmgrad", "modo") else K_PASSES, promise))
        else:
            family = "elementwise" if name in ("db_mtl", "graddrop") else "loss"
            found.append(Entry(name, family, *_OWN[name]))
    return found
