"""Distillation: every task first predicts, then all tasks' predictions refine each other's features.

Initial heads, which learn from the labels too, turn the shared maps into features of each task; messages between them,
gated by an attention map of the receiving task, make the features of the final heads, at one level as in PAD-Net or at
several. Take it for dense tasks that know of each other, such as depth and segmentation. It costs a second head a
task and two convolutions a pair of tasks and level.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import keras

from visionmtl.errors import check_number, one_of
from visionmtl.layers.convolution import ConvBlock
from visionmtl.sharing.base.built import Made, Outputs
from visionmtl.sharing.base.evidence import refined
from visionmtl.sharing.base.initial import initial_heads
from visionmtl.sharing.base.scheme import Scheme, Tasks
from visionmtl.sharing.base.stages import Maps


@dataclass(frozen=True)
class Distillation(Scheme):
    """Initial predictions of all tasks refine each other, at one level or over scales.

    Args:
        levels: the levels at which tasks exchange messages; None for all, ["P2"] for one, as in the paper.
        initial_weight: of the initial heads' losses beside the final ones', at least 0.

    Reference: Xu et al. 2018, PAD-Net: Multi-Tasks Guided Prediction-and-Distillation Network, module C. Several levels
    are as many of its modules, fed by one initial head, with nothing passed from level to level; in `mti_net` there is.
    """

    levels: str | Sequence[str] | None = None
    initial_weight: float = 1.0

    name = "distillation"

    def __post_init__(self) -> None:
        check_number(f"sharing '{self.name}'", "initial_weight", self.initial_weight, at_least=0)

    def heads(self, maps: dict[str, Maps], tasks: Tasks) -> Made[Outputs]:
        there = list(next(iter(maps.values())))
        chosen = there if self.levels is None else [self.levels] if isinstance(self.levels, str) else self.levels
        chosen = [one_of(level, there, "level to distil at") for level in chosen]
        initial = initial_heads(maps, tasks, self.name)
        final = {name: dict(maps[name]) for name in tasks}
        for level in chosen:
            features = {
                name: _features(maps[name][level], initial.evidence[name][level], f"distillation_{name}_{level}")
                for name in tasks
            }
            for name in tasks:
                messages = _messages(name, level, features)
                final[name][level] = refined(
                    maps[name][level], [features[name], *messages], f"distillation_{name}_{level}"
                )
        outputs = {name: task.outputs(final[name]) for name, task in tasks.items()}
        return Made(outputs, initial.auxiliary(self.initial_weight))


def _features(x: keras.KerasTensor, evidence: keras.KerasTensor | None, name: str) -> keras.KerasTensor:
    """Return what a task makes of a map and of its own initial prediction, where it has one."""
    joined = x if evidence is None else keras.layers.Concatenate(name=f"{name}_evidence")([x, evidence])
    return ConvBlock(x.shape[-1], name=f"{name}_features")(joined)


def _messages(name: str, level: str, features: Maps) -> list[keras.KerasTensor]:
    """Return what the other tasks tell a task, let through where its own features attend to it.

    Args:
        name: of the task.
        level: at which they talk.
        features: of each task at that level, by task.
    """
    others = [other for other in features if other != name]
    if not others:
        return []
    own, prefix = features[name], f"distillation_{name}_{level}"
    channels = own.shape[-1]
    attention = keras.layers.Conv2D(channels, 1, activation="sigmoid", name=f"{prefix}_attention")(own)
    told = [
        keras.layers.Conv2D(channels, 1, use_bias=False, name=f"{prefix}_from_{other}")(features[other])
        for other in others
    ]
    total = keras.layers.Add(name=f"{prefix}_told")(told) if len(told) > 1 else told[0]
    return [keras.layers.Multiply(name=f"{prefix}_message")([attention, total])]
