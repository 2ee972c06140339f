"""What one training step is made of."""

from visionmtl.step.alternating import Alternating
from visionmtl.step.balanced import BalancedModel

__all__ = ["Alternating", "BalancedModel"]
