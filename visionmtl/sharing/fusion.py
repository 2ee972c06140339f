"""Fusion: the outputs of all tasks are fused into each task's final prediction.

Initial heads, which learn from the labels too, say what every task sees; a convolution a level reads all their outputs
beside the shared map, and the final heads read the result. Take it where the answers must agree with each other and the
features need not talk. It costs a second head a task and one convolution a task and level.
"""

from dataclasses import dataclass

from visionmtl.errors import check_number
from visionmtl.sharing.base.built import Made, Outputs
from visionmtl.sharing.base.evidence import refined
from visionmtl.sharing.base.initial import initial_heads
from visionmtl.sharing.base.scheme import Scheme, Tasks
from visionmtl.sharing.base.stages import Maps


@dataclass(frozen=True)
class Fusion(Scheme):
    """The tasks' outputs are fused into each final prediction.

    Args:
        initial_weight: of the initial heads' losses beside the final ones', at least 0.
    """

    initial_weight: float = 1.0

    name = "fusion"

    def __post_init__(self) -> None:
        check_number(f"sharing '{self.name}'", "initial_weight", self.initial_weight, at_least=0)

    def heads(self, maps: dict[str, Maps], tasks: Tasks) -> Made[Outputs]:
        initial = initial_heads(maps, tasks, self.name)
        outputs = {}
        for name, task in tasks.items():
            final = {}
            for level, own in maps[name].items():
                said = [initial.evidence[other].get(level) for other in tasks]
                final[level] = refined(own, said, f"fusion_{name}_{level}")
            outputs[name] = task.outputs(final)
        return Made(outputs, initial.auxiliary(self.initial_weight))
