"""A training step over several workers: its time, and what it sends.

    PYTHONPATH=.:benchmarks python benchmarks/workers.py [--workers 1 2 3 4] [--methods uncertainty] [--batch 12]

Every worker is a process of one core, all on this machine, and all share one batch; where there are fewer cores than
workers, these take turns on them, and the table says so. The groups of workers are there at once and take turns, a few
steps each; times are medians over the turns: of the clock, and of the processor that the chief had, and all together.
Where the clock has more than the chief's processor, it waited, for its core or for the others; what the processor does
more than for one worker is what it takes to send. What is counted is what is summed over the workers in a step; a ring
sends 2 (N - 1) / N times as much from each. The backbone is five convolutions of a million parameters.
"""

import argparse
import contextlib
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import time
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

STEPS = 3  # of a turn


def convolutions(size: int) -> Any:
    """Return a backbone of five convolutions, each at half the size of the one before."""
    import keras

    image = x = keras.Input((size, size, 3), name="image")
    features = {}
    for level, channels in enumerate((16, 64, 128, 256, 256), 1):
        x = keras.layers.Conv2D(channels, 3, strides=2, padding="same", use_bias=False)(x)
        x = keras.layers.ReLU()(keras.layers.BatchNormalization()(x))
        features[f"P{level}"] = x
    return keras.Model(image, {level: features[level] for level in ("P2", "P3", "P4", "P5")}, name="convolutions")


def worker(method: str, features: bool, args: argparse.Namespace, core: int) -> None:
    """Train as told, `STEPS` steps a line of the standard input, and print the seconds of one: passed, and worked."""
    os.sched_setaffinity(0, {core})
    import communicated
    import keras
    import numpy as np
    import tensorflow as tf

    import visionmtl

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(2)
    several = "TF_CONFIG" in os.environ
    strategy = tf.distribute.MultiWorkerMirroredStrategy() if several else tf.distribute.get_strategy()
    tasks = [visionmtl.Classification("scene", 10), visionmtl.Segmentation("ground", 5)]
    keras.utils.set_random_seed(0)
    with strategy.scope():
        model = visionmtl.MultiTaskModel(tasks, convolutions(args.size), (args.size, args.size, 3))
        model.compile(
            keras.optimizers.SGD(1e-3), balancing={"method": method, **({"scope": "features"} if features else {})}
        )
    model.build_optimizer()
    part = args.batch // strategy.num_replicas_in_sync
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (part, args.size, args.size, 3)).astype("float32")
    ground = random.integers(0, 5, (part, args.size, args.size)).astype("int32")
    labels = {"scene": random.integers(0, 10, part).astype("int32"), "ground": ground}
    data = tf.data.Dataset.from_tensors((images, labels)).repeat()
    batches = iter(strategy.distribute_datasets_from_function(lambda context: data) if several else data)
    model.make_train_function()
    step = model.train_function
    with communicated.counted() as sizes:
        step(batches)
    print(json.dumps([sum(sizes), model.count_params()]), flush=True)
    for _ in sys.stdin:
        begun, before = time.perf_counter(), time.process_time()
        for _ in range(STEPS):
            logs = step(batches)
        float(next(iter(logs.values())))
        passed, worked = time.perf_counter() - begun, time.process_time() - before
        print(json.dumps([passed / STEPS, worked / STEPS]), flush=True)


class Group:
    """Workers that train together, and wait for their turns."""

    def __init__(self, count: int, batch: int, method: str, args: argparse.Namespace):
        self.count, self.times, self.worked, self.all = count, list[float](), list[float](), list[float]()
        held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
        cluster = {"worker": [f"127.0.0.1:{one.getsockname()[1]}" for one in held]}
        for one in held:
            one.close()
        cores = sorted(os.sched_getaffinity(0))
        self.processes = []
        for number in range(count):
            environment = dict(os.environ)
            if count > 1:
                task = {"cluster": cluster, "task": {"type": "worker", "index": number}}
                environment["TF_CONFIG"] = json.dumps(task)
            given = ["--batch", str(batch), "--size", str(args.size)]
            words = [sys.executable, __file__, *given, "--core", str(cores[number % len(cores)]), "--methods", method]
            pipe = subprocess.PIPE
            self.processes.append(subprocess.Popen(words, env=environment, stdin=pipe, stdout=pipe, text=True))

    def ready(self) -> tuple[int, int]:
        """Wait until all have done a step; return the bytes that it sums, and the parameters."""
        told = [json.loads(each.stdout.readline()) for each in self.processes if each.stdout]
        return told[0][0], told[0][1]

    def turn(self) -> None:
        """Have them do their steps."""
        for each in self.processes:
            assert each.stdin
            each.stdin.write("go\n")
            each.stdin.flush()
        told = [json.loads(each.stdout.readline()) for each in self.processes if each.stdout]
        self.times.append(max(passed for passed, _ in told))
        self.worked.append(told[0][1])
        self.all.append(sum(worked for _, worked in told))

    def close(self) -> None:
        """End them."""
        for each in self.processes:
            each.kill()
            each.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cores = len(os.sched_getaffinity(0))
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 3, 4])
    parser.add_argument("--methods", nargs="+", default=["uncertainty", "pcgrad"])
    parser.add_argument("--size", type=int, default=96)
    parser.add_argument("--batch", type=int, default=12, help="of all workers together")
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--core", type=int, help="be a worker on this core")
    args = parser.parse_args()
    if args.core is not None:
        name, _, features = args.methods[0].partition(":")
        return worker(name, bool(features), args, args.core)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # by which the workers are ended too
    print(f"{cores} cores; {args.size} x {args.size}, batch {args.batch} over all workers, {args.turns} turns")
    most = max(args.workers)
    print("each worker has a core of its own" if most <= cores else f"up to {most} workers take turns on these cores")
    print(f"{'':16} workers  parameters  MB summed  ms a step  of one worker  CPU ms: chief   all", flush=True)
    for method in args.methods:
        with contextlib.ExitStack() as held:
            groups = [Group(count, args.batch, method, args) for count in args.workers]
            for group in groups:
                held.callback(group.close)
            told = [group.ready() for group in groups]
            for _ in range(args.turns):
                for group in groups:
                    group.turn()
        medians = [1000 * statistics.median(group.times) for group in groups]
        for group, (size, parameters), taken in zip(groups, told, medians, strict=True):
            summed = size / 1e6 if group.count > 1 else 0.0
            print(
                f"{method:16} {group.count:7} {parameters:11,} {summed:10.2f} {taken:10.0f} {taken / medians[0]:14.2f}"
                f" {1000 * statistics.median(group.worked):14.0f} {1000 * statistics.median(group.all):5.0f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
