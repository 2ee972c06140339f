"""NDDR-CNN: a backbone for every task, and after each stage a 1 x 1 convolution for every task over all their maps.

Where a cross-stitch unit weighs channel with like channel, this lets any channel of any task reach any other. Take it
where tasks' features differ too much for that, and there is data to learn it from. It costs a backbone and a neck for
each task, less a stem that `until` shares, and K * C * C weights a task and level.
"""

import keras
import numpy as np

from visionmtl.layers import FusedBatchNormalization, near_identity
from visionmtl.sharing.scheme import Matrix
from visionmtl.sharing.side_by_side import SideBySide


class NDDR(SideBySide):
    """A backbone per task, all maps reduced anew for each task after every stage.

    Each task's convolution starts as a diagonal: `own` of a channel itself, the rest shared by the same channel of the
    others. Batch normalisation follows, and no activation: a backbone's maps may be signed, as those of MobileNet's and
    EfficientNet's linear bottlenecks are, and half of them would be lost.

    Args:
        own: at the start, the weight of a task's own map, 0 to 1; the other tasks share the rest.
        until: the last level of a stem that all tasks share, such as "P2"; None gives each task a whole backbone.

    Reference: Gao et al. 2019, NDDR-CNN: Layerwise Feature Fusing in Multi-Task CNNs by Neural Discriminative
    Dimensionality Reduction.
    """

    name = "nddr"

    def __init__(self, own: float = 0.9, until: str | None = None):
        super().__init__(until)
        self.own = own

    def join(self, level, maps):
        start, every = near_identity(len(maps), self.own), list(maps.values())
        stacked = keras.layers.Concatenate(name=f"nddr_{level}")(every) if len(every) > 1 else every[0]
        joined = {}
        for weights, (task, own) in zip(start, maps.items(), strict=True):
            channels, name = own.shape[-1], f"nddr_{level}_{task}"
            reduce = keras.layers.Conv2D(channels, 1, use_bias=False, name=name)
            reduced = reduce(stacked)
            reduce.set_weights([np.kron(weights[:, None], np.eye(channels))[None, None]])
            joined[task] = FusedBatchNormalization(momentum=0.97, epsilon=1e-3, name=f"{name}_normalisation")(reduced)
        return joined

    def learnt(self, model):
        """Return how much each task (row) takes of each (column), by level.

        It is the Frobenius norm of that block of its convolution over the root of the channels: `own` at the start.
        """
        layers, found = {layer.name: layer for layer in model.layers}, {}
        for level in self.levels:
            rows = [task for task in self.tasks if f"nddr_{level}_{task}" in layers]
            kernels = [keras.ops.convert_to_numpy(layers[f"nddr_{level}_{task}"].kernel)[0, 0] for task in rows]
            if rows:
                blocks = np.reshape(kernels, (len(rows), len(self.tasks), *2 * kernels[0].shape[-1:]))
                norms = np.sqrt(np.square(blocks).sum(axis=-1).mean(axis=-1))
                found[f"NDDR {level}"] = Matrix(norms, rows, self.tasks)
        return found

    def get_config(self):
        return {"own": self.own, "until": self.until}
