"""One trial: what it draws, its training followed and perhaps pruned, and what came of it stored."""

import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from visionmtl import recipe as recipes
from visionmtl.comparison.tuning import study, telling
from visionmtl.comparison.tuning.asking import Asked
from visionmtl.comparison.tuning.space import Space
from visionmtl.comparison.tuning.trainer import FailedError, Row, Trainer
from visionmtl.errors import UsageError
from visionmtl.recipe import Recipe

if TYPE_CHECKING:
    import optuna

KILLED = "killed"  # how often it was, since its last epoch
KILLS = 3  # after which a trial is taken for what kills the study


def run(
    folder: Path, asked: Asked, space: Space, trainer: Trainer, opened: "optuna.Study", trial: "optuna.Trial"
) -> None:
    """Train a trial to its end, or go on with one that was killed, and store and print what came of it.

    Args:
        folder: of the study; the trial's run folder is `trials/<number>` in it.
        asked: what the study was asked.
        space: what is drawn.
        trainer: what trains it.
        opened: the study.
        trial: new, or one that was killed, which keeps what it has drawn.
    """
    optuna, began, rows = study.optuna_(), time.monotonic(), list[Row]()
    drawn = space.draw(trial)
    changes = space.overrides(drawn)
    trial.set_user_attr("settings", drawn)
    trial.set_user_attr("changes", changes)
    print(f"Trial {trial.number}: {telling.settings(drawn)}", flush=True)
    values = None
    try:
        _begin(opened, trial)
        recipe = _recipe(folder, changes)
        look = _Look(asked, opened, trial, recipe.training.epochs, rows)
        trainer.train(folder / "trials" / str(trial.number), folder / "recipe.yaml", changes, look)
        values, state = _values(rows, recipe.training.monitor, asked.logs), optuna.trial.TrialState.COMPLETE
    except optuna.TrialPruned:
        state = optuna.trial.TrialState.PRUNED
    except FailedError as error:
        trial.set_user_attr("why", str(error))
        state = optuna.trial.TrialState.FAIL
    except (KeyboardInterrupt, UsageError):  # it is to be gone on with, and was not killed
        trial.set_user_attr(KILLED, 0)
        raise
    trial.set_user_attr("epochs", len(rows))
    trial.set_user_attr("seconds", rows[-1].get("seconds", math.nan) if rows else time.monotonic() - began)
    print(telling.outcome(opened.tell(trial, values, state)), flush=True)


def _begin(opened: "optuna.Study", trial: "optuna.Trial") -> None:
    """Count a kill until it is known that there was none; a trial that takes its study with it thrice fails."""
    killed = opened.trials[trial.number].user_attrs.get(KILLED, 0)
    if killed >= KILLS:
        raise FailedError(f"It was killed with its study {killed} times within one epoch, as for want of memory.")
    trial.set_user_attr(KILLED, killed + 1)


class _Look:
    """Sees each epoch of a trial: reports it to the study, and ends the trial where it falls behind.

    An epoch that was reported before a kill is only asked about, as the kill may have come before the answer.
    """

    def __init__(self, asked: Asked, opened: "optuna.Study", trial: "optuna.Trial", epochs: int, rows: list[Row]):
        self.log = asked.logs[0] if len(asked.logs) == 1 else None
        self.seen = opened.trials[trial.number].user_attrs.get("epochs", 0)
        self.before = set(opened.trials[trial.number].intermediate_values)
        self.trial, self.epochs, self.rows = trial, epochs, rows

    def __call__(self, row: Row) -> None:
        self.rows.append(row)
        if len(self.rows) > self.seen:
            self.trial.set_user_attr(KILLED, 0)
            self.trial.set_user_attr("epochs", len(self.rows))
        epoch, value = int(row["epoch"]), math.nan if self.log is None else row.get(self.log, math.nan)
        if math.isnan(value):
            return
        if epoch not in self.before:
            self.trial.report(value, epoch)
        # Of the last epoch nothing is saved any more.
        if epoch >= max(self.before, default=0) and epoch < self.epochs and self.trial.should_prune():
            raise study.optuna_().TrialPruned


def _recipe(folder: Path, changes: Sequence[str]) -> Recipe:
    """Return the recipe of a trial, which has failed where it is none."""
    try:
        return recipes.load(folder / "recipe.yaml", changes)
    except UsageError as error:
        raise FailedError(str(error)) from None


def _values(rows: Sequence[Row], monitor: str, logs: Sequence[str]) -> list[float]:
    """Return the values of the epoch whose model is kept as the best."""
    validated = [row for row in rows if not math.isnan(row.get(monitor, math.nan))]
    if not validated:
        raise FailedError(f"No epoch had a number for {monitor}.")
    best = max(validated, key=lambda row: row[monitor])
    values = [best.get(name, math.nan) for name in logs]
    for name, value in zip(logs, values, strict=True):
        if not math.isfinite(value):
            raise FailedError(f"The best epoch had no number for {name}.")
    return values
