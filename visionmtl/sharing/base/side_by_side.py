"""A backbone for every task, side by side: what the schemes that join them between the stages have in common."""

from collections.abc import Sequence
from functools import partial

import keras

from visionmtl.sharing.base.built import Made, Matrix, Penalty
from visionmtl.sharing.base.scheme import MakeStages, Scheme, Tasks
from visionmtl.sharing.base.stages import Branches, Maps, stem_and_branches


class SideBySide(Scheme):
    """A backbone for every task, joined after each of its stages; a subclass says how in `join`.

    What `join` returns is what a task's next stage reads, and the task's map of that level. A subclass has an option
    `until`, the last level of a stem that all tasks share; None gives each task a whole backbone.
    """

    until: str | None  # no field of its own, so that a subclass says in which order its options stand

    def features(self, image: keras.KerasTensor, tasks: Tasks, make_stages: MakeStages) -> Made[Maps]:
        branches = stem_and_branches(self.name, self.until, image, tasks, make_stages)
        features = {task: dict(branches.stem) for task in tasks}
        joined = dict.fromkeys(tasks, branches.start)
        for stages in zip(*branches.stages.values(), strict=True):
            level = stages[0][0]
            maps = {task: stage(joined[task]) for task, (_, stage) in zip(tasks, stages, strict=True)}
            joined = self.join(level, maps)
            for task, made in joined.items():
                features[task][level] = made
        names, levels = branches.tasks, list(branches.kernels)
        return Made(
            features,
            penalties=self.penalties(branches),
            rates=self.rates(names, levels),
            learnt=partial(self.matrices, names, levels),
        )

    def join(self, level: str, maps: Maps) -> Maps:
        """Return what each task goes on with, from every task's map `[B, H, W, C]` of a level."""
        raise NotImplementedError

    def penalties(self, branches: Branches) -> Sequence[Penalty]:
        """Return the losses that tie the branches together."""
        return []

    def rates(self, tasks: list[str], levels: list[str]) -> dict[str, float]:
        """Return how many times the learning rate the layers that join the tasks learn at, by name, if not once.

        Args:
            tasks: all that are built.
            levels: those at which they are joined.
        """
        return {}

    def matrices(self, tasks: list[str], levels: list[str], model: keras.Model) -> dict[str, Matrix]:
        """Return what a model has learnt of how the tasks are joined, by title.

        Args:
            tasks: all that were built.
            levels: those at which they were joined.
            model: it may have fewer tasks.
        """
        return {}
