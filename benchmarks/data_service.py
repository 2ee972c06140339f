"""Images a second that a training of one core gets of data it decodes itself, and of one and two data workers.

    PYTHONPATH=.:benchmarks python benchmarks/data_service.py [--images 240] [--turns 5]

The training, which here does nothing but take batches, has one core of this machine, the first data worker has another,
and the second one has a third, or shares the training's where there are two. Passes take turns; a figure is the median
over them. The processor's time of the training is what is left of a sample's cost for it: its reciprocal is the most
samples that one core can take, whatever the data workers do. Photographs are 480 x 640, drawn smooth, to 288 x 384 with
the augmentation of the CamVid recipe.
"""

import argparse
import contextlib
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

AUGMENTATION = {"flip": True, "scale": [0.8, 1.4], "colour": 0.2}
BATCH = 8


def photographs(folder: Path, count: int) -> None:
    """Write photographs of two classes."""
    import numpy as np
    import tensorflow as tf

    random = np.random.default_rng(0)
    for label in "ab":
        (folder / "train" / label).mkdir(parents=True)
    for number in range(count):
        smooth = tf.image.resize(random.uniform(0, 255, (30, 40, 3)), (480, 640), "bicubic")
        pixels = tf.cast(tf.clip_by_value(smooth + random.normal(0, 6, (480, 640, 3)), 0, 255), tf.uint8)
        tf.io.write_file(str(folder / "train" / "ab"[number % 2] / f"{number}.jpg"), tf.io.encode_jpeg(pixels))


def serve(core: int, *words: str) -> tuple[subprocess.Popen, str]:
    """Start a data worker on a core; return it and the address of its service."""
    command = [sys.executable, "-m", "visionmtl", "data", "serve", "--host", "127.0.0.1", *words]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, preexec_fn=lambda: os.sched_setaffinity(0, {core})
    )
    assert process.stdout
    found = re.search(r"grpc://[\d.:]+", process.stdout.readline())
    assert found
    return process, found[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=240)
    parser.add_argument("--turns", type=int, default=5)
    args = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    own, first, second = cores[0], cores[1 % len(cores)], cores[2 % len(cores)]
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as held:

        def started(core: int, *words: str) -> str:
            process, service = serve(core, *words)
            held.callback(process.kill)
            return service

        one, two = started(first), started(first)
        started(second, "--join", two)
        os.sched_setaffinity(0, {own})
        import pipelines

        photographs(Path(folder), args.images)

        def data(service: str | None):
            return pipelines.load(
                "folder",
                (288, 384),
                BATCH,
                path=folder,
                splits=["train"],
                augmentation=AUGMENTATION,
                cache=False,
                check="headers",
                service=service,
            ).train

        ways = {"no data worker": data(None), "one data worker": data(one), "two data workers": data(two)}
        rates: dict[str, list[float]] = {name: [] for name in ways}
        worked_for: dict[str, list[float]] = {name: [] for name in ways}
        for turn in range(args.turns + 1):
            for name, way in ways.items():
                begun, worked = time.perf_counter(), time.process_time()
                images = sum(len(batch[0]) for batch in way)
                if turn:
                    rates[name].append(images / (time.perf_counter() - begun))
                    worked_for[name].append(1000 * (time.process_time() - worked) / images)
    print(f"{len(cores)} cores, {args.images} images, batches of {BATCH}")
    print(f"{'':20} images/s   ratio   CPU ms an image   at most, a core")
    base = statistics.median(rates["no data worker"])
    for name, known in rates.items():
        rate = statistics.median(known)
        cpu = statistics.median(worked_for[name])
        print(f"{name:20} {rate:8.1f} {rate / base:7.2f} {cpu:10.2f} {1000 / cpu:12.0f}", flush=True)


if __name__ == "__main__":
    main()
