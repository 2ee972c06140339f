"""Cross-stitch networks: a backbone for every task, whose maps are mixed by learnt weights after every stage.

Each task goes on with a weighted sum of all tasks' maps, and training finds how much of the others it takes at which
depth. Take it to see where tasks want to share, or where hard sharing hurts and memory allows more. It costs a backbone
and a neck for each task, less a stem that `until` shares; the units themselves are free.
"""

from dataclasses import dataclass

import keras

from visionmtl.layers.cross_stitch import SPEED, CrossStitch
from visionmtl.sharing.base.built import Matrix
from visionmtl.sharing.base.side_by_side import SideBySide
from visionmtl.sharing.base.stages import Maps


@dataclass(frozen=True)
class CrossStitched(SideBySide):
    """A backbone per task, mixed after every stage by learnt weights.

    Args:
        units: "channel" for weights of every channel's own, "layer" for one weight a pair of tasks and level.
        own: at the start, the weight of a task's own map, 0 to 1; the other tasks share the rest.
        speed: of the weights' learning, 100 times as fast as the network under gradient descent for 10, and 10 times
            under Adam and AdamW; see `layers.CrossStitch`.
        rate: how many times as fast as the network the weights learn, under any optimizer, in place of `speed`; None
            for what that says.
        until: the last level of a stem that all tasks share, such as "P2"; None gives each task a whole backbone.

    Reference: Misra et al. 2016, Cross-stitch Networks for Multi-task Learning.
    """

    units: str = "channel"
    own: float = 0.9
    speed: float = SPEED
    rate: float | None = None
    until: str | None = None

    name = "cross_stitch"

    def __post_init__(self) -> None:
        CrossStitch(self.units, self.own, self.speed, self.rate)  # refuses what it cannot be

    def join(self, level: str, maps: Maps) -> Maps:
        unit = CrossStitch(self.units, self.own, self.speed, self.rate, name=f"cross_stitch_{level}")
        return dict(zip(maps, unit(list(maps.values())), strict=True))

    def matrices(self, tasks: list[str], levels: list[str], model: keras.Model) -> dict[str, Matrix]:
        """Return what each task (row) takes of each (column), by level; the mean over channels."""
        matrices = {}
        for layer in model.layers:
            if isinstance(layer, CrossStitch):
                weight = keras.ops.convert_to_numpy(layer.weight)
                values = weight.mean(axis=-1) if weight.ndim == 3 else weight
                matrices[layer.name.replace("cross_stitch_", "cross-stitch ")] = Matrix(values, tasks, tasks)
        return matrices
