"""MLoRE: low-rank experts on the pyramid, beside one convolution that every task's features pass.

At each level a task makes features X of the shared map. They pass a convolution G that all tasks have in common, those
k of N thin experts that a router of the task's own chooses for the picture, and a thin path of the task alone; all of
it is linear, and what comes of it is added up and normalised:

    Y_t = P_t gelu(norm_t(G X_t + norm'_t(sum over the top k of g_t,i(X_t) B_i A_i X_t) + p_t(X_t) B_t A_t X_t))

Take it for dense tasks on a strong backbone, where they have much in common and not all of it: no task reads another's
features, so that one can be added or taken away without a change to the others. An expert costs what its rank does: all
of them are one convolution to as many channels as their ranks have together, and one back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import keras
import numpy as np
from keras import ops

from visionmtl.errors import UsageError, check_flag, check_number
from visionmtl.layers.normalisation import FusedBatchNormalization
from visionmtl.sharing.base.built import Made, Matrix
from visionmtl.sharing.base.running_mean import RunningMean
from visionmtl.sharing.base.scheme import Scheme, Tasks
from visionmtl.sharing.base.stages import Maps


@dataclass(frozen=True)
class MLoRE(Scheme):
    """Tasks share a convolution and thin experts, of which each chooses some for a picture.

    An expert B A is a convolution of 3 x 3 to a few channels, its rank, and one of 1 x 1 back. The experts' ranks grow
    evenly from an eighth of the largest; a task's own path has half of the largest. Weights g are a softmax over all
    experts, of which those of the k largest are kept as they are; p is any number. All this is as in the authors' files
    for PASCAL-Context; in those for NYUD-v2 ranks begin at a fifteenth, an own path has that rank, and the softmax is
    over those k.

    It is the paper's decoder but for what follows. There is one on each of the neck's maps, where the authors take four
    layers of a transformer, all of one size, and join them by a further attention: heads join maps here. The router
    reads the mean of a map; the authors' one weighs places, too, which fixes the image's size. Its noise in training is
    left out, and so is a loss, of weight 1e-4 to 5e-4, that has all experts used alike, and so are the biases of G, A
    and B. In the authors' code G does not teach what it reads; here it does.

    Args:
        experts: N, at least 1; 15 in the authors' files.
        top: k, at most N; 9 in the authors' files.
        rank: of the largest expert as a fraction of the maps' width, above 0 and up to 1; 0.2 to a third in the
            authors' files.
        depth: modules one after another, at least 1, each with all that is above; 2 in the paper.
        separable: whether convolutions of 3 x 3 are separable, about eight times cheaper than the authors' full ones;
            within an expert the one of 1 x 1 comes first then.

    Reference: Yang et al. 2024, Multi-Task Dense Prediction via Mixture of Low-Rank Experts.

    Example:
        >>> from visionmtl import sharing
        >>> sharing.get("mlore", experts=15, top=9).ranks(640)[::7]
        [16, 72, 128]
    """

    experts: int = 5
    top: int = 3
    rank: float = 0.2
    depth: int = 1
    separable: bool = True

    name = "mlore"

    def __post_init__(self) -> None:
        who = f"sharing '{self.name}'"
        for option in ("experts", "top", "depth"):
            check_number(who, option, getattr(self, option), at_least=1, whole=True)
        check_number(who, "rank", self.rank, above=0, up_to=1)
        check_flag(who, "separable", self.separable)
        if self.top > self.experts:
            raise UsageError(f"{who} was given top={self.top} of experts={self.experts}: expected at most all of them.")

    def ranks(self, channels: int) -> list[int]:
        """Return the ranks of the experts on maps of some width."""
        largest = self.rank * channels
        return [max(round(rank), 1) for rank in np.linspace(largest / 8, largest, self.experts)]

    def mix(self, maps: dict[str, Maps], tasks: Tasks) -> Made[Maps]:
        mixed: dict[str, Maps] = {task: {} for task in tasks}
        owned: dict[str, list[str]] = {task: [] for task in tasks}
        routers: dict[str, list[str]] = {task: [] for task in tasks}
        for level in next(iter(maps.values())):
            now = {task: maps[task][level] for task in tasks}
            for number in range(1, self.depth + 1):
                ranks = self.ranks(next(iter(now.values())).shape[-1])
                shared = SharedPaths(ranks, self.separable, name=f"mlore_{level}_{number}")
                for task, x in now.items():
                    name = f"mlore_{task}_{level}_{number}"
                    x = keras.layers.Conv2D(x.shape[-1], 1, name=f"{name}_features")(x)
                    weights = Router(self.experts, self.top, name=f"{name}_router")(x)
                    generic, chosen = shared([x, weights])
                    own = OwnPath(max(ranks[-1] // 2, 1), self.separable, name=f"{name}_joined")
                    now[task] = own([x, weights, generic, chosen])
                    owned[task] += [f"{name}_{part}" for part in ("features", "router", "joined")]
                    routers[task].append(f"{name}_router")
            for task, x in now.items():
                mixed[task][level] = x
        return Made(mixed, owned=owned, learnt=partial(self._use, routers))

    def _use(self, routers: dict[str, list[str]], model: keras.Model) -> dict[str, Matrix]:
        """Return how much of each expert (column) each task (row) takes, the mean over its routers."""
        there = {layer.name: layer for layer in model.layers}
        rows = {
            task: np.mean([ops.convert_to_numpy(there[name].use.mean) for name in names], axis=0)
            for task, names in routers.items()
            if all(name in there for name in names)
        }
        columns = [f"expert {i + 1}" for i in range(self.experts)]
        return {"use of low-rank experts": Matrix(np.stack(list(rows.values())), list(rows), columns)} if rows else {}


@keras.saving.register_keras_serializable("visionmtl")
class Router(keras.layers.Layer):
    """Say of a map which experts it is for, and how much of the task's own path it takes.

    Args:
        experts: how many there are.
        top: how many have a weight that is not 0.

    Attributes:
        use: keeps in `use.mean` `[experts]` what share of the chosen weights each had lately.

    Call: `[B, H, W, C]` -> float32 `[B, experts + 1]`, the experts' weights and the own path's.
    """

    def __init__(self, experts: int, top: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.experts, self.top = experts, top
        self.use = RunningMean(name="use")

    def build(self, input_shape: Any) -> None:
        channels = input_shape[-1]
        self.hidden = keras.layers.Dense(max(channels // 4, 1), "gelu", dtype="float32", name="hidden")
        self.hidden.build((None, channels))
        self.say = keras.layers.Dense(self.experts + 1, dtype="float32", name="say")
        self.say.build((None, self.hidden.units))
        self.use.build((None, self.experts))
        super().build(input_shape)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        said = self.say(self.hidden(ops.cast(ops.mean(inputs, axis=(1, 2)), "float32")))
        weights = top_weights(said[:, :-1], self.top)
        self.use(weights / ops.sum(weights, axis=-1, keepdims=True), training=training)
        return ops.concatenate([weights, said[:, -1:]], axis=-1)

    def compute_output_spec(self, inputs: Any, training: bool | None = None) -> keras.KerasTensor:
        return keras.KerasTensor((inputs.shape[0], self.experts + 1), "float32")

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"experts": self.experts, "top": self.top}


def top_weights(logits: Any, top: int) -> Any:
    """Return the softmax of logits `[B, N]` where it is among the `top` largest of a row, and 0 elsewhere."""
    weights = ops.softmax(logits)
    least = ops.top_k(weights, top)[0][:, -1:]
    return ops.where(weights >= least, weights, ops.zeros_like(weights))


class LowRank(keras.layers.Layer):
    """A layer with thin paths `B A`, each an image's own number of times.

    Args:
        ranks: of the paths; their channels lie side by side.
        separable: whether A is a convolution of 1 x 1 and then, channel by channel, one of 3 x 3; or else one of 3 x 3.
    """

    def __init__(self, ranks: Sequence[int], separable: bool, **kwargs: Any):
        super().__init__(**kwargs)
        self.ranks, self.separable = list(ranks), separable

    def add_paths(self, channels: int) -> None:
        """Add the paths' kernels, for maps `channels` wide."""
        total, side = sum(self.ranks), 1 if self.separable else 3
        self.a = self.add_weight(name="a", shape=(side, side, channels, total))
        self.spread = self.add_weight(name="spread", shape=(3, 3, total, 1)) if self.separable else None
        self.b = self.add_weight(name="b", shape=(1, 1, total, channels))

    def paths(self, x: Any, weights: Any) -> Any:
        """Return the sum of what the paths make of a map `[B, H, W, C]`, each times its weight `[B, paths]`."""
        thin = ops.conv(x, self.a, padding="same")
        if self.spread is not None:
            thin = ops.depthwise_conv(thin, self.spread, padding="same")
        places = np.repeat(np.eye(len(self.ranks), dtype="float32"), self.ranks, axis=1)  # whose each channel is
        each = ops.cast(ops.matmul(weights, places), thin.dtype)
        return ops.conv(thin * each[:, None, None, :], self.b, padding="same")


