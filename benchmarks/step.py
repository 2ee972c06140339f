"""What multi-task training adds to a plain Keras step, and what a joint forward pass saves; prints ratios.

    python benchmarks/step.py [--size 288 384] [--batch 8] [--repeats 9]

Both sides are run in rounds in one process; a ratio is the median of those within a round.
"""

import argparse
import functools
import os
import statistics
from collections.abc import Callable

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import interleaved
import keras
import numpy as np
import tensorflow as tf

import visionmtl
from visionmtl.report import tables
from visionmtl.tasks import Classification, Detection, Segmentation


class Plain(keras.Model):
    """Keras's own training step on the same graph, with the same losses summed."""

    tasks: dict
    raw_outputs: Callable

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        losses = []
        for name, task in self.tasks.items():
            loss = task.loss(y[name], self.raw_outputs(name, y_pred))
            losses.append(tf.reduce_mean(loss * sample_weight[name]))
        return tf.add_n(losses)


def tasks() -> list:
    """The three tasks of the CamVid recipe."""
    return [Classification("presence", 4, multi_label=True), Detection("objects", 4), Segmentation("ground", 11)]


def batch(images: int, height: int, width: int) -> tuple:
    """Random images with eleven objects each and all labels."""
    random = np.random.default_rng(0)
    corner = random.uniform(0, [width - 60, height - 60], (images, 11, 2))
    boxes = np.concatenate([corner, corner + random.uniform(8, 60, corner.shape)], axis=-1).astype("float32")
    labels = {
        "presence": random.integers(0, 2, (images, 4)).astype("float32"),
        "objects": {"boxes": boxes, "classes": random.integers(0, 4, (images, 11)).astype("int32")},
        "ground": random.integers(0, 11, (images, height, width)).astype("int32"),
    }
    pixels = random.integers(0, 256, (images, height, width, 3)).astype("float32")
    return pixels, labels, {name: np.ones(images, "float32") for name in labels}


def rows(title: str, times: dict[str, list[float]], ratio: str) -> list[list[str]]:
    """Return a line for each side's median and one for the median ratio, first to second."""
    first, second = times.values()
    lines = [[f"{title}, {name}", f"{statistics.median(values) * 1000:.0f} ms"] for name, values in times.items()]
    return [*lines, [f"  ratio {ratio}", f"{interleaved.ratio(first, second):.2f}"]]


def training(shape: tuple, data: tuple, repeats: int) -> dict[str, list[float]]:
    """Time a `fit` of one step of a MultiTaskModel and of plain Keras on the same graph."""
    dataset = tf.data.Dataset.from_tensors(data)
    model = visionmtl.MultiTaskModel(tasks(), image_shape=shape)
    model.compile("adamw", balancing="equal")
    twin = visionmtl.MultiTaskModel(tasks(), image_shape=shape)
    plain = Plain(twin.input, twin.output)
    plain.tasks, plain.raw_outputs = twin.tasks, twin.raw_outputs
    plain.compile("adamw", jit_compile=False)
    runs = {
        "MultiTaskModel": lambda: model.fit(dataset, verbose=0, shuffle=False),
        "plain Keras": lambda: plain.fit(dataset, verbose=0, shuffle=False),
    }
    return interleaved.seconds(runs, repeats)


def checked(shape: tuple, data: tuple, repeats: int) -> dict[str, list[float]]:
    """Time a `fit` of one step that looks for values that cannot be, and of one that does not."""
    dataset = tf.data.Dataset.from_tensors(data)
    models = {"values looked at": True, "not": False}
    runs = {}
    for name, check in models.items():
        model = visionmtl.MultiTaskModel(tasks(), image_shape=shape)
        model.compile("adamw", balancing="equal", check_values=check)
        runs[name] = functools.partial(model.fit, dataset, verbose=0, shuffle=False)
    return interleaved.seconds(runs, repeats)


def guarded(shape: tuple, data: tuple, repeats: int) -> dict[str, list[float]]:
    """Time a `fit` of one step that would be skipped if it were not finite, and of one that would not."""
    dataset = tf.data.Dataset.from_tensors(data)

    def steps(skip: bool) -> Callable:
        model = visionmtl.MultiTaskModel(tasks(), image_shape=shape)
        model.compile("adamw", balancing="equal", skip_nonfinite=skip)
        return lambda: model.fit(dataset, verbose=0, shuffle=False)

    return interleaved.seconds({"skipped if not finite": steps(True), "never skipped": steps(False)}, repeats)


def forward(shape: tuple, pixels: np.ndarray, repeats: int) -> dict[str, list[float]]:
    """Time one joint forward pass, and three passes of single-task models."""
    joint = visionmtl.MultiTaskModel(tasks(), image_shape=shape)
    single = [visionmtl.MultiTaskModel(task, image_shape=shape) for task in tasks()]
    images = tf.constant(pixels)

    def compiled(models):
        functions = [tf.function(lambda x, model=model: model(x, training=False)) for model in models]
        return lambda: [tf.nest.map_structure(np.asarray, function(images)) for function in functions]

    return interleaved.seconds({"three single": compiled(single), "joint": compiled([joint])}, repeats)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, nargs=2, default=(288, 384), metavar=("H", "W"))
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=30)
    options = parser.parse_args()
    shape, data = (*options.size, 3), batch(options.batch, *options.size)
    step, once = training(shape, data, options.repeats), forward(shape, data[0], options.repeats)
    lines = rows("training step", step, "MultiTaskModel / plain Keras (at most 1.05)")
    looked = checked(shape, data, options.repeats)
    lines += rows("training step", looked, "values looked at / not (at most 1.01)")
    skipped = guarded(shape, data, options.repeats)
    lines += rows("training step", skipped, "skipped if not finite / never skipped (at most 1.01)")
    lines += rows("forward pass", once, "three single / joint (at least 2.2)")
    height, width = options.size
    print(tables.table([f"efficientnet_lite0, {height} x {width}, batch {options.batch}", ""], lines))


if __name__ == "__main__":
    main()
