"""Hierarchical sharing: tasks hang on the backbone at different depths, and higher tasks read the lower ones' features.

A task attached at a level reads the maps up to that level, through features of its own, which every task that comes
after it reads too. Take it where one task is near the pixels and another speaks of the whole image: a low-level task
then does not bend the deep layers. It costs hard sharing, a convolution a level and task, and a neck for each task.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import keras

from visionmtl.errors import UsageError, nearest, one_of
from visionmtl.sharing.base.built import Made
from visionmtl.sharing.base.evidence import refined
from visionmtl.sharing.base.reading_order import reading_order
from visionmtl.sharing.base.scheme import MakeStages, Scheme, Tasks
from visionmtl.sharing.base.stages import Maps, run_stages


@dataclass(frozen=True)
class Hierarchical(Scheme):
    """Tasks attached at different depths, the higher ones reading the lower ones' features.

    Args:
        levels: `{task: the deepest level it reads}`; a task not named reads all but the deepest if it is pixel-wise,
            else all.
        order: a list of all tasks from low to high, or `{task: task or list of tasks that it reads}`; None orders them
            by level, then pixel-wise tasks, detections and classifications, each reading all before it.

    Reference: Kokkinos 2017, UberNet; Hashimoto et al. 2017, A Joint Many-Task Model.
    """

    levels: Mapping[str, str] | None = None
    order: Any = None

    name = "hierarchical"

    def features(self, image: keras.KerasTensor, tasks: Tasks, make_stages: MakeStages) -> Made[Maps]:
        trunk = run_stages(make_stages(""), image)
        deepest = self._deepest(list(trunk), tasks)
        features: dict[str, Maps] = {}
        for name, reads in self._order(deepest, tasks).items():
            features[name] = {}
            for level in list(trunk)[: deepest[name] + 1]:
                lower = [features[other][level] for other in reads if level in features[other]]
                features[name][level] = refined(trunk[level], lower, f"hierarchical_{name}_{level}")
        return Made({name: features[name] for name in tasks})

    def _deepest(self, there: list[str], tasks: Tasks) -> dict[str, int]:
        """Return the place of the deepest level that each task reads."""
        for task in self.levels or {}:
            if task not in tasks:
                raise UsageError(
                    f"sharing 'hierarchical' was given a level for unknown task '{task}'.{nearest(task, tasks)}"
                    f" Tasks: {', '.join(tasks)}."
                )
        last = len(there) - 1
        places = {name: max(0, last - 1) if task.rank == 0 else last for name, task in tasks.items()}
        given = (self.levels or {}).items()
        return places | {task: there.index(one_of(level, there, "level to attach at")) for task, level in given}

    def _order(self, deepest: dict[str, int], tasks: Tasks) -> dict[str, list[str]]:
        """Return the tasks that each task reads, every task after all that it reads."""
        if self.order is None:
            ordered = sorted(tasks, key=lambda name: (deepest[name], tasks[name].rank))
            return {name: ordered[:place] for place, name in enumerate(ordered)}
        if isinstance(self.order, dict):
            return reading_order(self.order, tasks, self.name)
        ordered = list(reading_order(self.order, tasks, self.name))
        return {name: ordered[:place] for place, name in enumerate(ordered)}
