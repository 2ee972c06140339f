"""MTAN: one shared backbone, and for each task a soft mask over every map that says what of it the task takes.

A task's mask at a level reads the shared map and what the task took at the level before, and training finds which
features serve whom. Take it where hard sharing nearly does and the tasks want different features at the same depth. It
costs hard sharing, two to three small convolutions a level and task, and a neck for each task.
"""

from dataclasses import dataclass

import keras

from visionmtl.errors import UsageError, check_number, one_of
from visionmtl.layers.convolution import ConvBlock
from visionmtl.sharing.base.built import Made
from visionmtl.sharing.base.scheme import MakeStages, Scheme, Tasks
from visionmtl.sharing.base.stages import Maps, before_last_block

READS = ("gated", "earlier")


@dataclass(frozen=True)
class MTAN(Scheme):
    """One shared backbone, and a soft attention mask for each task and stage.

    Every mask is made by a 1 x 1 convolution, batch normalisation, an activation and another 1 x 1 convolution, as in
    the paper, from a map of its level and from what the task took at the level before, brought to the same size.

    Args:
        openness: logit of the masks at the start: 3 lets 95% of a map through, 0 half of it as in the paper, so that a
            pretrained network starts nearly as it was.
        reads: which map of its level a mask reads: "gated" for the one that it gates, the last, or "earlier" for one
            from before the stage's last block, as in the paper and its authors' code.

    Reference: Liu, Johns and Davison 2019, End-to-End Multi-Task Learning with Attention.
    """

    openness: float = 3.0
    reads: str = "gated"

    name = "mtan"

    def __post_init__(self) -> None:
        check_number(f"sharing '{self.name}'", "openness", self.openness, at_least=0)
        one_of(self.reads, READS, "map that a mask of sharing 'mtan' reads")

    def features(self, image: keras.KerasTensor, tasks: Tasks, make_stages: MakeStages) -> Made[Maps]:
        shared: Maps = {}
        read: Maps = {}
        x = image
        for level, stage in make_stages(""):
            if self.reads == "earlier":
                x, read[level] = _with_earlier(stage, level)(x)
            else:
                x = read[level] = stage(x)
            shared[level] = x
        return Made({task: self._attended(task, shared, read) for task in tasks})

    def _attended(self, task: str, shared: Maps, seen: Maps) -> Maps:
        """Return what a task takes of each shared map, by masks made of the maps seen."""
        attended: Maps = {}
        before = None
        for level, x in shared.items():
            name, channels, read = f"mtan_{task}_{level}", x.shape[-1], seen[level]
            if before is not None:
                stride = before.shape[1] // x.shape[1]
                taken = ConvBlock(channels, strides=stride, name=f"{name}_before")(before)
                read = keras.layers.Concatenate(name=f"{name}_read")([read, taken])
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


def _with_earlier(stage: keras.Model, level: str) -> keras.Model:
    """Return a stage that hands on a map from before its last block, too."""
    earlier = before_last_block(stage)
    if earlier is None:
        raise UsageError(
            f"sharing 'mtan' was given reads='earlier', but '{stage.name}', the backbone's stage {level}, has no map of"
            " its size before its last convolution: choose reads='gated', or another backbone."
        )
    return keras.Model(stage.input, [stage.output, earlier], name=stage.name)