@keras.saving.register_keras_serializable("visionmtl")
class SharedPaths(LowRank):
    """The paths that all tasks have in common: a convolution of 3 x 3, and low-rank experts.

    Args:
        ranks: of the experts.
        separable: as of `LowRank`, and whether the convolution is separable.

    Call: features `[B, H, W, C]` and a router's weights -> what the convolution makes of them, and the experts.
    """

    def build(self, input_shape: Any) -> None:
        channels = input_shape[0][-1]
        shapes = {"depthwise": (3, 3, channels, 1), "pointwise": (1, 1, channels, channels)}
        shapes = shapes if self.separable else {"kernel": (3, 3, channels, channels)}
        self.generic = [self.add_weight(name=f"generic_{name}", shape=shape) for name, shape in shapes.items()]
        self.add_paths(channels)
        super().build(input_shape)

    def call(self, inputs: Any) -> Any:
        x, weights = inputs
        convolve = ops.separable_conv if self.separable else ops.conv
        return convolve(x, *self.generic, padding="same"), self.paths(x, weights[:, :-1])

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape[0], input_shape[0]

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"ranks": self.ranks, "separable": self.separable}


@keras.saving.register_keras_serializable("visionmtl")
class OwnPath(LowRank):
    """A task's own low-rank path, added to what came of the shared ones, normalised and activated.

    Args:
        rank: of the path.
        separable: as of `LowRank`.

    Call: features `[B, H, W, C]`, a router's weights, and what the shared convolution and the experts made -> a map.
    """

    def __init__(self, rank: int, separable: bool, **kwargs: Any):
        super().__init__([rank], separable, **kwargs)

    def build(self, input_shape: Any) -> None:
        shape = tuple(input_shape[0])
        self.add_paths(shape[-1])
        self.of_experts, self.of_all = (
            FusedBatchNormalization(momentum=0.97, epsilon=1e-3, name=name, dtype=self.dtype_policy)
            for name in ("of_experts", "of_all")
        )
        self.project = keras.layers.Conv2D(shape[-1], 1, name="project", dtype=self.dtype_policy)
        for layer in (self.of_experts, self.of_all, self.project):
            layer.build(shape)
        super().build(input_shape)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        x, weights, generic, chosen = inputs
        own = self.paths(x, weights[:, -1:])
        joined = self.of_all(generic + self.of_experts(chosen, training=training) + own, training=training)
        return self.project(ops.gelu(joined, approximate=False))

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape[0]

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"rank": self.ranks[0], "separable": self.separable}
