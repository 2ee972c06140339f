"""NDDR-CNN: a backbone for every task, and after each stage all maps reduced anew for every task by a convolution.

Where a cross-stitch unit weighs channel with like channel, this lets any channel of any task reach any other. Take it
where tasks' features differ too much for that, and there is data to learn it from. It costs a backbone and a neck for
each task, less a stem that `until` shares, and K * C * C weights a task and level.
"""

import keras
import numpy as np

from visionmtl.layers.cross_stitch import near_identity
from visionmtl.layers.normalisation import FusedBatchNormalization
from visionmtl.sharing.base.scheme import Matrix
from visionmtl.sharing.base.side_by_side import SideBySide


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
        until: the last level of a stem that all tasks share, such as "P2"; None gives each task a whole backbone.

    Reference: Gao et al. 2019, NDDR-CNN: Layerwise Feature Fusing in Multi-Task CNNs by Neural Discriminative
    Dimensionality Reduction.
    """

    name = "nddr"

    def __init__(self, own: float = 0.9, normalise: bool = False, until: str | None = None):
        super().__init__(until)
        self.own, self.normalise = own, normalise
        self.levels: list[str] = []
        near_identity(1, own)  # refuses what is no weight

    def join(self, level, maps):
        start = near_identity(len(maps), self.own)
        every = list(maps.values())
        stacked = keras.layers.Concatenate(name=f"nddr_{level}")(every) if len(every) > 1 else every[0]
        self.levels.append(level)
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

    def learnt(self, model):
        """Return how large each task's (row's) convolution of each task's maps (column) is, by level.

        The size is the Frobenius norm over the root of the channels: `own` and its rest at the start.
        """
        found = {}
        for level in self.levels:
            units = {task: f"nddr_{level}_{task}" for task in self.tasks}
            there = {layer.name: layer for layer in model.layers}
            rows = []
            for task, name in units.items():
                if name in there:
                    kernel = keras.ops.convert_to_numpy(there[name].kernel)[0, 0]
                    blocks = np.split(kernel, len(self.tasks))
                    rows.append((task, [np.linalg.norm(block) / np.sqrt(len(block)) for block in blocks]))
            if rows:
                names = [task for task, _ in rows]
                found[f"NDDR {level}"] = Matrix(np.array([sizes for _, sizes in rows]), names, self.tasks)
        return found

    def get_config(self):
        return {"own": self.own, "normalise": self.normalise, "until": self.until}
