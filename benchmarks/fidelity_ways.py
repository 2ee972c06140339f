"""What each way of comparing gradients would have made of a recorded training: weights, and how near their update is.

An update on what the tasks share is `sum_k w_k g_k`. Of two of them, u by the weights w and u* by the exact w*, the
Gramian G of the gradients of that very step knows the cosine: `w' G w* / sqrt(w' G w  w*' G w*)`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from visionmtl import balancing

Recorded = Mapping[str, np.ndarray]


class Batch(NamedTuple):
    """What a balancer is told of a step beside the Gramian."""

    losses: tf.Tensor
    present: tf.Tensor
    number: tf.Tensor


class Weigher:
    """A method that is shown the Gramians of a recorded training, and remembers what it does in a real one."""

    def __init__(self, method: str, tasks: int):
        self.balancer: Any = balancing.get(method)
        self.balancer.prepare([str(task) for task in range(tasks)], [False] * tasks)
        self.halves = self.balancer.sub_batches > 1
        self.start = None if self.balancer.memory is None else np.asarray(self.balancer.memory)
        self.weigh = tf.function(self._weigh, autograph=False)

    def _weigh(self, gramian: Any, product: Any, losses: Any, present: Any, number: Any) -> tf.Tensor:
        return self.balancer.weigh(gramian, Batch(losses, present, number), product if self.halves else None)

    def forget(self) -> None:
        """Forget what was remembered."""
        if self.start is not None:
            self.balancer.memory.assign(self.start)

    def weights(self, seen: Recorded, kind: str, step: int) -> np.ndarray:
        """Return the weights `[K]` from a kind of Gramian in a step."""
        product = seen.get(f"{kind}_product", seen[kind])
        given = (array[step] for array in (seen[kind], product, seen["losses"], seen["present"]))
        return self.weigh(*map(tf.constant, given), tf.constant(step)).numpy()


def cosine(gramians: np.ndarray, weights: np.ndarray, exact: np.ndarray) -> np.ndarray:
    """Return the cosines `[T]` of two updates, from Gramians `[T, K, K]` and weights `[T, K]`; 0 where one is zero."""

    def products(left: np.ndarray, right: np.ndarray) -> np.ndarray:
        return np.einsum("tj,tjk,tk->t", left, gramians.astype("float64"), right)

    lengths = np.sqrt(np.maximum(products(weights, weights) * products(exact, exact), 0))
    return np.divide(products(weights, exact), lengths, out=np.zeros_like(lengths), where=lengths > 0)


def checked(gramians: np.ndarray, exact: np.ndarray, tolerance: float) -> tuple[np.ndarray, float]:
    """Return weights `[T, K]` that are kept while a check holds, and how many steps a comparison served.

    In each step one Jacobian-vector product along the update tells how fast the losses fall, `G w`. Where that is
    farther from what the kept Gramian foretold than the tolerance, relative, the next step compares.
    """
    weights, comparisons, due = np.empty_like(exact), 0, True
    for step, gramian in enumerate(gramians.astype("float64")):
        if due:
            now, comparisons = exact[step], comparisons + 1
            foretold = gramian @ now
        weights[step] = now
        due = np.linalg.norm(gramian @ now - foretold) > tolerance * np.linalg.norm(foretold)
    return weights, len(exact) / comparisons


def fidelity(
    method: str, seen: Recorded, every: Sequence[int], tolerance: float
) -> tuple[dict[str, float], float | None]:
    """Return, by way, the mean cosine over the steps of its update and the exact one; and the rate of `checked`.

    What a method that remembers would do if it were checked is not told by what it does in every step: None then.
    """
    steps, tasks = seen["losses"].shape
    weigher = Weigher(method, tasks)

    def over(kind: str, at: range) -> np.ndarray:
        weigher.forget()
        return np.stack([weigher.weights(seen, kind, step) for step in at]).astype("float64")

    exact = over("parameters", range(steps))
    found = {"equal": seen["present"].astype("float64")}
    if not weigher.halves:
        found["features"] = over("features", range(steps))
    found["level"] = over("level", range(steps))
    for n in every:
        # One that remembers moves its memory in the steps that compare alone.
        few = over("parameters", range(0, steps, n))
        found[f"every {n}"] = np.repeat(few, n, axis=0)[:steps]
    rate = None
    if weigher.start is None:
        found["checked"], rate = checked(seen["parameters"], exact, tolerance)
    return {way: float(cosine(seen["parameters"], weights, exact).mean()) for way, weights in found.items()}, rate
