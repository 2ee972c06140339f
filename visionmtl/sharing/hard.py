"""Hard sharing: one backbone for all tasks, whole or up to a level.

All tasks read the same maps; with `until`, they share the stages up to that level and each continues with stages of its
own. Take it first: it is the cheapest, and the baseline every other scheme has to beat. It costs one backbone, and with
`until` also the stages after that level once a task.
"""

from dataclasses import dataclass

import keras

from visionmtl.sharing.base.built import Made
from visionmtl.sharing.base.scheme import MakeStages, Scheme, Tasks
from visionmtl.sharing.base.stages import Maps, run_stages, split_after


@dataclass(frozen=True)
class Hard(Scheme):
    """One backbone for all tasks, whole or up to a level.

    Args:
        until: the last level that all tasks share, such as "P3"; None shares everything.

    Reference: Caruana 1997, Multitask Learning.
    """

    until: str | None = None

    name = "hard"

    def features(self, image: keras.KerasTensor, tasks: Tasks, make_stages: MakeStages) -> Made[Maps]:
        shared = make_stages("")
        split = split_after(self.until, shared) or len(shared)
        trunk = run_stages(shared[:split], image)
        if split == len(shared):
            return Made(dict.fromkeys(tasks, trunk))
        last = trunk[shared[split - 1][0]]
        return Made({task: trunk | run_stages(make_stages(f"{task}_")[split:], last) for task in tasks})
