"""Which tasks to train together: what one joint training says of how its tasks get on.

From outside come `affinity` and `self_test`. A new score is a function in a file of its own, of what a `look` saw, and
one line in `figures.SCORES`.
"""

from visionmtl.comparison.affinity.running import affinity
from visionmtl.comparison.affinity.selftest import self_test

__all__ = ["affinity", "self_test"]
