"""First heads of all tasks, and what their predictions tell the others."""

from dataclasses import dataclass

from visionmtl.sharing.base.built import Auxiliary, Outputs
from visionmtl.sharing.base.evidence import Evidence, evidence_maps
from visionmtl.sharing.base.scheme import Tasks
from visionmtl.sharing.base.stages import Maps


@dataclass(frozen=True)
class Initial:
    """What first heads say.

    Attributes:
        outputs: raw outputs by task.
        evidence: by task, a map of each level; None where there is none.
    """

    outputs: dict[str, Outputs]
    evidence: dict[str, Evidence]

    def auxiliary(self, weight: float) -> dict[str, list[Auxiliary]]:
        """Return the outputs as ones that learn from the labels too, their loss so much beside the final ones'."""
        return {name: [Auxiliary(outputs, weight)] for name, outputs in self.outputs.items()}


def initial_heads(maps: dict[str, Maps], tasks: Tasks, scheme: str) -> Initial:
    """Build a first head for each task, under a name of its own, on the maps that it reads.

    Args:
        maps: by task.
        tasks: `tasks.Task` by name.
        scheme: its name, which begins the names of the layers that hand evidence on.
    """
    outputs, evidence = {}, {}
    for name, task in tasks.items():
        first = type(task).from_config(task.get_config() | {"name": f"{name}_initial"})
        outputs[name] = first.outputs(maps[name])
        evidence[name] = evidence_maps(first, outputs[name], maps[name], f"{scheme}_{name}")
    return Initial(outputs, evidence)
