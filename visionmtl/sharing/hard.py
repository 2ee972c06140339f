"""Hard sharing: one backbone for all tasks, whole or up to a level.

All tasks read the same maps; with `until`, they share the stages up to that level and each continues with stages of its
own. Take it first: it is the cheapest, and the baseline every other scheme has to beat. It costs one backbone, and with
`until` also the stages after that level once a task. With `own_necks` tasks share the backbone alone, as the models do
that `visionmtl merge` makes, and a neck a task is added.
"""

from dataclasses import dataclass

import keras

from visionmtl.errors import check_flag
from visionmtl.sharing.base.built import Made
from visionmtl.sharing.base.scheme import MakeStages, Scheme, Tasks
from visionmtl.sharing.base.stages import Maps, run_stages, split_after


@dataclass(frozen=True)
class Hard(Scheme):
    """One backbone for all tasks, whole or up to a level.

    Args:
        until: the last level that all tasks share, such as "P3"; None shares everything.
        own_necks: whether each task has a neck of its own also where tasks share the whole backbone.

    Reference: Caruana 1997, Multitask Learning.
    """

    until: str | None = None
    own_necks: bool = False

    name = "hard"

    def __post_init__(self) -> None:
        check_flag(f"sharing '{self.name}'", "own_necks", self.own_necks)

    def features(self, image: keras.KerasTensor, tasks: Tasks, make_stages: MakeStages) -> Made[Maps]:
        shared = make_stages("")
        split = split_after(self.until, shared) or len(shared)
        trunk = run_stages(shared[:split], image)
        if split == len(shared):
            return Made(dict.fromkeys(tasks, trunk), own_necks=self.own_necks)
        last = trunk[shared[split - 1][0]]
        return Made({task: trunk | run_stages(make_stages(f"{task}_")[split:], last) for task in tasks})
