"""A backbone for every task, side by side: what the schemes that join them between the stages have in common."""

from collections.abc import Mapping
from typing import Any

import keras

from visionmtl.sharing.base.scheme import Scheme
from visionmtl.sharing.base.stages import Stages, stem_and_branches


class SideBySide(Scheme):
    """A backbone for every task, joined after each of its stages; a subclass says how in `join`.

    What `join` returns is what a task's next stage reads, and the task's map of that level.

    Args:
        until: the last level of a stem that all tasks share; None gives each task a whole backbone.
    """

    tasks: list[str]  # in the order of the model
    stages: dict[str, Stages]  # each task's own, from the level after `until`

    def __init__(self, until: str | None = None):
        self.until = until

    def features(self, image, tasks, make_stages):
        self.tasks = list(tasks)
        stem, start, self.stages = stem_and_branches(self.name, self.until, image, tasks, make_stages)
        features = {task: dict(stem) for task in tasks}
        joined = dict.fromkeys(tasks, start)
        for stages in zip(*self.stages.values(), strict=True):
            level = stages[0][0]
            maps = {task: stage(joined[task]) for task, (_, stage) in zip(tasks, stages, strict=True)}
            joined = self.join(level, maps)
            for task, made in joined.items():
                features[task][level] = made
        return features

    def join(self, level: str, maps: Mapping[str, keras.KerasTensor]) -> dict[str, Any]:
        """Return what each task goes on with, from every task's map `[B, H, W, C]` of a level."""
        raise NotImplementedError

    def get_config(self):
        return {"until": self.until}
