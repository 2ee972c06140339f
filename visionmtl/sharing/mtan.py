"""MTAN: one backbone for all tasks, and for each task and level a learnt mask of what it looks at.

A mask multiplies the shared map by 0 to 1, pixel by pixel and channel by channel; it is made from that map and from
what the task looked at one level before. Take it where tasks need different parts of the same features, and a backbone
for each is too much. It costs one backbone, two 1 x 1 convolutions and a separable one a task and level, and a neck a
task.
"""

import keras
import numpy as np

from visionmtl.layers import ConvBlock, FusedBatchNormalization
from visionmtl.sharing.scheme import Scheme, check_number, run_stages

OPEN = 0.9  # the masks' mean at the start, so that a backbone's maps keep their scale


class MTAN(Scheme):
    """One backbone for all tasks, and a soft attention mask for each task and level.

    The paper makes a mask from a stage's first map and lays it on its last; stages here have one map, which is both.

    Args:
        reduction: the first convolution of a mask makes so many times fewer channels; 1 or more.

    Reference: Liu et al. 2019, End-to-End Multi-Task Learning with Attention.
    """

    name = "mtan"

    def __init__(self, reduction: int = 4):
        self.reduction = reduction

    def features(self, image, tasks, make_stages):
        check_number(self.name, "reduction", self.reduction, 1, whole=True)
        shared = run_stages(make_stages(""), image)
        features: dict[str, dict] = {}
        for task in tasks:
            features[task], before = {}, None
            for level, whole in shared.items():
                before = features[task][level] = self._attended(whole, before, f"mtan_{task}_{level}")
        return features

    def _attended(self, whole, before, name: str):
        """Return a shared map `[B, H, W, C]` under a task's mask.

        Args:
            whole: the map.
            before: what the task looked at one level before, `[B, 2 H, 2 W, C']`; None at the first.
            name: starts the names of the layers.
        """
        channels, read = whole.shape[-1], whole
        if before is not None:
            seen = ConvBlock(channels, strides=2, name=f"{name}_before")(before)
            read = keras.layers.Concatenate(name=f"{name}_read")([whole, seen])
        narrow = max(1, channels // self.reduction)
        x = ConvBlock(narrow, 1, separable=False, activation="relu", name=f"{name}_reduce")(read)
        x = keras.layers.Conv2D(channels, 1, use_bias=False, name=f"{name}_mask")(x)
        start = keras.initializers.Constant(np.log(OPEN / (1 - OPEN)))
        x = FusedBatchNormalization(
            momentum=0.97, epsilon=1e-3, beta_initializer=start, name=f"{name}_mask_normalisation"
        )(x)
        mask = keras.layers.Activation("sigmoid", name=f"{name}_mask_sigmoid")(x)
        return keras.layers.Multiply(name=f"{name}_attended")([whole, mask])

    def get_config(self):
        return {"reduction": self.reduction}
