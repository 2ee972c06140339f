"""Multi-task learning as a bargaining game."""

import tensorflow as tf

from visionmtl.balancing.gramian.fairgrad import alpha_fair
from visionmtl.balancing.gramian_method import Comparison, Gradients, GramianMethod


class NashMTL(GramianMethod):
    """Take the Nash bargaining solution: weights w with G w = 1 / w.

    Reference: Navon et al. 2022, Multi-Task Learning as a Bargaining Game; solved exactly, where the authors
    iterate a linearised problem. Scale and fall-back are those of FairGrad.
    """

    paper = "Navon et al. 2022"
    promise = "no task gets worse; the Nash bargain, blind to the losses' scales"

    def weights(self, seen: Gradients, comparison: Comparison) -> tf.Tensor:
        return alpha_fair(seen, 1.0)
