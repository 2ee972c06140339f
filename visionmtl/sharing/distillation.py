"""Distillation: every task first predicts, then all tasks' predictions refine each other's features.

Initial heads, which learn from the labels too, turn the shared maps into features of each task; messages between them,
gated by an attention map of the receiving task, make the features of the final heads, at one level (PAD-Net) or at all
(MTI-Net). Take it for dense tasks that know of each other, such as depth and segmentation. It costs a second head a
task and two convolutions a pair of tasks and level.
"""

import keras

from visionmtl.errors import one_of
from visionmtl.layers.convolution import ConvBlock
from visionmtl.sharing.base.checks import check_number
from visionmtl.sharing.base.evidence import evidence_maps, refined
from visionmtl.sharing.base.scheme import Auxiliary, Scheme


class Initial:
    """First heads of all tasks, under names of their own, and what they tell the others.

    Attributes:
        outputs: raw outputs by task.
        evidence: by task, a map of each level.
    """

    def __init__(self, maps, tasks, scheme: str):
        self.outputs, self.evidence = {}, {}
        for name, task in tasks.items():
            first = type(task).from_config(task.get_config() | {"name": f"{name}_initial"})
            self.outputs[name] = first.outputs(maps[name])
            self.evidence[name] = evidence_maps(first, self.outputs[name], maps[name], f"{scheme}_{name}")


class Distillation(Scheme):
    """Initial predictions of all tasks refine each other, at one level or over scales.

    Args:
        levels: the levels at which tasks exchange messages; None for all (MTI-Net), ["P2"] for one (PAD-Net).
        initial_weight: of the initial heads' losses beside the final ones', at least 0.

    Reference: Xu et al. 2018, PAD-Net: Multi-Tasks Guided Prediction-and-Distillation Network, module C; Vandenhende,
    Georgoulis and Van Gool 2020, MTI-Net: Multi-Scale Task Interaction Networks. Here one initial head reads all scales
    where MTI-Net has one a scale.
    """

    name = "distillation"

    def __init__(self, levels=None, initial_weight: float = 1.0):
        self.levels = levels
        self.initial_weight = check_number(self.name, "initial_weight", initial_weight, 0)

    def heads(self, maps, tasks):
        there = list(next(iter(maps.values())))
        chosen = there if self.levels is None else [self.levels] if isinstance(self.levels, str) else self.levels
        chosen = [one_of(level, there, "level to distil at") for level in chosen]
        self._initial = Initial(maps, tasks, self.name)
        final = {name: dict(maps[name]) for name in tasks}
        for level in chosen:
            features = {name: self._features(maps[name][level], name, level) for name in tasks}
            for name in tasks:
                messages = self._messages(name, level, features)
                final[name][level] = refined(
                    maps[name][level], [features[name], *messages], f"distillation_{name}_{level}"
                )
        return {name: task.outputs(final[name]) for name, task in tasks.items()}

    def _features(self, x, name, level):
        """Return what a task makes of a map and of its own initial prediction."""
        evidence = self._initial.evidence[name][level]
        joined = x
        if evidence is not None:
            joined = keras.layers.Concatenate(name=f"distillation_{name}_{level}_evidence")([x, evidence])
        return ConvBlock(x.shape[-1], name=f"distillation_{name}_{level}_features")(joined)

    def _messages(self, name, level, features):
        """Return what the other tasks tell a task, let through where its own features attend to it."""
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

    def auxiliary(self):
        outputs = self._initial.outputs
        return {name: Auxiliary(raw, self.initial_weight) for name, raw in outputs.items()}

    def get_config(self):
        return {"levels": self.levels, "initial_weight": self.initial_weight}
