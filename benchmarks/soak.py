"""A long training with every watch on: memory, file handles, traces and what is written stay bounded.

PYTHONPATH=. python benchmarks/soak.py

A toy network of three tasks trains 5,000 steps on the garments at 32 x 32 with the gradient and the sharing watch,
TensorBoard, checkpoints and a validation each epoch. Ends with status 1 where a bound is broken.
"""

import argparse
import collections
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import keras
import toy_backbone

import visionmtl
from visionmtl import callbacks
from visionmtl.training import building

GROWTH, LOGGING = 0.01, 0.02  # of memory after the warm-up; of a step's time
COUNTS = ("file handles", "traces")  # rows that no other process disturbs
PAGE = os.sysconf("SC_PAGE_SIZE")
SETTINGS = (
    "data.image_size=[32, 32]",
    "data.batch_size=4",
    "model.backbone=toy",
    "model.weights=null",
    "model.neck.channels=8",
    "model.sharing.name=cross_stitch",
    "training.verbose=0",
)


class Gauge(keras.callbacks.Callback):
    """Notes memory and file handles as a training goes on."""

    def __init__(self, every: int):
        super().__init__()
        self.every, self.steps = every, 0
        self.memory: list[int] = []
        self.handles: list[int] = []

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.steps += 1
        if self.steps % self.every == 0:
            self.memory.append(int(Path("/proc/self/statm").read_text().split()[1]) * PAGE)
            self.handles.append(len(os.listdir("/proc/self/fd")))


def counted(method: Any, kind: Any, calls: collections.Counter) -> Any:
    """Return a step that counts its traces by kind."""

    def step(data: Any) -> Any:
        calls[kind()] += 1
        return method(data)

    return step


def timed(watcher: Any, spent: collections.Counter) -> None:
    """Have the seconds counted that a callback takes to write for TensorBoard, once the first pictures are traced."""
    for name in ("on_train_batch_end", "on_epoch_end"):
        method = getattr(watcher, name)

        def call(*args: Any, method: Any = method, **kwargs: Any) -> None:
            began = time.perf_counter()
            method(*args, **kwargs)
            if spent["began"]:
                spent[type(watcher).__name__] += time.perf_counter() - began
            elif type(watcher).__name__ == "TensorBoard" and method.__name__ == "on_epoch_end":
                spent["began"] = time.perf_counter()

        setattr(watcher, name, call)


def soak(steps: int, epochs: int, folder: Path) -> list[tuple[str, str, str, bool]]:
    """Train, and return a row for each bound: what, as found, as it should be, and whether it holds."""
    size = steps // epochs
    options = f"data.options={{train: {4 * size}, validation: 16, test: 4}}"
    recipe = visionmtl.recipe.load("garments", [*SETTINGS, options, f"training.epochs={epochs}"])
    keras.utils.set_random_seed(0)
    data = building.data(recipe, ["train", "validation"])
    model = building.model(recipe, data.specs, size)
    traces: collections.Counter = collections.Counter()
    model.train_step = counted(
        model.train_step, lambda: "comparing step" if model.plans.compares else "plain step", traces
    )
    model._measured = counted(model._measured, lambda: "validation step", traces)
    session = callbacks.Session(recipe, folder, data, [], model, steps=size)
    watchers = callbacks.of_session(session)
    spent: collections.Counter = collections.Counter()
    for watcher in watchers:
        if type(watcher).__name__ in ("TensorBoard", "GradientWatch", "SharingWatch"):
            timed(watcher, spent)
    gauge, began = Gauge(max(1, steps // 200)), time.perf_counter()
    try:
        model.fit(
            data.train, validation_data=data.validation, epochs=epochs, shuffle=False, verbose=0,
            callbacks=[*watchers, gauge],
        )  # fmt: skip
    finally:
        for watcher in watchers:
            watcher.close()
    ended = time.perf_counter()
    seconds, later = ended - began, ended - spent.pop("began")
    part = len(gauge.memory) // 5
    early, late = (statistics.median(gauge.memory[at]) for at in (slice(part, 2 * part), slice(-part, None)))
    handles = [statistics.mode(gauge.handles[at]) for at in (slice(part, 2 * part), slice(-part, None))]
    logged = sum(file.stat().st_size for file in (folder / "tensorboard").rglob("*") if file.is_file())
    logging, growth = sum(spent.values()) / later, late / early - 1
    print(f"{gauge.steps} steps, {1000 * seconds / gauge.steps:.1f} ms each; writes for TensorBoard: {dict(spent)}")
    rows = [
        ("memory after the warm-up, MB", f"{early / 1e6:.0f}", "", True),
        ("its growth until the end", f"{growth:.2%}", f"< {GROWTH:.0%}", growth < GROWTH),
        ("file handles, early and late", f"{handles[0]}, {handles[1]}", "equal", handles[0] >= handles[1]),
        *((f"traces, {kind}", str(count), "1", count == 1) for kind, count in sorted(traces.items())),
        ("TensorBoard's part after an epoch", f"{logging:.2%}", f"< {LOGGING:.0%}", logging < LOGGING),
        ("its files, bytes a step", f"{logged / gauge.steps:.0f}", "", True),
    ]
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=5000)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--counts", action="store_true", help="hold to handles and traces alone, of a short run")
    args = parser.parse_args()
    toy_backbone.register()
    with tempfile.TemporaryDirectory() as folder:
        rows = soak(args.steps, args.epochs, Path(folder))
    rows = [row for row in rows if row[0].startswith(COUNTS)] if args.counts else rows
    for what, found, bound, good in rows:
        print(f"{what:34} {found:>12} {bound:>8} {'' if good else 'BROKEN'}")
    return 0 if all(good for *_, good in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
