"""A backbone for every task, side by side: what the schemes that join them between the stages have in common."""

from collections.abc import Mapping
from typing import Any

import keras

from visionmtl.errors import UsageError
from visionmtl.sharing.scheme import Scheme, Stages, run_stages, split_after


class SideBySide(Scheme):
    """A backbone for every task, joined after each of its stages; a subclass says how in `join`.

    What `join` returns is what a task's next stage reads, and the task's map of that level.

    Args:
        until: the last level of a stem that all tasks share; None gives each task a whole backbone.
    """

    tasks: list[str]  # in the order of the model
    stages: dict[str, Stages]  # each task's own, from the level after `until`
    levels: list[str]  # of these stages

    def __init__(self, until: str | None = None):
        self.until = until

    def features(self, image, tasks, make_stages):
        self.tasks, stem = list(tasks), {}
        if self.until is not None:
            shared = make_stages("")
            split = split_after(self.until, shared)
            if split == len(shared):
                raise UsageError(
                    f"sharing '{self.name}' was given until='{self.until}', the backbone's last level, which leaves"
                    f" nothing to join: take {_either(level for level, _ in shared[:-1])}, or the scheme 'hard'."
                )
            stem = run_stages(shared[:split], image)
        self.stages = {task: make_stages(f"{task}_")[len(stem) :] for task in tasks}
        self.levels = [level for level, _ in next(iter(self.stages.values()))]
        features = {task: dict(stem) for task in tasks}
        joined = dict.fromkeys(tasks, list(stem.values())[-1] if stem else image)
        for place, level in enumerate(self.levels):
            joined = self.join(level, {task: self.stages[task][place][1](joined[task]) for task in tasks})
            for task, made in joined.items():
                features[task][level] = made
        return features

    def join(self, level: str, maps: Mapping[str, keras.KerasTensor]) -> dict[str, Any]:
        """Return what each task goes on with, from every task's map `[B, H, W, C]` of a level."""
        raise NotImplementedError

    def get_config(self):
        return {"until": self.until}


def _either(levels) -> str:
    return " or ".join(f"'{level}'" for level in levels) or "None"
