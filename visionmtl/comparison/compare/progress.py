"""How far a comparison is: what of it is due, done and failed, told in a line each."""

import statistics
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pipelines.splits import split_called
from visionmtl import report
from visionmtl.comparison.compare import figures, timing
from visionmtl.comparison.compare.arms import Arm, Part, arms
from visionmtl.comparison.compare.asking import Asked
from visionmtl.comparison.compare.cells import Cell, Cells
from visionmtl.comparison.compare.planning import Known, Outlook, outlook
from visionmtl.comparison.compare.running import Done, Runner, training
from visionmtl.comparison.compare.surveying import Survey, of_steps
from visionmtl.comparison.compare.widths import Widths
from visionmtl.errors import UsageError
from visionmtl.recipe import Recipe
from visionmtl.report import tables


class Comparison:
    """A comparison at work.

    Args:
        folder: where it lies.
        recipe: of all arms.
        asked: what it is of.
        survey: what its data holds.
        shard: the number of the first arm that is trained here, and which every so many follow.

    Attributes:
        failed: why a cell failed, by its hash.
        unfit: why an arm cannot have what all have the same of, by its name.
        split: which split's figures are told.
    """

    def __init__(self, folder: Path, recipe: Recipe, asked: Asked, survey: Survey, shard: tuple[int, int] = (0, 1)):
        self.folder, self.asked, self.survey, self.shard = folder, asked, survey, shard
        self.of, self.amount = asked.budget["of"], asked.budget["amount"]
        self.recipe = of_steps(recipe, self.amount, survey) if self.of == "steps" else recipe
        self.arms: list[Arm] = arms(self.recipe, asked, survey)
        self.unfit: dict[str, str] = {}
        if self.of == "parameters":
            widths = Widths(self.arms, survey, folder)
            self.arms, self.amount, self.unfit = widths.arms, widths.target, widths.failed
        elif self.of == "steps":
            training = self.recipe.training
            self.amount = training.epochs * (training.steps or survey.steps) // training.accumulate
        self.cells, self.failed, self.split = Cells(folder), dict[str, str](), "validation"
        self.seeds = [recipe.training.seed + number for number in range(asked.seeds)]
        before = lambda cell: self.cells.notes(cell).get("failed")  # noqa: E731
        self.known = Known(self.cells.figures, self.failed, survey.lower, before)

    @property
    def failing(self) -> list[str]:
        """The arms trained here of which something failed now."""
        return [
            arm.name
            for arm, parts in self._own()
            if any(of.failed or self.failed.keys() & {cell.hash for cell in self._tried(of)} for of in parts)
        ]

    def _tried(self, of: Outlook) -> list[Cell]:
        return [*of.tried, *of.ready, *of.cells.values()]

    def train(self, runner: Runner) -> None:
        """Train all cells that are not finished."""
        self.at_once, self.runner = len(runner.free), runner
        finished, left = self._counts()
        for sentence in (sentence for arm in self.arms for sentence in arm.left_out):
            print(sentence)
        print(f"{left} training{'s' * (left != 1)} to make, {finished} are there, into {self.folder}", flush=True)
        self.write()
        runner.run(
            self._ready,
            self._trained,
            lambda cell: training(self.cells, cell),
            lambda cell: self.cells.figures(cell) is not None,
        )

    def evaluate(self, runner: Runner) -> None:
        """Measure the chosen models on the split asked for, those that were not."""
        if self.asked.evaluate is None:
            return
        split = split_called(self.asked.evaluate, UsageError)

        def is_measured(cell: Cell) -> bool:
            return split in (self.cells.figures(cell) or {})

        def ready() -> list[Cell]:
            chosen = [cell for _, parts in self._own() for of in parts for cell in of.cells.values()]
            trained = [cell for cell in chosen if self.cells.figures(cell) is not None]
            return [cell for cell in trained if not is_measured(cell) and cell.hash not in self.failed]

        if split != "validation":
            if count := len(ready()):
                print(f"Measuring {count} chosen model{'s' * (count > 1)} on {split}.", flush=True)
            words = lambda cell: ["evaluate", str(self.cells.at_home(cell)), "--split", split]  # noqa: E731
            runner.run(ready, self._measured, words, is_measured, costs=False)
            self.split = split

    def write(self) -> dict[str, Any]:
        """Write the figures."""
        budget = {"of": self.of, "amount": self.amount}
        given = (self.recipe, self.asked, self.survey, budget)
        return figures.write(self.folder, *given, self._outlooks(), self.known, self.split)

    def write_pages(self) -> None:
        """Write the pages of models of several tasks anew: what single-task models reached is known only now."""
        chosen = [
            cell for arm, parts in self._outlooks() if not arm.alone for of in parts for cell in of.cells.values()
        ]
        for run in dict.fromkeys(self.cells.run(cell) for cell in chosen if self.cells.figures(cell) is not None):
            report.write(run)

    def _outlooks(self) -> list[tuple[Arm, list[Outlook]]]:
        return [(arm, [self._outlook(part) for part in self._parts(arm)]) for arm in self.arms]

    def _own(self) -> list[tuple[Arm, list[Outlook]]]:
        """Return how far the arms are that are trained here."""
        first, every = self.shard
        return self._outlooks()[first::every]

    def _outlook(self, part: Part | Outlook) -> Outlook:
        return part if isinstance(part, Outlook) else outlook(part, self.seeds, self.known)

    def _parts(self, arm: Arm) -> list[Part] | list[Outlook]:
        """Return the parts of an arm within the budget, or what must be known before."""
        if arm.name in self.unfit:
            return [Outlook([], 0, failed=self.unfit[arm.name]) for _ in arm.parts]
        if self.of == "seconds":
            return timing.in_seconds(arm, self.amount, self.survey, self.cells, self.known, len(self.seeds))
        return list(arm.parts)

    def _ready(self) -> list[Cell]:
        """Return what can be trained now: those of the first seed first, so that soon there is a table of all arms."""
        ready = [cell for _, parts in self._own() for of in parts for cell in of.ready]
        return sorted(ready, key=lambda cell: cell.seed)

    def _counts(self) -> tuple[int, int]:
        """Return how many trainings are finished, and how many are left here, about."""
        left = sum(of.left for _, parts in self._own() for of in parts)
        return sum(self.cells.figures(cell) is not None for cell in self._planned()), left

    def _planned(self) -> Iterator[Cell]:
        """Yield the cells of which is known that they are wanted, each once."""
        cells: dict[str, Cell] = {}
        for arm in self.arms:
            made = [timing.calibration(part, self.survey) for part in arm.parts] if self.of == "seconds" else []
            for of in map(self._outlook, self._parts(arm)):
                made += self._tried(of)
            cells |= {cell.hash: cell for cell in made}
        yield from cells.values()

    def _trained(self, done: Done) -> None:
        """Tell of a cell that ended, in a line, and write the figures."""
        if done.why is not None:
            self.failed[done.cell.hash] = done.why
            self.cells.note(done.cell, {"failed": done.why})
        elif self.cells.figures(done.cell) is None:  # another process was quicker to begin it
            return
        finished, left = self._counts()
        total = finished + len(self.failed) + left
        untold = sum(self.cells.figures(cell) is not None for cell, *_ in self.runner.at_work.values())
        self._tell(f"{total - left - untold} of {total}", done, "validation", self._left(left))

    def _measured(self, done: Done) -> None:
        """Tell of a cell that was measured in the end."""
        if done.why is not None:
            self.failed[done.cell.hash] = done.why
        self._tell(str(self.asked.evaluate), done, str(self.asked.evaluate))

    def _tell(self, number: str, done: Done, split: str, left: str = "") -> None:
        cell, found = done.cell, self.cells.figures(done.cell) or {}
        told = f"failed: {done.why}" if done.why is not None else _shown(found.get(split, {}))
        words = [number, cell.name, cell.candidate, f"seed {cell.seed}", told, tables.duration(done.seconds), left]
        print("  ".join(filter(None, words)), flush=True)
        self.write()

    def _left(self, left: int) -> str:
        """Return how long what is left will take, by the mean of what is finished."""
        walls = [wall for cell in self._planned() if (wall := self.cells.notes(cell).get("wall"))]
        if not left or not walls:
            return ""
        return f"about {tables.duration(left * statistics.mean(walls) / self.at_once)} left"


def _shown(metrics: Mapping[str, Mapping[str, float | None]]) -> str:
    """Return the first metric of each task."""
    first = [next(iter(values.items()), ("", None)) for values in metrics.values()]
    return ", ".join(f"{name} {value:.3f}" for name, value in first if value is not None)
