"""What all arms have the same of: optimizer steps, seconds of training, or parameters."""

import itertools
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras

import pipelines
from visionmtl.comparison.compare.arms import Arm, Part
from visionmtl.comparison.compare.cells import Cell, Cells, hash_of
from visionmtl.comparison.compare.planning import Known, Outlook
from visionmtl.comparison.compare.surveying import Survey
from visionmtl.errors import UsageError
from visionmtl.files import write_text
from visionmtl.recipe import Recipe, changed
from visionmtl.training import building, runs

MEASURED = 20  # steps of each of the two epochs from which the time of a step is known
BUILT = 8  # models, at most, that are built between two widths to find the one that is wanted
NEAR = 0.02  # of the parameters, within which arms have the same
WIDTHS = "widths.json"
CHANNELS = "model.neck.channels"


def of_steps(recipe: Recipe, steps: int | None, survey: Survey) -> Recipe:
    """Return a recipe that trains so many steps, as near as epochs of one length come; None for its own."""
    if steps is None:
        return recipe
    epochs = math.ceil(steps / survey.steps)
    return changed(recipe, {"training.epochs": epochs, "training.steps": max(1, round(steps / epochs))})


@dataclass(frozen=True)
class Pace:
    """How long a training takes, in seconds.

    Attributes:
        start: until its first step is traced and made, beyond a step.
        step: of a step.
        epoch: at the end of an epoch, for validation and what is saved.
    """

    start: float
    step: float
    epoch: float


def calibration(part: Part, survey: Survey) -> Cell:
    """Return the short training by which it is known how long a part takes."""
    steps = min(MEASURED, survey.steps)
    changes = {"training.epochs": 2, "training.steps": steps, "training.validate_every": 1}
    return Cell(f"calibration of {part.name}", changed(part.recipe, changes))


def pace(run: Path, steps: int) -> Pace:
    """Return how long a training takes, from a run of two epochs of so many steps."""
    first, second = (row["seconds"] for row in runs.read_history(run)[:2])
    step = runs.read_metrics(run).get("step_seconds") or (second - first) / steps
    epoch = max(0.0, second - first - steps * step)
    return Pace(max(0.0, first - steps * step - epoch), step, epoch)


def in_seconds(arm: Arm, seconds: float, survey: Survey, cells: Cells, known: Known) -> list[Part] | list[Outlook]:
    """Return the parts of an arm, their epochs and steps such that all of it takes so long; or how to know them.

    The models of the baseline take so long together, and make as many steps each. An arm that has no time for a step
    fails.
    """
    trials = [calibration(part, survey) for part in arm.parts]
    if any(cell.hash in known.failed for cell in trials):
        return [Outlook([], 0, failed=known.failed.get(cell.hash, "its baseline is not whole.")) for cell in trials]
    unmade = [cell if known.figures(cell) is None else None for cell in trials]
    if any(unmade):
        return [Outlook([cell] if cell else [], 2 if cell else 1) for cell in unmade]
    steps = min(MEASURED, survey.steps)
    paces = [pace(cells.run(cell), steps) for cell in trials]
    together = Pace(*(sum(getattr(each, name) for each in paces) for name in ("start", "step", "epoch")))
    every = arm.parts[0].recipe.training.validate_every
    epochs, steps = length(together, seconds, survey.steps, every)
    if not steps:
        why = f"{seconds:g} seconds leave no step: {together.start:.0f} s pass before the first one; give more."
        return [Outlook([], 0, failed=why) for _ in trials]
    changes = {"training.epochs": epochs, "training.steps": steps}
    return [replace(part, recipe=changed(part.recipe, changes)) for part in arm.parts]


