"""DSelect-k: experts over the pyramid, of which each task learns to take k and no others.

The gate of a task is k selectors, each of which holds the number of an expert in binary, one learnt variable a digit. A
smooth step makes a digit 0 or 1 exactly once its variable is far enough from 0, so that a selector ends at one expert,
by gradients alone: `q = sum_i softmax(w)_i r(z_i)`, `r(z)_j = prod_b [S(z_b) if j's digit b is 1, else 1 - S(z_b)]`.
Take it where `experts` ends with gates that take a little of everything, and you want to see which parts a task needs.
A gate costs next to nothing, and an expert what it costs in `experts`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import keras
import numpy as np
from keras import ops

from visionmtl.errors import UsageError, check_number
from visionmtl.sharing.base.built import Made, Matrix, Penalty
from visionmtl.sharing.base.scheme import Scheme, Tasks
from visionmtl.sharing.base.stages import Maps
from visionmtl.sharing.experts import Mixture, expert_maps

SMALL = 1e-6  # what the logarithm of the entropy is kept away from 0 by, in the authors' code


@dataclass(frozen=True)
class DSelectK(Scheme):
    """Experts on the pyramid's maps, of which a task's gate of each level learns to take k.

    A gate is a task's own and the same for all images, the paper's static one. Its variables start within a hundredth
    of 0, where all experts count alike, and a digit is settled from `width / 2` on: with AdamW that takes about
    `width / 2` over the learning rate in steps at least. A settled digit no longer moves.

    Args:
        count: experts that all tasks share, at least 2. Where it is no power of 2 selectors may name experts that there
            are not: the weights then sum to less than 1 at the start, and the authors' further penalty, 1 over the
            weight of those there are, keeps selectors from them.
        k: how many experts a task takes at most, up to `count`; two selectors may end at the same one.
        width: of the smooth step, above 0; a wider one settles later.
        entropy: strength of a penalty on the entropy of each selector, 0 or more, which settles them sooner.

    Reference: Hazimeh et al. 2021, DSelect-k: Differentiable Selection in the Mixture of Experts with Applications to
    Multi-Task Learning, section 3, and its authors' code; Hazimeh et al. 2020, The Tree Ensemble Layer (smooth step).
    """

    count: int = 4
    k: int = 2
    width: float = 1.0
    entropy: float = 1e-6

    name = "dselect_k"

    def __post_init__(self) -> None:
        who = f"sharing '{self.name}'"
        check_number(who, "count", self.count, at_least=2, whole=True)
        check_number(who, "k", self.k, at_least=1, whole=True)
        check_number(who, "width", self.width, above=0)
        check_number(who, "entropy", self.entropy, at_least=0)
        if self.k > self.count:
            raise UsageError(f"{who} was given k={self.k} of count={self.count} experts: expected at most all of them.")

    def mix(self, maps: dict[str, Maps], tasks: Tasks) -> Made[Maps]:
        shared = next(iter(maps.values()))
        experts = [expert_maps(shared, f"dselect_k_expert_{i + 1}") for i in range(self.count)]
        mixed: dict[str, Maps] = {}
        gates: dict[str, list[Selection]] = {}
        for task in tasks:
            mixed[task], gates[task] = {}, []
            for level, x in maps[task].items():
                gate = Selection(self.count, self.k, self.width, name=f"dselect_k_{task}_{level}_gate")
                weights = gate(keras.layers.GlobalAveragePooling2D(name=f"dselect_k_{task}_{level}_pool")(x))
                read = [weights, *(expert[level] for expert in experts)]
                mixed[task][level] = Mixture(name=f"dselect_k_{task}_{level}")(read)
                gates[task].append(gate)
        ties = [Penalty(partial(gate.penalty, self.entropy), [gate.z]) for of in gates.values() for gate in of]
        names = {task: [gate.name for gate in of] for task, of in gates.items()}
        return Made(mixed, penalties=ties, learnt=partial(self._weights, names))

    def _weights(self, gates: dict[str, list[str]], model: keras.Model) -> dict[str, Matrix]:
        """Return how much of each expert (column) each task (row) takes, the mean over its gates."""
        there = {layer.name: layer for layer in model.layers}
        rows = {
            task: np.mean([ops.convert_to_numpy(there[name].weights_of_experts()) for name in names], axis=0)
            for task, names in gates.items()
            if all(name in there for name in names)
        }
        columns = [f"expert {i + 1}" for i in range(self.count)]
        return {"selected experts": Matrix(np.stack(list(rows.values())), list(rows), columns)} if rows else {}


def smooth_step(x: Any, width: float) -> Any:
    """Return 0 up to `-width / 2`, 1 from `width / 2` on, and the cubic that joins them smoothly between."""
    x = ops.clip(x / width, -0.5, 0.5)
    return x * (1.5 - 2 * x * x) + 0.5


def binary_codes(count: int) -> np.ndarray:
    """Return the numbers below `count` in binary, the highest digit first, as float32 `[count, digits]` of 0 and 1."""
    digits = (count - 1).bit_length()
    return (np.arange(count)[:, None] >> np.arange(digits)[::-1] & 1).astype("float32")


def selected(z: Any, codes: np.ndarray, width: float) -> Any:
    """Return how much each selector takes of each expert, `[k, count]`.

    Args:
        z: the selectors' digits before the smooth step, `[k, digits]`.
        codes: the experts' numbers, `[count, digits]`.
        width: of the smooth step.
    """
    digits = smooth_step(z, width)[:, None, :]
    return ops.prod(codes * digits + (1 - codes) * (1 - digits), axis=-1)


@keras.saving.register_keras_serializable("visionmtl")
class Selection(keras.layers.Layer):
    """A DSelect-k gate: `[B, C]`, of which only B is used, -> the weights of the experts `[B, count]`.

    Args:
        count: experts.
        k: selectors.
        width: of the smooth step.
    """

    def __init__(self, count: int, k: int, width: float = 1.0, dtype: str = "float32", **kwargs: Any):
        super().__init__(dtype=dtype, **kwargs)
        self.count, self.k, self.width = count, k, width
        self.codes = binary_codes(count)

    def build(self, input_shape: Any) -> None:
        near = keras.initializers.RandomUniform(-self.width / 100, self.width / 100)
        self.z = self.add_weight(name="z", shape=(self.k, self.codes.shape[1]), initializer=near)
        self.w = self.add_weight(name="w", shape=(self.k,), initializer=keras.initializers.RandomUniform())
        super().build(input_shape)

    def weights_of_experts(self) -> Any:
        """Return the experts' weights, `[count]`."""
        return ops.sum(ops.softmax(self.w)[:, None] * selected(self.z, self.codes, self.width), axis=0)

    def penalty(self, entropy: float) -> Any:
        """Return the penalty that settles the selectors, on experts that there are."""
        each = selected(self.z, self.codes, self.width)
        value = -entropy * ops.sum(each * ops.log(each + SMALL))
        if self.count < 2 ** self.codes.shape[1]:
            value += ops.sum(1 / ops.sum(each, axis=-1))
        return value

    def call(self, inputs: Any) -> Any:
        return ops.ones_like(inputs[:, :1]) * self.weights_of_experts()

    def compute_output_shape(self, input_shape: Sequence[Any]) -> tuple:
        return input_shape[0], self.count

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"count": self.count, "k": self.k, "width": self.width}
