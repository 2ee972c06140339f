"""Cross-stitch networks: a backbone for every task, whose maps are mixed by learnt weights after every stage.

Each task goes on with a weighted sum of all tasks' maps, and training finds how much of the others it takes at which
depth. Take it to see where tasks want to share, or where hard sharing hurts and memory allows more. It costs a backbone
and a neck for each task, less a stem that `until` shares; the units themselves are free.
"""

import keras

from visionmtl.layers.cross_stitch import CrossStitch
from visionmtl.sharing.base.scheme import Matrix
from visionmtl.sharing.base.side_by_side import SideBySide


class CrossStitched(SideBySide):
    """A backbone per task, mixed after every stage by learnt weights.

    Args:
        units: "channel" for weights of every channel's own, "layer" for one weight a pair of tasks and level.
        own: at the start, the weight of a task's own map, 0 to 1; the other tasks share the rest.
        speed: of the weights' learning, see `layers.CrossStitch`.
        until: the last level of a stem that all tasks share, such as "P2"; None gives each task a whole backbone.

    Reference: Misra et al. 2016, Cross-stitch Networks for Multi-task Learning.
    """

    name = "cross_stitch"

    def __init__(self, units: str = "channel", own: float = 0.9, speed: float = 10.0, until: str | None = None):
        super().__init__(until)
        self.units, self.own, self.speed = units, own, speed
        CrossStitch(units, own, speed)  # refuses what it cannot be

    def join(self, level, maps):
        unit = CrossStitch(self.units, self.own, self.speed, name=f"cross_stitch_{level}")
        return dict(zip(maps, unit(list(maps.values())), strict=True))

    def learnt(self, model):
        """Return what each task (row) takes of each (column), by level; the mean over channels."""
        found = {}
        for layer in model.layers:
            if isinstance(layer, CrossStitch):
                weight = keras.ops.convert_to_numpy(layer.weight)
                values = weight.mean(axis=-1) if weight.ndim == 3 else weight
                found[layer.name.replace("cross_stitch_", "cross-stitch ")] = Matrix(values, self.tasks, self.tasks)
        return found

    def get_config(self):
        return {"units": self.units, "own": self.own, "speed": self.speed, "until": self.until}