def length(pace: Pace, seconds: float, most: int, every: int = 1) -> tuple[int, int]:
    """Return epochs, and steps of each of at most so many, that take about some seconds; no steps where none fits.

    Example:
        >>> length(Pace(start=10, step=0.5, epoch=5), 100, most=50)
        (3, 50)
    """

    def steps(epochs: int) -> int:
        return math.floor(((seconds - pace.start) / epochs - pace.epoch / every) / pace.step)

    least = next(epochs for epochs in itertools.count(1) if steps(epochs) <= most)
    best = max(range(least, 2 * least + 1), key=lambda epochs: epochs * steps(epochs))
    return best, max(0, steps(best))


class Widths:
    """Arms made as large as the largest by the width of their necks.

    Args:
        arms: the arms.
        survey: of the data.
        folder: the comparison's, where the widths are kept once they are known.
        tell: is told which arm is looked at.
    """

    def __init__(self, arms: Sequence[Arm], survey: Survey, folder: Path, tell: Callable[[str], Any] = print):
        self.survey, self.path, self.tell = survey, folder / WIDTHS, tell
        self.known: dict[str, Any] = json.loads(self.path.read_text()) if self.path.is_file() else {}
        for arm in arms:
            options = [option for part in arm.parts for group in part.groups for option in group]
            if any(CHANNELS in changes for changes in (arm.changes, *options)):
                raise UsageError(f"'{CHANNELS}' is set by --budget parameters: it cannot differ between arms.")
        self.target = max(self._count(arm, None) for arm in arms)
        self.arms = [self._widened(arm) for arm in arms]

    def _widened(self, arm: Arm) -> Arm:
        """Return an arm as large as the largest."""
        if self._count(arm, None) >= (1 - NEAR) * self.target:
            return arm
        channels = self._search(arm)
        parts = [replace(part, recipe=changed(part.recipe, {CHANNELS: channels})) for part in arm.parts]
        return replace(arm, parts=parts)

    def _search(self, arm: Arm) -> int:
        """Return the width at which an arm is nearest to the largest, by false position between two widths."""
        low, high = 1, arm.parts[0].recipe.model.neck.get("channels", 96)
        while self._count(arm, high) < self.target:
            low, high = high, 2 * high
        for _ in range(BUILT):
            below, above = self._count(arm, low), self._count(arm, high)
            if high - low <= 1:
                break
            share = (math.sqrt(self.target) - math.sqrt(below)) / (math.sqrt(above) - math.sqrt(below))
            middle = min(max(round(low + share * (high - low)), low + 1), high - 1)  # nearly a square of the width
            if self._count(arm, middle) < self.target:
                low = middle
            else:
                high = middle
        nearest = min((low, high), key=lambda width: abs(self._count(arm, width) - self.target))
        if abs(self._count(arm, nearest) / self.target - 1) > NEAR:
            raise UsageError(
                f"'{arm.name}' has {self._count(arm, low):,} parameters with {CHANNELS}={low} and"
                f" {self._count(arm, high):,} with {high}, none within {NEAR:.0%} of the largest's {self.target:,}:"
                " compare by steps or seconds."
            )
        return nearest

    def _count(self, arm: Arm, channels: int | None) -> int:
        """Return the parameters of an arm's models together, at a width of the neck, or its own; it is kept."""
        total = 0
        for part in arm.parts:
            recipe = part.recipe if channels is None else changed(part.recipe, {CHANNELS: channels})
            key = hash_of(recipe)
            if key not in self.known:
                self.tell(f"Counting the parameters of {part.name}" + (f", {CHANNELS}={channels}" * bool(channels)))
                self.known[key] = parameters(recipe, self.survey, part.task)
                write_text(self.path, json.dumps(self.known) + "\n")
            total += self.known[key]
        return total


def parameters(recipe: Recipe, survey: Survey, task: str | None = None) -> int:
    """Return how many parameters the model of a recipe has, of one task or of all."""
    specs = [
        pipelines.LabelSpec(name, of["kind"], tuple(f"class {number}" for number in range(of["classes"])))
        for name, of in survey.tasks.items()
        if task in (None, name)
    ]
    made = building.model(recipe, specs, 1, weights=False)
    count: int = made.count_params()
    keras.backend.clear_session()
    return count
