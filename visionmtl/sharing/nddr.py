"""NDDR-CNN: a backbone for every task, and after each stage all maps reduced anew for every task by a convolution.

Where a cross-stitch unit weighs channel with like channel, this lets any channel of any task reach any other. Take it
where tasks' features differ too much for that, and there is data to learn it from. It costs a backbone and a neck for
each task, less a stem that `until` shares, and K * C * C weights a task and level.
"""

from dataclasses import dataclass

import keras
import numpy as np

from visionmtl.errors import check_number
from visionmtl.layers.cross_stitch import near_identity
from visionmtl.layers.normalisation import FusedBatchNormalization
from visionmtl.sharing.base.built import Matrix
from visionmtl.sharing.base.side_by_side import SideBySide
from visionmtl.sharing.base.stages import Maps


@dataclass(frozen=True)
class NDDR(SideBySide):
    """A backbone per task, all maps reduced anew for each task after every stage.

    Each task's convolution starts as a diagonal: `own` of a channel itself, the rest shared by the same channel of the
    others. The paper's batch normalisation is left to `normalise`, and its activation left out: a backbone's maps may
    be signed, as those of MobileNet's and EfficientNet's linear bottlenecks are, and half of them would be lost.

    Args:
        own: at the start, the weight of a task's own map, 0 to 1; the other tasks share the rest.
        normalise: whether batch normalisation follows each convolution, as in the paper. It changes the scale of what
            the next stage reads, to which a pretrained backbone's moving averages take hundreds of steps to adapt:
            meant for long training, or for backbones without weights.
        rate: how many times as fast as the network the convolutions learn, under any optimizer, above 0. The paper
            takes 100, under gradient descent. AdamW's steps are as long whatever the gradient: there, at a learning
            rate of 0.001, 100 moves every weight by 0.1 in a step, those that start at 0 too.
        until: the last level of a stem that all tasks share, such as "P2"; None gives each task a whole backbone.

    Reference: Gao et al. 2019, NDDR-CNN: Layerwise Feature Fusing in Multi-Task CNNs by Neural Discriminative
    Dimensionality Reduction.
    """

    own: float = 0.9
    normalise: bool = False
    rate: float = 1.0
    until: str | None = None

    name = "nddr"

    def __post_init__(self) -> None:
        near_identity(1, self.own)  # refuses what is no weight
        check_number(f"sharing '{self.name}'", "rate", self.rate, above=0)

    def join(self, level: str, maps: Maps) -> Maps:
        start = near_identity(len(maps), self.own)
        every = list(maps.values())
        stacked = keras.layers.Concatenate(name=f"nddr_{level}")(every) if len(every) > 1 else every[0]
        joined = {}
        for weights, (task, own) in zip(start, maps.items(), strict=True):
            channels, name = own.shape[-1], f"nddr_{level}_{task}"
            reduce = keras.layers.Conv2D(channels, 1, use_bias=False, name=name)
            reduced = reduce(stacked)
            reduce.set_weights([np.kron(weights[:, None], np.eye(channels))[None, None]])
            if self.normalise:
                normalise = FusedBatchNormalization(momentum=0.97, epsilon=1e-3, name=f"{name}_normalisation")
                reduced = normalise(reduced)
            joined[task] = reduced
        return joined

    def rates(self, tasks: list[str], levels: list[str]) -> dict[str, float]:
        """Return `rate` for every convolution."""
        return {f"nddr_{level}_{task}": self.rate for level in levels for task in tasks if self.rate != 1.0}

    def matrices(self, tasks: list[str], levels: list[str], model: keras.Model) -> dict[str, Matrix]:
        """Return how large each task's (row's) convolution of each task's maps (column) is, by level.

        The size is the Frobenius norm over the root of the channels: `own` and its rest at the start.
        """
        there, matrices = {layer.name: layer for layer in model.layers}, {}
        for level in levels:
            rows = {}
            for task in tasks:
                if f"nddr_{level}_{task}" in there:
                    kernel = keras.ops.convert_to_numpy(there[f"nddr_{level}_{task}"].kernel)[0, 0]
                    blocks = np.split(kernel, len(tasks))
                    rows[task] = [np.linalg.norm(block) / np.sqrt(len(block)) for block in blocks]
            if rows:
                matrices[f"NDDR {level}"] = Matrix(np.array(list(rows.values())), list(rows), tasks)
        return matrices
