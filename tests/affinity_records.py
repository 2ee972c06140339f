"""Records of trainings that nobody trained: of three tasks the first two get on, and the last hinders them."""

import numpy as np

from visionmtl.comparison.affinity import linearised
from visionmtl.comparison.affinity.look import WHOLE
from visionmtl.comparison.affinity.record import Record

TASKS = ["classification", "detection", "segmentation"]
LIKES = np.array([[0.3, 0.2, -0.1], [0.2, 0.3, -0.1], [-0.1, -0.1, 0.3]])  # the first two get on


def record(tasks=TASKS, common=1.0, seed=0):
    """A record of twelve looks at tasks of which the first two get on, and the last hinders them."""
    random, count = np.random.default_rng(seed), len(tasks)
    likes = LIKES if count == 3 else random.normal(0, 0.1, (count, count))
    looks = likes + random.normal(0, 0.01, (12, count, count))
    both = np.full((count, count), 100.0)
    both[-1, :-1] = both[:-1, -1] = 100 * common
    sketches = linearised.Sketches(random.normal(size=(24, count, 8)), np.ones((24, count)))
    steps = np.arange(0, 120, 10)
    cosines = {"P2": np.clip(looks, -1, 1), WHOLE: np.clip(looks, -1, 1)}
    return Record(list(tasks), steps, looks, cosines, both, sketches, 1.2, 60.0, 120, ("RMSE",))
