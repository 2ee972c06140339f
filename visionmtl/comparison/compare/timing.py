"""How long a training takes, known by a short one, and the epochs and steps that take the seconds of a budget."""

import itertools
import math
from dataclasses import dataclass, replace
from pathlib import Path

from visionmtl.comparison.compare.arms import Arm, Part
from visionmtl.comparison.compare.cells import Cell, Cells
from visionmtl.comparison.compare.planning import Known, Outlook, trainings
from visionmtl.comparison.compare.surveying import Survey
from visionmtl.recipe import changed
from visionmtl.training import runs

MEASURED = 20  # steps of each epoch of the short training
EPOCHS = 3  # of it: the first begins, and in one of the others nothing comes that does not come again
BEST = 0.5  # of the validations after the first find a better model, which is saved


@dataclass(frozen=True)
class Pace:
    """How long a training takes, in seconds.

    Attributes:
        start: what comes once: until step, validation and a look at gradients are traced.
        step: of a step.
        epoch: at the end of an epoch, for validation and the last model.
        save: to write a model: at the end of every epoch, and once more where it is the best so far.
    """

    start: float
    step: float
    epoch: float
    save: float = 0.0


def calibration(part: Part, survey: Survey) -> Cell:
    """Return the short training by which it is known how long a part takes."""
    changes = {
        "training.epochs": EPOCHS,
        "training.steps": min(MEASURED, survey.steps),
        "training.validate_every": 1,
        "training.early_stopping": None,
    }
    return Cell(f"calibration of {part.name}", changed(part.recipe, changes))


def pace(run: Path, steps: int, monitor: str) -> Pace:
    """Return how long a training takes, from a run of a few epochs of so many steps, each validated.

    Of a few epochs nearly all have a better model than before, which is saved, of many few: what that took is told
    apart. What one epoch takes beyond another comes once in a training, as the first look at its gradients does.
    """
    rows, figures = runs.read_history(run)[:EPOCHS], runs.read_metrics(run)
    ends, scores = ([row.get(name, -math.inf) for row in rows] for name in ("seconds", monitor))
    save = figures.get("save_seconds") or 0.0
    later = [
        ends[number] - ends[number - 1] - save * (scores[number] > max(scores[:number]))
        for number in range(1, len(rows))
    ]
    plain = max(0.0, min(later))
    step = min(figures.get("step_seconds") or math.inf, plain / steps)
    once = ends[0] - save - plain + sum(each - plain for each in later)
    return Pace(max(0.0, once), step, plain - steps * step, save)


def in_seconds(
    arm: Arm, seconds: float, survey: Survey, cells: Cells, known: Known, seeds: int
) -> list[Part] | list[Outlook]:
    """Return the parts of an arm, their epochs and steps such that all of it takes so long; or how to know them.

    The models of the baseline take so long together, and make as many steps each. An arm that has no time for a step
    fails.
    """
    trials = [calibration(part, survey) for part in arm.parts]
    if failed := [cell for cell in trials if cell.hash in known.failed]:
        why = f"the {failed[0].name} failed: {known.failed[failed[0].hash]}"
        return [Outlook([], 0, failed=why) for _ in trials]
    unmade = [cell if known.figures(cell) is None else None for cell in trials]
    if any(unmade):
        left = [trainings(part, seeds) for part in arm.parts]
        return [Outlook([cell] if cell else [], bool(cell) + n) for cell, n in zip(unmade, left, strict=True)]
    steps = min(MEASURED, survey.steps)
    paces = [pace(cells.run(cell), steps, cell.recipe.training.monitor) for cell in trials]
    together = Pace(*(sum(getattr(each, name) for each in paces) for name in ("start", "step", "epoch", "save")))
    every = arm.parts[0].recipe.training.validate_every
    epochs, steps = length(together, seconds, survey.steps, every)
    if not steps:
        why = f"{seconds:g} seconds leave no step: {together.start:.0f} s pass before the first one; give more."
        return [Outlook([], 0, failed=why) for _ in trials]
    changes = {"training.epochs": epochs, "training.steps": steps}
    changes |= {"training.validate_every": epochs} if every > epochs else {}
    return [replace(part, recipe=changed(part.recipe, changes)) for part in arm.parts]


def length(pace: Pace, seconds: float, most: int, every: int = 1) -> tuple[int, int]:
    """Return epochs, and steps of each of at most so many, that take about some seconds; no steps where none fits.

    Args:
        pace: of the training.
        seconds: that it may take.
        most: steps of an epoch at most.
        every: epochs between validations.

    Example:
        >>> length(Pace(start=10, step=0.5, epoch=5), 100, most=50)
        (3, 50)
    """
    last = min(pace.save, pace.epoch)
    end = last + (pace.epoch - last + BEST * pace.save) / every
    free = seconds - pace.start - (1 - BEST) * pace.save

    def steps(epochs: int) -> int:
        return math.floor((free / epochs - end) / max(pace.step, 1e-6))

    least = next(epochs for epochs in itertools.count(1) if steps(epochs) <= most)
    best = max(range(least, 2 * least + 1), key=lambda epochs: epochs * steps(epochs))
    return best, max(0, steps(best))
