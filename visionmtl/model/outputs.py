"""Where the raw outputs of a model's tasks are: in one flat dictionary, under names that begin with the task's."""

from collections.abc import Mapping, Sequence
from typing import Any

from visionmtl.sharing.base.built import Auxiliary


class RawOutputs:
    """The names of the raw outputs of a model's tasks.

    Args:
        heads: what each task's head gave, `{task: {name: symbolic tensor}}`.
        auxiliary: each task's further outputs that learn but predict nothing, if it has any.
    """

    def __init__(self, heads: Mapping[str, Mapping], auxiliary: Mapping[str, Sequence[Auxiliary]]):
        self._names = {task: list(outputs) for task, outputs in heads.items()}
        self._auxiliary = {
            task: [(_prefix(task, one), list(one.outputs), one.weight) for one in further]
            for task, further in auxiliary.items()
        }

    @staticmethod
    def flat(heads: Mapping[str, Mapping], auxiliary: Mapping[str, Sequence[Auxiliary]]) -> dict[str, Any]:
        """Return all of them in one dictionary."""
        outputs = {f"{task}_{name}": tensor for task, raw in heads.items() for name, tensor in raw.items()}
        further = [(_prefix(task, one), one.outputs) for task, several in auxiliary.items() for one in several]
        return outputs | {f"{prefix}{name}": tensor for prefix, raw in further for name, tensor in raw.items()}

    def of(self, task: str, outputs: Mapping) -> dict[str, Any]:
        """Return one task's outputs out of those of the model, under the names its head gave them.

        An export's network has none of those that its tasks leave unread.
        """
        return {name: outputs[f"{task}_{name}"] for name in self._names[task] if f"{task}_{name}" in outputs}

    def auxiliary_of(self, task: str, outputs: Mapping) -> list[tuple[dict[str, Any], float]]:
        """Return a task's outputs that learn but predict nothing, and what each set's loss weighs beside the task's.

        They stand under the names that their heads gave them.
        """
        return [
            ({name: outputs[f"{prefix}{name}"] for name in names}, weight)
            for prefix, names, weight in self._auxiliary.get(task, ())
        ]


def _prefix(task: str, auxiliary: Auxiliary) -> str:
    """Return what the names of a task's further outputs begin with among those of the model."""
    return f"auxiliary_{task}_{auxiliary.level}_" if auxiliary.level else f"auxiliary_{task}_"
