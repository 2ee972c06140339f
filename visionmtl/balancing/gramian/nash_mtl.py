"""Multi-task learning as a bargaining game."""

import tensorflow as tf

from visionmtl.balancing.gramian.fairgrad import alpha_fair
from visionmtl.balancing.gramian_method import Comparison, Gradients, GramianMethod
from visionmtl.balancing.hyperparameters import choice, limit_of_norm


class NashMTL(GramianMethod):
    """Take the Nash bargaining solution: weights w with G w = 1 / w.

    Reference: Navon et al. 2022, Multi-Task Learning as a Bargaining Game; solved exactly, where the authors iterate a
    linearised problem.

    Scale: solved for G over its Frobenius norm, so that K equal gradients give K of them. The authors' code divides by
    that norm too, and undoes it in its constraints: their update has the length sqrt(K) whatever the gradients' is,
    and is then clipped to the norm 1. `max_norm=1` clips alike, which leaves an update that was shorter as it is.
    Heads: the authors train what one task has alone with its weight too; `heads=weighted` does.
    Fall-back: that of FairGrad.
    """

    paper = "Navon et al. 2022"
    promise = "no task gets worse; the Nash bargain, blind to the losses' scales"
    equation = "G w = 1 / w, for G over its norm"
    when = "where losses and gradients differ in scale and each task is to gain its fair part"

    heads: str = choice("plain", ("plain", "weighted"), "whether a task's weight also holds for what it trains alone")
    max_norm: float | None = limit_of_norm()

    def weighs_heads(self) -> bool:
        return self.heads == "weighted"

    def weights(self, seen: Gradients, comparison: Comparison) -> tf.Tensor:
        return alpha_fair(seen, 1.0)
