"""What each runtime costs from JPEG files to boxes and masks, beside the raw network and three models of one task.

PYTHONPATH=. python benchmarks/inference.py runs/camvid-1 --single runs/camvid-2 runs/camvid-3 runs/camvid-4
"""

import argparse
import contextlib
import os
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import inference_worker as workers
import interleaved
import numpy as np
from inference_worker import Worker
from PIL import Image

from visionmtl import prediction
from visionmtl.export import FORMATS, Serving
from visionmtl.model import MultiTaskModel
from visionmtl.recipe import Recipe
from visionmtl.report import tables
from visionmtl.training import runs

NETWORK, BYTES = "Keras, the network alone", "SavedModel, serving_bytes"
EXPORTS = {
    BYTES: ("savedmodel", "float32"),
    "ONNX Runtime": ("onnx", "float32"),
    "OpenVINO": ("openvino", "float32"),
    "LiteRT": ("litert", "float32"),
    "LiteRT, int8": ("litert", "int8"),
}
BATCHES = (1, 8)
CALIBRATION = 100  # pictures of training


def pictures(recipe: Recipe, split: str, count: int) -> list[np.ndarray]:
    """Return the first pictures of a split that are of one size, its most frequent."""
    wanted = prediction.of_split(recipe, split)
    read = [wanted.read(place) for place in range(min(2 * count, len(wanted.files)))]
    shape = statistics.mode(picture.shape for picture in read)
    return [picture for picture in read if picture.shape == shape][:count]


def exported(model: MultiTaskModel, name: str, folder: Path, calibration: Sequence[np.ndarray]) -> str:
    """Write a model in a format into a folder, and return the program that answers by it."""
    format, precision = EXPORTS[name]
    made = FORMATS[format](precision, calibration)
    folder.mkdir(parents=True)
    made.write(model, folder, Serving(model.resize, model.confidences))
    return workers.SERVING_BYTES if name == BYTES else workers.from_pixels(made)


def megabytes(folder: Path) -> float:
    """Return what lies in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


@contextlib.contextmanager
def started(programs: dict[str, tuple[str, Path]], files: list[Path]) -> Iterator[dict[str, Worker]]:
    """Start a worker for each program, and end them all."""
    there = {name: Worker(program, folder, files) for name, (program, folder) in programs.items()}
    try:
        yield there
    finally:
        for each in there.values():
            each.stop()


def times(there: dict[str, Worker], batch: int, rounds: int) -> dict[str, list[float]]:
    """Return the seconds of CPU that a picture costs each worker, who take turns."""
    found: dict[str, list[float]] = {name: [] for name in there}

    def turn(name: str) -> None:
        found[name].append(there[name].seconds(batch))

    interleaved.seconds({name: lambda name=name: turn(name) for name in there}, rounds, warm=2)
    return {name: values[2:] for name, values in found.items()}


def runtimes(model: MultiTaskModel, run: str, root: Path, files: list[Path], calibration: list, rounds: int) -> None:
    """Print what each runtime costs."""
    programs = {NETWORK: (workers.NETWORK, Path(run))}
    programs |= {name: (exported(model, name, root / name, calibration), root / name) for name in chosen()}
    with started(programs, files) as there:
        taken = {batch: times(there, batch, rounds) for batch in BATCHES}
        peak = {name: each.megabytes for name, each in there.items()}
    rows = []
    for name in programs:
        row = [name]
        for batch in BATCHES:
            seconds = taken[batch][name]
            row.append(f"{1000 * statistics.median(seconds):.1f}")
            row.append(f"{interleaved.ratio(seconds, taken[batch][BYTES]):.2f}")
        disk = "" if name == NETWORK else f"{megabytes(root / name):.1f}"
        rows.append([*row, f"{peak[name]:.0f}", disk])
    heads = [head for batch in BATCHES for head in (f"CPU ms, batch {batch}", "of serving_bytes")]
    print(tables.table(["from JPEG files", *heads, "peak MB", "MB on disk"], rows))


def apart(model: MultiTaskModel, run: str, single: list[str], root: Path, files: list[Path], rounds: int) -> None:
    """Print what three models of one task cost beside the joint one, in each format."""
    alone = [runs.load_model(path)[0] for path in single]
    rows = []
    for name in (each for each in chosen() if EXPORTS[each][1] == "float32"):
        programs = {"joint": (exported(model, name, root / name / "joint", []), root / name / "joint")}
        for number, each in enumerate(alone):
            folder = root / name / str(number)
            programs[str(number)] = (exported(each, name, folder, []), folder)
        with started(programs, files) as there:
            taken = times(there, 1, rounds)
        total = [sum(values) for values in zip(*(taken[str(number)] for number in range(len(alone))), strict=True)]
        joint, together = (f"{1000 * statistics.median(values):.1f}" for values in (taken["joint"], total))
        rows.append([name, joint, together, f"{interleaved.ratio(total, taken['joint']):.2f}"])
    print(tables.table(["from JPEG files, batch 1", "joint, CPU ms", f"{len(alone)} models", "times as much"], rows))


def chosen() -> list[str]:
    """Return the exports whose format is there."""
    return [name for name, (format, _) in EXPORTS.items() if format in FORMATS]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", help="a run folder of several tasks")
    parser.add_argument("--single", nargs="*", default=[], help="run folders of each of its tasks alone")
    parser.add_argument("--pictures", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    model, recipe = runs.load_model(options.run)
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        shown = pictures(recipe, "validation", options.pictures)
        files = [root / f"{number}.jpg" for number in range(len(shown))]
        for file, picture in zip(files, shown, strict=True):
            Image.fromarray(picture).save(file, quality=90)
        (height, width), (tall, wide) = model.image_size, shown[0].shape[:2]
        print(f"{', '.join(model.tasks)}: network of {height} x {width}, {len(files)} JPEG files of {tall} x {wide}")
        os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
        calibration = pictures(recipe, "train", CALIBRATION)
        runtimes(model, options.run, root / "runtimes", files, calibration, options.rounds)
        if options.single:
            print()
            apart(model, options.run, options.single, root / "apart", files, options.rounds)


if __name__ == "__main__":
    main()
