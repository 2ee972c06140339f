"""What one training step is made of, in the order in which it goes: plan, cut, task_losses, backward, update, tracking.

From outside, import `BalancedModel` and `Alternating`. How tasks share the update is no matter of this folder: a new
way is a balancer, which is given a `backward.Forward`.
"""

from visionmtl.step.alternating import Alternating
from visionmtl.step.balanced import BalancedModel

__all__ = ["Alternating", "BalancedModel"]
