"""Experts: several small networks over the pyramid, of which each task takes its own mixture.

Every expert, a separable convolution, reads all maps, and for each task a gate that sees a map as a whole says how much
of each expert the task reads there. Take it where tasks want different things of one backbone and you do not know which
of them belong together: the use of the gates tells. It costs a separable convolution an expert and level, once for all
tasks if they share the expert, once a task if it is the task's own, and all of it once a layer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from visionmtl.errors import UsageError, check_number, one_of
from visionmtl.layers.convolution import SharedBlock
from visionmtl.sharing.base.built import Made, Matrix
from visionmtl.sharing.base.running_mean import RunningMean
from visionmtl.sharing.base.scheme import MakeStages, Scheme, Tasks
from visionmtl.sharing.base.stages import Maps, stem_and_branches

KINDS = ("mmoe", "cgc", "ple")
GATES = ("level", "all")


class Use(NamedTuple):
    """Which gates weigh which experts: one matrix of what is learnt.

    Attributes:
        rows: by task, or "shared", the names of the layers that keep the use of its gates.
        columns: the names of the experts that they weigh.
    """

    rows: dict[str, list[str]]
    columns: list[str]


@dataclass(frozen=True)
class Experts(Scheme):
    """Experts on the pyramid's maps, mixed for each task by a gate of its own: MMoE, CGC and PLE.

    An expert adds to a map what it finds there, little at the start, when all gates weigh all experts alike. With
    `until`, experts are no such convolutions but all further stages of the backbone, as in the papers, whose experts
    are networks: every one begins with the backbone's weights, gates that begin at random have them part, and it costs
    those stages once an expert.

    Args:
        kind: "mmoe" for experts that all tasks share, "cgc" to give each task its own beside them, "ple" for several
            such layers one after another; the shared experts read a mixture of all experts of the layer before.
        count: experts that all tasks share, at least 1.
        own: further experts of each task, at least 1; of cgc and ple.
        depth: layers of experts, at least 1; of ple.
        gates: "level" for a gate that reads the map it mixes, averaged over the image; "all" for one gate that reads
            all levels and mixes all of them alike. With `until` there is one gate a task, which reads the stem's last
            map.
        until: the last level of a stem that all tasks share, such as "P3", behind which every expert has stages of its
            own; of mmoe and cgc. None for experts on the maps of the neck.

    Reference: Ma et al. 2018, Modeling Task Relationships in Multi-task Learning with Multi-gate Mixture-of-Experts;
    Tang et al. 2020, Progressive Layered Extraction (CGC and PLE).
    """

    kind: str = "mmoe"
    count: int = 3
    own: int = 1
    depth: int = 2
    gates: str = "level"
    until: str | None = None

    name = "experts"

    def __post_init__(self) -> None:
        one_of(self.kind, KINDS, "kind of experts")
        for option in ("count", "own", "depth"):
            check_number(f"sharing '{self.name}'", option, getattr(self, option), at_least=1, whole=True)
        one_of(self.gates, GATES, "input of the experts' gates")
        if self.until is not None and (self.kind == "ple" or self.gates != "level"):
            given = "kind='ple'" if self.kind == "ple" else f"gates='{self.gates}'"
            raise UsageError(
                f"sharing '{self.name}' was given until='{self.until}' and {given}: experts of whole stages are one"
                " layer of kind mmoe or cgc, with one gate a task; leave one of the two out."
            )

    def features(self, image: keras.KerasTensor, tasks: Tasks, make_stages: MakeStages) -> Made[Maps]:
        if self.until is None:
            return super().features(image, tasks, make_stages)
        private = self.own if self.kind == "cgc" else 0
        common = {f"shared {i + 1}": f"experts_shared_{i + 1}" for i in range(self.count)}
        own = {task: {f"own {i + 1}": f"experts_own_{task}_{i + 1}" for i in range(private)} for task in tasks}
        every = [*common.values(), *(name for experts in own.values() for name in experts.values())]
        branches = stem_and_branches(self.name, self.until, image, every, make_stages)
        run = branches.run()
        pooled = keras.layers.GlobalAveragePooling2D(name="experts_stem_pool")(branches.start)
        features: dict[str, Maps] = {}
        uses: dict[str, Use] = {}
        for task in tasks:
            gate, choice = f"experts_of_{task}_gate", common | own[task]
            weights = keras.layers.Dense(len(choice), "softmax", dtype="float32", name=gate)(pooled)
            weights = RunningMean(name=f"{gate}_use")(weights)
            features[task] = dict(branches.stem)
            for level in branches.kernels:
                mixture = Mixture(name=f"experts_of_{task}_{level}")
                features[task][level] = mixture([weights, *(run[expert][level] for expert in choice.values())])
            uses.setdefault("use of experts", Use({}, list(choice))).rows[task] = [f"{gate}_use"]
        return Made(features, learnt=partial(_means, uses))

    def mix(self, maps: dict[str, Maps], tasks: Tasks) -> Made[Maps]:
        if self.until is not None:
            return Made(maps)
        uses: dict[str, Use] = {}  # by the title of a matrix
        shared = next(iter(maps.values()))
        last = self.depth if self.kind == "ple" else 1
        private = 0 if self.kind == "mmoe" else self.own
        for number in range(1, last + 1):
            where, title = f"experts_{number}", f"use of experts, layer {number}" if last > 1 else "use of experts"
            common = {f"shared {i + 1}": expert_maps(shared, f"{where}_shared_{i + 1}") for i in range(self.count)}
            own = {
                task: [expert_maps(maps[task], f"{where}_own_{task}_{i + 1}") for i in range(private)] for task in tasks
            }
            seen = self._seen(shared, f"{where}_shared")
            mixed = {}
            for task in tasks:
                read = seen if number == 1 else self._seen(maps[task], f"{where}_of_{task}")
                choice = common | {f"own {i + 1}": expert for i, expert in enumerate(own[task])}
                mixed[task], gates = self._mixed(read, choice, f"{where}_of_{task}")
                uses.setdefault(title, Use({}, list(choice))).rows[task] = gates
            if number < last:
                every = common | {f"{task} {i + 1}": expert for task in tasks for i, expert in enumerate(own[task])}
                shared, gates = self._mixed(seen, every, f"{where}_shared")
                uses[f"{title}: the shared"] = Use({"shared": gates}, list(every))
            maps = mixed
        return Made(maps, learnt=partial(_means, uses))

    def _seen(self, maps: Maps, name: str) -> Maps:
        """Return what the gate of each level reads, `[B, C]` or the C of all levels."""
        pooled = {
            level: keras.layers.GlobalAveragePooling2D(name=f"{name}_pool_{level}")(x) for level, x in maps.items()
        }
        if self.gates == "level" or len(maps) == 1:
            return pooled
        everything = keras.layers.Concatenate(name=f"{name}_pools")([pooled[level] for level in sorted(pooled)])
        return dict.fromkeys(maps, everything)

    def _mixed(self, seen: Maps, experts: dict[str, Maps], name: str) -> tuple[Maps, list[str]]:
        """Return maps, each the sum of the experts' as a gate weighs them, and the layers that keep the gates' use."""
        weights: dict[str, keras.KerasTensor] = {}  # by the name of the gate
        places = {level: f"{name}_gate_{level}" if self.gates == "level" else f"{name}_gate" for level in sorted(seen)}
        for level, place in places.items():
            if place not in weights:
                gate = keras.layers.Dense(
                    len(experts), "softmax", kernel_initializer="zeros", dtype="float32", name=place
                )
                weights[place] = RunningMean(name=f"{place}_use")(gate(seen[level]))
        maps = {
            level: Mixture(name=f"{name}_{level}")(
                [weights[places[level]], *(expert[level] for expert in experts.values())]
            )
            for level in seen
        }
        return maps, [f"{place}_use" for place in weights]


def _means(uses: dict[str, Use], model: keras.Model) -> dict[str, Matrix]:
    """Return how much of each expert (column) each task (row) takes, the mean over its gates, by title."""
    there = {layer.name: layer for layer in model.layers}
    matrices = {}
    for title, (rows, columns) in uses.items():
        kept = {row: [there[name].mean for name in names if name in there] for row, names in rows.items()}
        means = {row: np.mean([ops.convert_to_numpy(use) for use in of], axis=0) for row, of in kept.items() if of}
        if means:
            matrices[title] = Matrix(np.stack(list(means.values())), list(means), columns)
    return matrices


def expert_maps(maps: Maps, name: str) -> Maps:
    """Return what an expert makes of the map of each level."""
    expert = Expert(sorted(maps), name=name)
    return {level: expert(x, level=level) for level, x in maps.items()}


@keras.saving.register_keras_serializable("visionmtl")
class Expert(keras.layers.Layer):
    """Add to a map what a separable convolution finds in it: `x + scale * block(x)`, with a learnt scale a channel.

    All levels share the kernels and the scale, not the normalisation.

    Args:
        levels: the names of the levels it is called on.
        scale: at the start; small, so that maps keep their scale, and not zero, so that a gate can tell experts apart.

    Call: `[B, H, W, C]` and the level's name -> the same shape.

    Reference: Touvron et al. 2021, Going Deeper with Image Transformers, section 2 (the scale).
    """

    def __init__(self, levels: Sequence[str], scale: float = 0.1, **kwargs: Any):
        super().__init__(**kwargs)
        self.levels, self.initial_scale = list(levels), scale

    def build(self, input_shape: Any, **kwargs: Any) -> None:
        channels = input_shape[-1]
        self.block = SharedBlock(channels, self.levels, name="block", dtype=self.dtype_policy)
        self.block.build(input_shape)
        start = keras.initializers.Constant(self.initial_scale)
        self.scale = self.add_weight(name="scale", shape=(channels,), initializer=start)
        super().build(input_shape)

    def call(self, inputs: Any, level: str, training: bool | None = None) -> Any:
        return inputs + self.scale * self.block(inputs, level=level, training=training)

    def compute_output_shape(self, input_shape: tuple, **kwargs: Any) -> tuple:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"levels": self.levels, "scale": self.initial_scale}


@keras.saving.register_keras_serializable("visionmtl")
class Mixture(keras.layers.Layer):
    """Sum maps, each by its weight: weights `[B, N]` and N maps `[B, H, W, C]` -> `[B, H, W, C]`."""

    def call(self, inputs: Any) -> Any:
        weights, *maps = inputs
        return sum(weights[:, i, None, None, None] * x for i, x in enumerate(maps))

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape[1]
