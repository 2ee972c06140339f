"""`compare`: a comparison begun, gone on with or extended, to its figures and its table."""

import shlex
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from visionmtl import recipe as recipes
from visionmtl import stopping
from visionmtl.comparison import verdicts
from visionmtl.comparison.compare import asking, figures
from visionmtl.comparison.compare.arms import Arm, arms, varied
from visionmtl.comparison.compare.asking import Asked, Request
from visionmtl.comparison.compare.cells import Cell, Cells, hash_of
from visionmtl.comparison.compare.planning import Known, Outlook, outlook
from visionmtl.comparison.compare.running import Done, Runner
from visionmtl.comparison.compare.surveying import Survey, keep_off_gpus, look, survey
from visionmtl.errors import UsageError
from visionmtl.files import write_text
from visionmtl.recipe import Recipe
from visionmtl.report import tables
from visionmtl.training import processes, runs

RECIPE = "recipe.yaml"


def compare(request: Request, command: str) -> Path:
    """Train what a comparison lacks, write its figures and tables, and return its folder.

    Args:
        request: what was asked for.
        command: how, to be kept with the figures.

    Raises:
        UsageError: a mistake in what was asked, told before anything is trained; or cells failed.
        stopping.Stopped: a signal stopped it; what is trained is kept.
    """
    keep_off_gpus()
    folder, recipe, asked, found = _opened(request, command)
    comparison = Comparison(folder, recipe, asked, found)
    with stopping.signals(stopping.Stop()) as stop:
        try:
            comparison.train(Runner(comparison.cells, stop))
        except KeyboardInterrupt as stopped:
            sentence = f"Go on with: visionmtl compare {shlex.quote(str(folder))}"
            raise stopping.saying(stopped, sentence, resumable=True) from None
    comparison.tell()
    if comparison.failed:
        raise UsageError(
            f"{len(comparison.failed)} of the trainings failed, as {folder / 'cells'} says; once that is mended, go on"
            f" with: visionmtl compare {shlex.quote(str(folder))}"
        )
    return folder


def _opened(request: Request, command: str) -> tuple[Path, Recipe, Asked, Survey]:
    """Return the folder of a comparison, made where there is none yet, its recipe, what it is of, and its data.

    All that can be told of a mistake is told before the folder is made or changed.
    """
    given, run = Path(request.recipe), None if request.run is None else Path(request.run)
    going_on = (given / asking.FILE).is_file()
    if going_on and (request.overrides or run):
        raise UsageError(f"'{given}' has a recipe of its own: to change it, compare into another folder by --run.")
    there = given if going_on else run if run and (run / asking.FILE).is_file() else None
    recipe = recipes.load(given / RECIPE if going_on else request.recipe, request.overrides)
    if there is None:
        if run is not None:
            runs.refuse_taken(run)
        asked = asking.asked(request, command)
        varied(recipe, asked)
        arms(recipe, asked, look(recipe))
        folder = run or runs.numbered(f"compare-{recipe.name}")
        write_text(folder / RECIPE, recipe.dump())
    else:
        folder, kept = there, recipes.load(there / RECIPE)
        if hash_of(kept) != hash_of(recipe):
            raise UsageError(f"'{there}' compares another recipe: make another folder by --run, or give none.")
        recipe = kept
        asked = asking.asked(request, command, asking.read(there))
        varied(recipe, asked)
    with processes.one_at_a_time(folder):
        asked.write(folder)
    return folder, recipe, asked, survey(recipe, folder)


class Comparison:
    """A comparison at work.

    Args:
        folder: where it lies.
        recipe: of all arms.
        asked: what it is of.
        found: what its data holds.

    Attributes:
        failed: why a cell failed, by its hash.
    """

    def __init__(self, folder: Path, recipe: Recipe, asked: Asked, found: Survey):
        self.folder, self.recipe, self.asked, self.survey = folder, recipe, asked, found
        self.arms: list[Arm] = arms(recipe, asked, found)
        self.cells, self.failed = Cells(folder), dict[str, str]()
        self.seeds = [recipe.training.seed + number for number in range(asked.seeds)]
        self.known = Known(self.cells.figures, self.failed, found.lower)

    def train(self, runner: Runner) -> None:
        """Train all cells that are not finished."""
        finished, left = self._counts()
        print(f"{left} trainings to make, {finished} are there, into {self.folder}", flush=True)
        self._write()
        runner.train(self._ready, self._done)
        self._write()

    def tell(self) -> None:
        """Write the tables, and print that of the terminal."""
        print(f"\n{verdicts.write(self.folder)}\n\nTables and page: {self.folder}", flush=True)

    def _outlooks(self) -> list[tuple[Arm, list[Outlook]]]:
        return [(arm, [outlook(part, self.seeds, self.known) for part in arm.parts]) for arm in self.arms]

    def _ready(self) -> list[Cell]:
        """Return what can be trained now: those of the first seed first, so that soon there is a table of all arms."""
        ready = [cell for _, parts in self._outlooks() for part in parts for cell in part.ready]
        return sorted(ready, key=lambda cell: cell.seed)

    def _counts(self) -> tuple[int, int]:
        """Return how many trainings are finished, and how many are left, about."""
        left = sum(part.left for _, parts in self._outlooks() for part in parts)
        return sum(self.cells.figures(cell) is not None for cell in self._known_cells()), left

    def _known_cells(self) -> Iterator[Cell]:
        """Yield the cells that are planned so far, each once."""
        cells: dict[str, Cell] = {}
        for arm, parts in self._outlooks():
            for part, of in zip(arm.parts, parts, strict=True):
                made = [part.cell(option, self.seeds[0]) for group in part.groups for option in group]
                cells |= {cell.hash: cell for cell in [*made, *of.cells.values()]}
        yield from cells.values()

    def _done(self, done: Done) -> None:
        """Tell of a cell that ended, in a line, and write the figures."""
        cell = done.cell
        if done.why is not None:
            self.failed[cell.hash] = done.why
        finished, left = self._counts()
        found = self.cells.figures(cell)
        metrics = "" if found is None else _shown(found["validation"])
        told = [f"{finished + len(self.failed)} of {finished + len(self.failed) + left}", cell.name, cell.candidate]
        told += [f"seed {cell.seed}", metrics if done.why is None else f"failed: {done.why}"]
        told += [tables.duration(done.seconds), self._left(left)]
        print("  ".join(filter(None, told)), flush=True)
        self._write()

    def _left(self, left: int) -> str:
        """Return how long what is left will take, by the mean of what is finished."""
        walls = [wall for cell in self._known_cells() if (wall := self.cells.notes(cell).get("wall"))]
        if not left or not walls:
            return ""
        return f"about {tables.duration(left * statistics.mean(walls))} left"

    def _write(self) -> dict[str, Any]:
        return figures.write(
            self.folder, self.recipe, self.asked, self.survey, self._outlooks(), self.known, "validation"
        )


def _shown(metrics: dict[str, dict[str, float | None]]) -> str:
    """Return the first metric of each task."""
    first = [next(iter(values.items()), ("", None)) for values in metrics.values()]
    return ", ".join(f"{name} {value:.3f}" for name, value in first if value is not None)
