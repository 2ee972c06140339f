"""Cascade: the prediction of one task feeds the features of the next, trained end to end.

Tasks stand in an order, and each but the first reads, beside the shared maps, what those before it predict. Take it
where one answer helps the next, as a segmentation tells a detector where the road is. It costs hard sharing and a
convolution a level and task that reads, and the tasks run one after the other.
"""

from dataclasses import dataclass
from typing import Any

from visionmtl.sharing.base.built import Made, Outputs
from visionmtl.sharing.base.evidence import Evidence, evidence_maps, refined
from visionmtl.sharing.base.reading_order import reading_order
from visionmtl.sharing.base.scheme import Scheme, Tasks
from visionmtl.sharing.base.stages import Maps


@dataclass(frozen=True)
class Cascade(Scheme):
    """The prediction of one task feeds the features of the next, in a given order.

    Args:
        order: a list of all tasks, each of which reads the one before, or `{task: task or list of tasks that it
            reads}`; None takes pixel-wise tasks first, then detections, then classifications.
        stop_gradient: whether a task learns nothing from those that read it.

    Reference: Dai, He and Sun 2016, Instance-aware Semantic Segmentation via Multi-task Network Cascades.
    """

    order: Any = None
    stop_gradient: bool = False

    name = "cascade"

    def heads(self, maps: dict[str, Maps], tasks: Tasks) -> Made[Outputs]:
        order = sorted(tasks, key=lambda name: tasks[name].rank) if self.order is None else self.order
        outputs: dict[str, Outputs] = {}
        evidence: dict[str, Evidence] = {}
        for name, reads in reading_order(order, tasks, self.name).items():
            own = maps[name]
            if reads:
                for source in reads:
                    if source not in evidence:
                        evidence[source] = evidence_maps(
                            tasks[source], outputs[source], own, f"cascade_{source}", self.stop_gradient
                        )
                own = {
                    level: refined(own[level], [evidence[source][level] for source in reads], f"cascade_{name}_{level}")
                    for level in own
                }
            outputs[name] = tasks[name].outputs(own)
        return Made({name: outputs[name] for name in tasks})
