"""The two-task toy problem of CAGrad: which balancers reach the Pareto front from three starting points; draws them.

    python benchmarks/toy.py [--out benchmarks/toy.png] [--steps 100000] [--balancers equal mgda ...]

Liu et al. 2021, Conflict-Averse Gradient Descent for Multi-task Learning, section 5.1 and appendix: two losses of two
variables whose valleys cross at a right angle and whose gradients there are of very different lengths; the Pareto front
is the line between (-7, -8.36) and (7, -8.36). Adam at 1e-3 as in the paper, all trajectories at once.
"""

import argparse
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure

from visionmtl import balancing
from visionmtl.report import tables
from visionmtl.report.plots.axes import INK, LINES, PALE, write

STARTS = ((-8.5, 7.5), (-8.5, -5.0), (9.0, 9.0))
FRONT, ENDS = -8.3552, (-7.0, 7.0)
SHOWN = ("equal", "mgda", "pcgrad", "cagrad", "imtl_g", "aligned_mtl", "upgrad", "nash_mtl")
NEAR = 0.1  # as far from the front as what counts as on it
LOWEST = 5e-6  # what the logarithm is kept above


def losses(points: tf.Tensor) -> tf.Tensor:
    """Return both losses `[..., 2]` at points `[..., 2]`."""
    x, y = points[..., 0], points[..., 1]
    upper, lower = tf.maximum(tf.tanh(y / 2), 0.0), tf.maximum(tf.tanh(-y / 2), 0.0)
    valleys = (0.5 * (-x - 7) - tf.tanh(-y), 0.5 * (-x + 3) + tf.tanh(-y) + 2)
    bowls = (((-x + 7) ** 2 + 0.1 * (-y - 8) ** 2) / 10 - 20, ((-x - 7) ** 2 + 0.1 * (-y - 8) ** 2) / 10 - 20)
    parts = [
        upper * (tf.math.log(tf.maximum(tf.abs(valley), LOWEST)) + 6) + lower * bowl
        for valley, bowl in zip(valleys, bowls, strict=True)
    ]
    return tf.stack(parts, axis=-1)


def trajectory(name: str, steps: int, every: int) -> np.ndarray:
    """Return where the three starts went under a balancer, `[points, 3, 2]`, one in `every` steps."""
    balancer = balancing.get(name)
    balancer.prepare(["one", "two"], [True, True])

    @tf.function(jit_compile=True)
    def descend(points, first, second, start):
        for offset in tf.range(every):  # a range that XLA knows, or it compiles anew for each start
            step = start + offset
            rows = gradients_at(points)
            if name != "equal":
                weights = [
                    balancer.weights(tf.matmul(one, one, transpose_b=True), step=step) for one in tf.unstack(rows)
                ]
                rows *= tf.stack(weights)[..., None]
            update, t = tf.reduce_sum(rows, axis=1), tf.cast(step + 1, tf.float64)
            first = 0.9 * first + 0.1 * update
            second = 0.999 * second + 0.001 * update**2
            bias = tf.sqrt(1 - tf.pow(tf.constant(0.999, tf.float64), t)) / (
                1 - tf.pow(tf.constant(0.9, tf.float64), t)
            )
            points -= 1e-3 * bias * first / (tf.sqrt(second) + 1e-8)
        return points, first, second

    points = tf.constant(STARTS, tf.float64)
    state = (points, tf.zeros_like(points), tf.zeros_like(points))
    path = [points.numpy()]
    for start in range(0, steps, every):
        state = descend(*state, tf.constant(start))
        path.append(state[0].numpy())
    return np.stack(path)


def gradients_at(points: tf.Tensor) -> tf.Tensor:
    """Return the gradients of both losses at points `[N, 2]`: `[N, 2, 2]`, a row a loss."""
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(points)
        one, two = tf.unstack(losses(points), axis=-1)
    return tf.stack([tape.gradient(one, points), tape.gradient(two, points)], axis=1)


def to_front(points: np.ndarray) -> np.ndarray:
    """Return the distance of points `[..., 2]` from the Pareto front."""
    return np.hypot(points[..., 0] - np.clip(points[..., 0], *ENDS), points[..., 1] - FRONT)


def draw(paths: dict[str, np.ndarray]) -> Figure:
    """Draw the trajectories over the contours of the summed losses, one panel a balancer."""
    columns = min(4, len(paths))
    rows = -(-len(paths) // columns)
    figure = Figure(figsize=(3.1 * columns, 3.3 * rows), layout="constrained")
    side = np.linspace(-11, 11, 400)
    grid = np.stack(np.meshgrid(side, side), axis=-1)
    heights = losses(tf.constant(grid)).numpy().mean(-1)
    for place, (name, path) in enumerate(paths.items()):
        axes = figure.add_subplot(rows, columns, place + 1)
        axes.contour(side, side, heights, levels=14, colors=PALE, linewidths=0.6)
        axes.plot(ENDS, (FRONT, FRONT), color=INK, linewidth=5, alpha=0.35, solid_capstyle="round")
        reached = to_front(path[-1]) < NEAR
        for start, colour in enumerate(LINES[:3]):
            line = path[:, start]
            axes.plot(line[:, 0], line[:, 1], color=colour, linewidth=1.6)
            axes.plot(*line[0], "o", color=colour, markersize=6)
            axes.plot(*line[-1], "*" if reached[start] else "X", color=colour, markersize=10, markeredgecolor="white")
        axes.set_title(f"{name}: {reached.sum()} of 3", loc="left", fontsize=10, fontweight="bold", color=INK)
        axes.set(xlim=(-11, 11), ylim=(-11, 11), aspect="equal")
        axes.tick_params(labelsize=7)
    figure.supxlabel("grey bar: the Pareto front; star: on it; cross: not", fontsize=9, color=INK)
    return figure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("toy.png"))
    parser.add_argument("--steps", type=int, default=100000)
    parser.add_argument("--balancers", nargs="+", default=SHOWN, metavar="NAME")
    options = parser.parse_args()
    paths = {name: trajectory(name, options.steps, 100) for name in options.balancers}
    rows = []
    for name, path in paths.items():
        reached = f"{(to_front(path[-1]) < NEAR).sum()} of {len(STARTS)}"
        rows.append([name, reached, *(f"({x:.2f}, {y:.2f})" for x, y in path[-1])])
    print(tables.table(["balancer", "on the front", *(f"from {start}" for start in STARTS)], rows))
    write(draw(paths), options.out)
    print(f"Trajectories: {options.out}")


if __name__ == "__main__":
    main()
