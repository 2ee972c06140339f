"""Where the raw outputs of a model's tasks are: in one flat dictionary, under names that begin with the task's."""

from collections.abc import Mapping
from typing import Any

from visionmtl.sharing.base.built import Auxiliary


class RawOutputs:
    """The names of the raw outputs of a model's tasks.

    Args:
        heads: what each task's head gave, `{task: {name: symbolic tensor}}`.
        auxiliary: each task's further outputs that learn but predict nothing, if it has any.

    Attributes:
        weights: of the loss of each task's auxiliary outputs beside its own.
    """

    def __init__(self, heads: Mapping[str, Mapping], auxiliary: Mapping[str, Auxiliary]):
        self._names = {task: list(outputs) for task, outputs in heads.items()}
        self._auxiliary = {task: list(further.outputs) for task, further in auxiliary.items()}
        self.weights = {task: further.weight for task, further in auxiliary.items()}

    @staticmethod
    def flat(heads: Mapping[str, Mapping], auxiliary: Mapping[str, Auxiliary]) -> dict[str, Any]:
        """Return all of them in one dictionary."""
        outputs = {f"{task}_{name}": tensor for task, raw in heads.items() for name, tensor in raw.items()}
        further = [(task, name, tensor) for task, of in auxiliary.items() for name, tensor in of.outputs.items()]
        return outputs | {f"auxiliary_{task}_{name}": tensor for task, name, tensor in further}

    def of(self, task: str, outputs: Mapping) -> dict[str, Any]:
        """Return one task's outputs out of those of the model, under the names its head gave them.

        An export's network has none of those that its tasks leave unread.
        """
        return {name: outputs[f"{task}_{name}"] for name in self._names[task] if f"{task}_{name}" in outputs}

    def auxiliary_of(self, task: str, outputs: Mapping) -> dict[str, Any]:
        """Return a task's outputs that learn but predict nothing, under the names its head gave them."""
        return {name: outputs[f"auxiliary_{task}_{name}"] for name in self._auxiliary.get(task, ())}
