"""What balancing costs a training step, against the plain sum of the losses; prints ratios of times and peak memory.

    python benchmarks/balancing.py [--backbones resnet50 efficientnet_lite0] [--tasks 2 3 8] [--size 128]
    python benchmarks/balancing.py --methods equal cosmos moco ...

Each model has K light classification heads on one backbone. The steps are run in rounds in one process, each round in
an order of its own; a ratio is the median of those within a round. "One forward, K backward" is a bare step that goes
back once a task, adds the gradients up and compares nothing. The memory is the highest of a process that does nothing
else. Of `--methods`, any of `visionmtl list balancing`, the clock is the processor's.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import interleaved
import keras
import numpy as np
import tensorflow as tf

import visionmtl
from visionmtl import balancing
from visionmtl.callbacks.gradient_watch import GradientWatch
from visionmtl.report import tables
from visionmtl.tasks import Classification

VARIANTS = {
    "equal": "equal",
    "one forward, K backward": "equal",
    "cagrad, parameters": "cagrad",
    "cagrad, features": {"method": "cagrad", "scope": "features"},
    "cagrad, between two comparisons": {"method": "cagrad", "update_every": 10**6},
    "uncertainty": "uncertainty",
    "famo": "famo",
    "equal, watched in every step": "equal",
}
METHODS = {name: name for name in balancing.names() if name != "fixed"}
WEIGHED = ("equal", "one forward, K backward", "cagrad, parameters", "cagrad, features")


class Bare(visionmtl.MultiTaskModel):
    """Goes back once a task and sums, as any method must that looks at each task's gradient."""

    def train_step(self, data):
        images, labels, weights = keras.utils.unpack_x_y_sample_weight(data)
        with tf.GradientTape(persistent=True) as tape:
            losses = self.task_losses(labels, self(images, training=True), weights).local
        variables = self.trainable_variables
        gradients = [tape.gradient(loss, variables) for loss in losses]
        known = [[gradient for gradient in of if gradient is not None] for of in zip(*gradients, strict=True)]
        pairs = zip(known, variables, strict=True)
        self.optimizer.apply_gradients([(tf.add_n(of), variable) for of, variable in pairs if of])
        return {"loss": tf.add_n(losses)}


def model(backbone: str, count: int, size: int, variant: str) -> visionmtl.MultiTaskModel:
    """Return a model of `count` classifications, compiled for a variant."""
    keras.utils.set_random_seed(0)
    tasks = [Classification(f"task_{place}", 10) for place in range(count)]
    built = (Bare if "backward" in variant else visionmtl.MultiTaskModel)(tasks, backbone, (size, size, 3))
    built.compile(keras.optimizers.SGD(1e-3), balancing=(METHODS | VARIANTS)[variant])
    return built


def batches(count: int, size: int, batch: int) -> tf.data.Dataset:
    """Return one batch of random images with all labels."""
    random = np.random.default_rng(0)
    labels = {f"task_{place}": random.integers(0, 10, batch).astype("int32") for place in range(count)}
    images = random.integers(0, 256, (batch, size, size, 3)).astype("float32")
    return tf.data.Dataset.from_tensors((images, labels, {name: np.ones(batch, "float32") for name in labels}))


def stepper(variant: str, built, dataset):
    """Return a function that trains one step."""
    data, function = [next(iter(dataset))], built.make_train_function
    function()
    if "watched" not in variant:
        return lambda: {name: float(value) for name, value in built.train_function(data).items()}
    folder = tempfile.mkdtemp()
    watch = GradientWatch(f"{folder}/gradients.csv", folder, every=1)
    watch.set_model(built)
    watch.on_train_begin()

    def step():
        float(built.train_function(data)["loss"])
        watch.on_train_batch_end(0)

    return step


def times(backbone: str, count: int, options) -> dict[str, list[float]]:
    """Return the seconds of a step of each variant, `rounds` of them."""
    dataset = batches(count, options.size, options.batch)
    variants, steps = options.methods or VARIANTS, {}
    for variant in variants:
        steps[variant] = stepper(variant, model(backbone, count, options.size, variant), dataset)
        steps[variant]()  # traces
        steps[variant]()  # and where the first step compared gradients, traces the step between
    clock = time.process_time if options.methods else time.perf_counter
    return interleaved.seconds(steps, options.rounds, warm=0, clock=clock)


def memory(backbone: str, count: int, options, variant: str) -> float:
    """Return the highest memory in GB of a process that trains three steps."""
    given = ["--backbones", backbone, "--tasks", str(count), "--size", str(options.size), "--batch", str(options.batch)]
    done = subprocess.run(
        [sys.executable, __file__, *given, "--alone", variant], capture_output=True, text=True, check=True
    )
    return float(done.stdout.split()[-1])


def train_alone(options) -> None:
    """Train three steps of one variant and print the process's highest memory in GB."""
    count = options.tasks[0]
    step = stepper(
        options.alone,
        model(options.backbones[0], count, options.size, options.alone),
        batches(count, options.size, options.batch),
    )
    for _ in range(3):
        step()
    # Not getrusage: what it calls the highest is the parent's where that was higher.
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    print(int(status["VmHWM"].split()[0]) / 1e6)


def report(backbone: str, count: int, options) -> None:
    """Print the table of one backbone and number of tasks."""
    found = times(backbone, count, options)
    plain = found["equal"]
    rows = []
    for variant, seconds in found.items():
        held = f"{memory(backbone, count, options, variant):.2f}" if variant in WEIGHED and options.memory else ""
        rows.append(
            [variant, f"{statistics.median(seconds) * 1000:.0f}", f"{interleaved.ratio(seconds, plain):.2f}", held]
        )
    head = f"{backbone}, K = {count}, {options.size} x {options.size}, batch {options.batch}"
    print(tables.table([head, "ms a step", "of equal", "peak GB"], rows))
    if options.methods:
        return
    passes = found["one forward, K backward"]
    exact = interleaved.ratio(found["cagrad, parameters"], passes)
    print(f"cagrad, parameters / one forward, K backward: {exact:.3f} (at most 1.05)")
    look = (interleaved.ratio(found["equal, watched in every step"], plain) - 1) / 50
    print(f"watching every 50 steps: {100 * look:.2f}% of a step (at most 2%)\n", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backbones", nargs="+", default=["resnet50", "efficientnet_lite0"])
    parser.add_argument("--tasks", type=int, nargs="+", default=[2, 3, 8], metavar="K")
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--memory", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--methods", nargs="+", choices=METHODS, help="measure these instead, `equal` among them")
    parser.add_argument("--alone", choices=VARIANTS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.alone:
        train_alone(options)
        return
    if options.methods and "equal" not in options.methods:
        parser.error("--methods has no `equal`, against which the others are measured: name it too")
    for backbone in options.backbones:
        for count in options.tasks:
            report(backbone, count, options)


if __name__ == "__main__":
    main()
