"""What XLA makes of a training step: the first one, which compiles it, and the median of those after, with and without.

    PYTHONPATH=.:benchmarks python benchmarks/xla.py [--backbones convolutions mobilenet_v2] [--turns 9]

One task that classifies, all shapes static. Compiled and not take turns in one process; seconds are those of the
processor, which is what other work on the machine changes least, and milliseconds of the clock stand beside them.
"""

import argparse
import statistics
import time
from typing import Any

import keras
import numpy as np
from workers import convolutions

import visionmtl

LAYERS = {"convolutions": convolutions}  # by size; any other name is a backbone of the library


def step_of(backbone: str, size: int, batch: int, jit: bool) -> Any:
    """Return a function that does one step, and returns its loss."""
    keras.utils.set_random_seed(0)
    made: Any = LAYERS[backbone](size) if backbone in LAYERS else backbone
    model = visionmtl.MultiTaskModel([visionmtl.Classification("scene", 10)], made, (size, size, 3))
    model.compile(keras.optimizers.SGD(1e-3), jit_compile=jit)
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (batch, size, size, 3)).astype("float32")
    labels = {"scene": random.integers(0, 10, batch).astype("int32")}

    def step() -> float:
        model.reset_metrics()
        return float(model.train_on_batch(images, labels, return_dict=True)["loss"])

    return step


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backbones", nargs="+", default=["convolutions", "mobilenet_v2"])
    parser.add_argument("--size", type=int, default=96)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--turns", type=int, default=9)
    args = parser.parse_args()
    print(f"{args.size} x {args.size}, batches of {args.batch}, median of {args.turns}")
    print(
        f"{'':14} {'':4} {'first, CPU s':>12} {'ms a step':>10} {'CPU ms':>8} {'of plain':>9} {'loss':>9}", flush=True
    )
    for backbone in args.backbones:
        steps = {jit: step_of(backbone, args.size, args.batch, jit) for jit in (False, True)}
        first, passed, worked = {}, dict[bool, list[float]](), dict[bool, list[float]]()
        losses = {}
        for jit, step in steps.items():
            begun = time.process_time()
            losses[jit] = step()
            first[jit], passed[jit], worked[jit] = time.process_time() - begun, [], []
        for turn in range(args.turns + 1):
            for jit, step in steps.items():
                begun, before = time.perf_counter(), time.process_time()
                losses[jit] = step()
                if turn:
                    passed[jit].append(1000 * (time.perf_counter() - begun))
                    worked[jit].append(1000 * (time.process_time() - before))
        plain = statistics.median(worked[False])
        for jit in steps:
            took = statistics.median(worked[jit])
            print(
                f"{backbone:14} {'XLA' if jit else '':4} {first[jit]:12.1f} {statistics.median(passed[jit]):10.0f}"
                f" {took:8.0f} {took / plain:9.2f} {losses[jit]:9.6f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
