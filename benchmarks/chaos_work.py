"""What is struck: a training, a packing, a cache, an export, a comparison; and what each must come to all the same."""

import json
import re
import shutil
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import chaos_process
import numpy as np
import toy_backbone
from chaos_artefacts import broken, curves, differences, names, weights
from PIL import Image

import pipelines
from visionmtl import cli, csvfile, recipe
from visionmtl.callbacks.backup import Backup
from visionmtl.checkpoints import container, interval
from visionmtl.checkpoints import folder as checkpoints
from visionmtl.comparison.compare import children
from visionmtl.step.position import Position

STEPS, EPOCHS, EVERY = 4, 3, 2  # of an epoch, of the training, and from one checkpoint to the next
RECIPE = (
    "data.image_size=[32, 32]",
    "data.batch_size=4",
    f"data.options={{train: {4 * STEPS}, validation: 4, test: 4}}",
    "data.augmentation={flip: true, scale: [0.7, 1.4]}",
    "tasks={classification: {}, segmentation: {}}",
    "model.backbone=toy",
    "model.weights=null",
    "model.neck.channels=4",
    "balancing.watch=null",
    f"training.epochs={EPOCHS}",
    f"training.checkpoint={EVERY}",
    "training.verbose=0",
)
TIMES = re.compile(r"seconds|time")  # what of figures is a time of its own in every run


class Work(ABC):
    """Something that is done by a command, given again after it was struck.

    Args:
        base: a folder for what it needs; it stays as it is.
    """

    name: ClassVar[str]

    def __init__(self, base: Path):
        self.base = base

    @abstractmethod
    def do(self, folder: Path) -> int:
        """Do it in a folder, or go on with it there; return the exit status."""

    @abstractmethod
    def end(self, folder: Path) -> dict[str, Any]:
        """Return what it has come to, by name; whatever is here is compared."""

    def unreadable(self, folder: Path) -> dict[Path, str]:
        """Return which files beneath a folder have no whole content, of those that have their own name, and why."""
        return {path: why for path in sorted(folder.rglob("*")) if path.is_file() and (why := broken(path))}

    def newest(self, folder: Path) -> Path | None:
        """Return the file that was put in its place last, of those that may be torn; None where there is none."""
        return None

    def is_done(self, outcome: chaos_process.Outcome) -> bool:
        """Whether a process came to the end."""
        return outcome.status == 0

    def mend(self, folder: Path, outcome: chaos_process.Outcome) -> bool:
        """Do what a refusal asks for; return whether it asked for anything."""
        return False


class Training(Work):
    """`visionmtl train`, then `visionmtl train --resume`."""

    name = "train"

    def do(self, folder: Path) -> int:
        _prepare()
        run = folder / "run"
        if (run / "recipe.yaml").is_file():
            return cli.main(["train", "--resume", str(run)])
        file = folder.parent / f"{folder.name}.yaml"
        file.write_text(recipe.load("garments", list(RECIPE)).dump(), encoding="utf-8")
        return cli.main(["train", str(file), "--run", str(run)])

    def is_done(self, outcome: chaos_process.Outcome) -> bool:
        return super().is_done(outcome) or "is finished: nothing is left" in outcome.said

    def newest(self, folder: Path) -> Path | None:
        found = list(checkpoints.of(folder / "run"))
        return found[0] if len(found) > 1 else None

    def end(self, folder: Path) -> dict[str, Any]:
        run = folder / "run"
        end: dict[str, Any] = {"files": names(run)}
        for shown in filter(Path.is_dir, (run / "tensorboard").iterdir()):  # beside them, when and where it was trained
            end |= {f"{shown.name} {tag}": points for tag, points in curves(shown).items()}
        for name in ("last.keras", "best.keras"):
            end |= {f"{name} {key}": value for key, value in weights(run / name).items()}
        newest = self.newest(folder)
        assert newest is not None
        arrays = container.read(newest)[1]
        end |= {f"{newest.name} {name}": array for name, array in arrays.items()}
        for path in run.rglob("*.csv"):
            end[path.name] = [{key: row[key] for key in row if not TIMES.search(key)} for row in csvfile.read(path)]
        metrics = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
        return end | {"metrics.json": {key: value for key, value in metrics.items() if not TIMES.search(key)}}


