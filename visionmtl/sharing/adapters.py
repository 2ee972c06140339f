"""Adapters: one backbone for all tasks, whose layers carry low-rank updates, and in its last blocks some of each task.

Beside its weights W a layer has two thin matrices: in all blocks A and B that all tasks share, in the last block of
each stage A_t and B_t of every task t. All tasks read one pass through the backbone; from the last block of a stage on,
each has a way of its own, on which only its update is computed anew:

    shared: y = W x + b + s B A x;    task t: y_t = W x + b + s B_t A_t x_t

All B start at zero: every task reads the backbone's maps as they are. Take it with a pretrained backbone, a transformer
first of all, that is frozen by `training.freeze=backbone`: then a task costs a few per cent of the parameters, and one
is added to a trained model without touching the others. It costs one backbone, a task's thin matrices and what lies
between them in the last blocks, and a neck for each task.
"""

from dataclasses import dataclass

import keras

from visionmtl.errors import check_number
from visionmtl.sharing.base.built import Made
from visionmtl.sharing.base.low_rank import AdaptedStage, LowRankMatrices, TaskAdapters
from visionmtl.sharing.base.scheme import MakeStages, Scheme, Tasks
from visionmtl.sharing.base.stages import Maps
from visionmtl.sharing.base.task_path import task_path


@dataclass(frozen=True)
class Adapters(Scheme):
    """One backbone with low-rank updates, of all tasks in all blocks and of each task in the last of a stage.

    As in the authors' code, W x on a task's way is that of the shared pass, of x and not of x_t, so that a way costs no
    product with W; and a shared update is not in y_t of its own layer, but in all that leads there. In transformers all
    dense layers of the blocks are adapted: those of query, key and value by the shared updates alone, as there. The
    paper is about these; in other backbones convolutions are adapted too: A is then a convolution of the same size with
    r filters. The authors freeze the backbone but its normalisations, patches and reductions between stages; here
    `training.freeze=backbone` freezes all of it, and without it all of it learns.

    Args:
        rank: r of each task's updates, at least 1; 4 in the authors' files. A layer of fewer channels has as many.
        shared_rank: r of the updates that all tasks share, 0 for none; 4 to 64 in the authors' files. A backbone that
            is not frozen hardly needs them.
        scale: s, of all updates, more than 0; 4 in the authors' files.

    Reference: Agiza, Neseem and Reda 2024, MTLoRA: A Low-Rank Adaptation Approach for Efficient Multi-Task Learning.
    """

    rank: int = 4
    shared_rank: int = 16
    scale: float = 4.0

    name = "adapters"

    def __post_init__(self) -> None:
        check_number(f"sharing '{self.name}'", "rank", self.rank, at_least=1, whole=True)
        check_number(f"sharing '{self.name}'", "shared_rank", self.shared_rank, at_least=0, whole=True)
        check_number(f"sharing '{self.name}'", "scale", self.scale, above=0)

    def features(self, image: keras.KerasTensor, tasks: Tasks, make_stages: MakeStages) -> Made[Maps]:
        stages = make_stages("")
        features: dict[str, Maps] = {task: {} for task in tasks}
        owned: dict[str, list[str]] = {task: [] for task in tasks}
        x = image
        for place, (level, stage) in enumerate(stages):
            path = task_path(stage, level, last=place == len(stages) - 1)
            matrices = []
            if self.shared_rank and path.adapted:
                matrices = LowRankMatrices(path, self.shared_rank, name=f"adapters_shared_{level}")(x)
            x, *taps = AdaptedStage(stage, path, self.scale)([x, *matrices])
            for task in tasks:
                name = f"adapters_of_{task}_{level}"
                features[task][level] = TaskAdapters(path, self.rank, self.scale, name=name)(taps)
                owned[task].append(name)
        return Made(features, owned=owned)
