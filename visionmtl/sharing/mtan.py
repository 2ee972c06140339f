"""MTAN: one shared backbone, and for each task a soft mask over every map that says what of it the task takes.

A task's mask at a level reads the shared map and what the task took at the level before, and training finds which
features serve whom. Take it where hard sharing nearly does and the tasks want different features at the same depth. It
costs hard sharing, two to three small convolutions a level and task, and a neck for each task.
"""

from dataclasses import dataclass

import keras

from visionmtl.errors import check_number
from visionmtl.layers.convolution import ConvBlock
from visionmtl.sharing.base.built import Made
from visionmtl.sharing.base.scheme import MakeStages, Scheme, Tasks
from visionmtl.sharing.base.stages import Maps, run_stages


@dataclass(frozen=True)
class MTAN(Scheme):
    """One shared backbone, and a soft attention mask for each task and stage.

    Args:
        openness: logit of the masks at the start: 3 lets 95% of a map through, 0 half of it as in the paper, so that a
            pretrained network starts nearly as it was.

    Reference: Liu, Johns and Davison 2019, End-to-End Multi-Task Learning with Attention.
    """

    openness: float = 3.0

    name = "mtan"

    def __post_init__(self) -> None:
        check_number(f"sharing '{self.name}'", "openness", self.openness, at_least=0)

    def features(self, image: keras.KerasTensor, tasks: Tasks, make_stages: MakeStages) -> Made[Maps]:
        shared = run_stages(make_stages(""), image)
        return Made({task: self._attended(task, shared) for task in tasks})

    def _attended(self, task: str, shared: Maps) -> Maps:
        """Return what a task takes of each shared map."""
        attended: Maps = {}
        before = None
        for level, x in shared.items():
            name, channels, read = f"mtan_{task}_{level}", x.shape[-1], x
            if before is not None:
                stride = before.shape[1] // x.shape[1]
                taken = ConvBlock(channels, strides=stride, name=f"{name}_before")(before)
                read = keras.layers.Concatenate(name=f"{name}_read")([x, taken])
            hidden = ConvBlock(channels, 1, separable=False, name=f"{name}_attention")(read)
            mask = keras.layers.Conv2D(
                channels,
                1,
                activation="sigmoid",
                bias_initializer=keras.initializers.Constant(self.openness),
                name=f"{name}_mask",
            )(hidden)
            before = attended[level] = keras.layers.Multiply(name=name)([mask, x])
        return attended