class Packing(Work):
    """`visionmtl data pack`, given again."""

    name = "pack"

    def __init__(self, base: Path):
        super().__init__(base)
        if not base.is_dir():
            pictures(base)

    def do(self, folder: Path) -> int:
        return cli.main(["data", "pack", str(self.base), "--out", str(folder / "pack"), "--shard-mb", "0.01"])

    def end(self, folder: Path) -> dict[str, Any]:
        return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    def newest(self, folder: Path) -> Path | None:
        found = [path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")]
        return max(found, key=lambda path: path.stat().st_mtime_ns, default=None)

    def mend(self, folder: Path, outcome: chaos_process.Outcome) -> bool:
        if "delete" not in outcome.said:
            return False
        shutil.rmtree(folder / "pack")
        return True


class Caching(Packing):
    """A cache of data that is filled by the first who reads it."""

    name = "cache"

    def do(self, folder: Path) -> int:
        try:
            data = pipelines.load("folder", (32, 32), 4, path=self.base, cache=folder / "cache")
        except pipelines.DataError as error:
            print(error)
            return 2
        for batch in data.train:
            del batch
        return 0

    def mend(self, folder: Path, outcome: chaos_process.Outcome) -> bool:
        return False


class Exporting(Work):
    """`visionmtl export`, given again; every version that is there serves alike."""

    name = "export"

    def do(self, folder: Path) -> int:
        _prepare()
        return cli.main(["export", str(self.base), "--to", str(folder / "exports"), "--name", "toy"])

    def end(self, folder: Path) -> dict[str, Any]:
        import tensorflow as tf

        picture = np.random.default_rng(0).integers(0, 256, (1, 40, 50, 3), np.uint8)
        versions = [path for path in (folder / "exports" / "toy").iterdir() if path.name.isdigit()]
        served = []
        for version in versions:
            outputs = tf.saved_model.load(str(version)).signatures["serving_default"](tf.constant(picture))
            served.append({name: value.numpy() for name, value in outputs.items()})
        for other in served[1:]:
            assert not differences(served[0], other)
        left = [path.name for path in (folder / "exports" / "toy").iterdir() if not path.name.isdigit()]
        return served[0] | {"left behind": left}


class Comparing(Work):
    """`visionmtl compare` of one arm at one seed, then `visionmtl compare FOLDER`; its cells die with it."""

    name = "compare"

    def do(self, folder: Path) -> int:
        _prepare()
        children.COMMAND = (sys.executable, str(Path(__file__).with_name("chaos_cell.py")))
        comparison = folder / "comparison"
        if (comparison / "comparison.yaml").is_file():
            return cli.main(["compare", str(comparison), "--no-fixed"])
        file = folder.parent / f"{folder.name}.yaml"
        short = [*RECIPE, "training.epochs=1", "training.validate_every=1"]
        file.write_text(recipe.load("garments", short).dump(), encoding="utf-8")
        return cli.main(["compare", str(file), "--run", str(comparison), "--seeds", "1", "--no-fixed"])

    def end(self, folder: Path) -> dict[str, Any]:
        comparison = folder / "comparison"
        figures = json.loads((comparison / "comparison.json").read_text(encoding="utf-8"))
        arms = {arm["name"]: {seed: of["metrics"] for seed, of in arm["seeds"].items()} for arm in figures["arms"]}
        end: dict[str, Any] = {
            "metrics": arms,
            "files": sorted(path.name for path in comparison.iterdir() if path.is_file()),
        }
        for run in sorted(path for path in (comparison / "cells").iterdir() if path.is_dir()):
            for name in ("last.keras", "best.keras"):
                end |= {f"{run.name} {name} {key}": value for key, value in weights(run / name).items()}
        return end


ALL: dict[str, type[Work]] = {work.name: work for work in (Training, Packing, Caching, Exporting, Comparing)}


def pictures(folder: Path) -> None:
    """Write a data set of class folders: 48 pictures of noise to train on, 12 to validate, 12 to test."""
    random = np.random.default_rng(0)
    for split, count in (("train", 24), ("val", 6), ("test", 6)):
        for label in ("even", "odd"):
            place = folder / split / label
            place.mkdir(parents=True)
            for number in range(count):
                Image.fromarray(random.integers(0, 256, (32, 32, 3), np.uint8)).save(place / f"{number:02}.png")


def _prepare() -> None:
    """Make the toy backbone known, and have a training report its steps and its checkpoints."""
    toy_backbone.register()
    interval.MOST = float("inf")  # a toy's step takes less time than a disk does
    Position.went = _reporting(Position.went, lambda at, *given: ("step", at.epoch * STEPS + at.step))
    Backup._write = _reporting(Backup._write, lambda at, path, about, *given: ("kept", _steps(about)))


def _reporting(method: Callable, what: Callable[..., tuple[str, int]]) -> Callable:
    def reporting(self: Any, *given: Any) -> Any:
        result = method(self, *given)
        chaos_process.report(*what(self, *given))
        return result

    return reporting


def _steps(about: Mapping[str, Any]) -> int:
    return about["epoch"] * STEPS + about["step"]
