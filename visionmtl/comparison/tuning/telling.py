"""What is told of a study: a line a trial, the table of all, and what lies in its folder."""

import functools
import shlex
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from visionmtl import csvfile
from visionmtl.comparison.tuning import charts, page, study
from visionmtl.comparison.tuning.asking import ENOUGH, Asked
from visionmtl.comparison.tuning.dimensions import short, text_of
from visionmtl.recipe import Recipe
from visionmtl.report import tables

if TYPE_CHECKING:
    import optuna

TOP = 5  # of them at least, whose draws are held against those of all
MOST = 20  # trials in the table of the terminal
ENDS = {"COMPLETE": "done", "PRUNED": "pruned", "FAIL": "failed"}


def settings(drawn: Mapping[str, Any]) -> str:
    """Return what a trial has drawn, in a line."""
    return " ".join(f"{key}={short(value)}" for key, value in drawn.items())


def outcome(trial: "optuna.trial.FrozenTrial") -> str:
    """Return what came of a trial, in a line."""
    about = trial.user_attrs
    took = tables.duration(about["seconds"])
    if "why" in about:
        return f"Trial {trial.number} failed after {took}: {about['why']}"
    if trial.state.name == "PRUNED":
        return f"Trial {trial.number} was pruned at epoch {about['epochs']}, after {took}."
    return f"Trial {trial.number}: {', '.join(f'{value:.4g}' for value in trial.values)} in {took}."


def rows(
    asked: Asked, opened: "optuna.Study", text: Callable[[Any], str] = text_of
) -> tuple[list[str], list[list[Any]]]:
    """Return header and rows of the table of trials, the best first; of several objectives the Pareto set first.

    Args:
        asked: what the study was asked.
        opened: the study.
        text: writes a value that was drawn.
    """
    best = {trial.number for trial in study.best(opened)}
    ended = sorted(study.finished(opened), key=lambda trial: (_rank(trial, best, asked), trial.number))
    drawn = [trial.user_attrs.get("settings", {}) for trial in ended]
    keys = list(dict.fromkeys(key for each in drawn for key in each))
    several = len(asked.objectives) > 1
    names = dict(zip(keys, _names(keys), strict=True))
    header = ["trial", "end", *asked.logs, "epochs", *names.values()]
    table = []
    for trial, has in zip(ended, drawn, strict=True):
        end = "Pareto" if several and trial.number in best else ENDS[trial.state.name]
        values = trial.values or [None] * len(asked.logs)
        cells = [text(has[key]) if key in has else None for key in keys]
        table.append([trial.number, end, *values, trial.user_attrs.get("epochs", 0), *cells])
    return header, table


def tell(folder: Path, asked: Asked, opened: "optuna.Study") -> None:
    """Print the table of trials, what matters, and what to do next."""
    header, table = rows(asked, opened, short)
    print(f"\n{tables.printed(header, table[:MOST])}")
    if len(table) > MOST:
        print(f"and {len(table) - MOST} more, in {folder / 'trials.csv'}")
    if failed := sum(row[1] == ENDS["FAIL"] for row in table):
        print(f"\n{failed} of {len(table)} trials failed; why is in {folder / 'trials.csv'}.")
    several = len(asked.objectives) > 1
    for log, shares in importance(opened, asked).items():
        print(f"\nHow much of the differences{f' in {log}' if several else ''} is a key's (PED-ANOVA): ", end="")
        print(", ".join(f"{key} {share:.0%}" for key, share in shares.items()))
    pick = " --trial n" if several else ""
    where = shlex.quote(str(folder))
    print(f"\nThe {'Pareto' if several else 'best'} trial's recipe: visionmtl tune {where}{pick} --export best.yaml")
    print(f"More trials: visionmtl tune {where} --trials {2 * max(asked.trials, len(table))}")
    print(f"In the browser, with optuna-dashboard installed: {study.viewer(folder)}")
    print(f"Report {folder / 'report.html'}, table {folder / 'trials.csv'}")


def write(folder: Path, asked: Asked, recipe: Recipe, opened: "optuna.Study") -> None:
    """Write the table and the page, which has the charts, of a study into its folder."""
    header, table = rows(asked, opened)
    why = {trial.number: trial.user_attrs["why"] for trial in study.finished(opened) if "why" in trial.user_attrs}
    cells = [["" if cell is None else cell for cell in [*row, why.get(row[0], "")]] for row in table]
    csvfile.write(folder / "trials.csv", [dict(zip([*header, "why"], row, strict=True)) for row in cells], header)
    shares = importance(opened, asked)
    drawn = charts.drawn(asked, study.finished(opened), shares)
    page.write(folder, asked, recipe, *rows(asked, opened, short), shares, drawn, why)


def importance(opened: "optuna.Study", asked: Asked) -> dict[str, dict[str, float]]:
    """Return by objective's log and key which share of the differences is the key's own, most first.

    There is nothing of a log of which too few trials tell. The tenth of the trials that is best is held against all, as
    Optuna has it, but at least five: of twenty trials, the best two said that a key without any effect mattered more
    than the one that all depends on in 2 of 25 studies drawn at random, the best five in 0 or 1.
    """
    optuna = study.optuna_()
    done = opened.get_trials(deepcopy=False, states=(optuna.trial.TrialState.COMPLETE,))
    found: dict[str, dict[str, float]] = {}
    for place, (log, direction) in enumerate(zip(asked.logs, asked.directions, strict=True)):
        if len(done) < ENOUGH or len({trial.values[place] for trial in done}) < 2:
            continue
        sign = 1.0 if direction == "minimize" else -1.0
        evaluator = optuna.importance.PedAnovaImportanceEvaluator(target_quantile=max(0.1, TOP / len(done)))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that less of the target is taken for better, which its sign is for
            shares = optuna.importance.get_param_importances(
                opened, evaluator=evaluator, target=functools.partial(_value, place, sign)
            )
        found[log] = dict(sorted(shares.items(), key=lambda item: -item[1]))
    return found


def _value(place: int, sign: float, trial: "optuna.trial.FrozenTrial") -> float:
    return sign * trial.values[place]


def _rank(trial: "optuna.trial.FrozenTrial", best: set[int], asked: Asked) -> tuple[int, float]:
    """Return where a trial stands in the table."""
    if trial.state.name == "FAIL" or not trial.values:
        return (3 if trial.state.name == "FAIL" else 2), 0.0
    if len(asked.objectives) > 1:
        return (0 if trial.number in best else 1), 0.0
    value = trial.values[0] if asked.directions[0] == "minimize" else -trial.values[0]
    return (0 if trial.state.name == "COMPLETE" else 1), value


def _names(keys: Sequence[str]) -> list[str]:
    """Return the last words of keys, or all of them where two end alike."""
    last = [key.rpartition(".")[2] for key in keys]
    return [word if last.count(word) == 1 else key for word, key in zip(last, keys, strict=True)]
