"""A comparison as rows of a CSV file: everything, a row an arm."""

import math
from typing import Any

from visionmtl.comparison.verdicts.columns import chosen, mean_and_error
from visionmtl.comparison.verdicts.intervals import seeds_to_show
from visionmtl.comparison.verdicts.judging import Finding, Judged, Judgement
from visionmtl.comparison.verdicts.sentences import WORDS

COSTS = ("steps", "seconds", "step", "memory", "parameters")


def rows(judgement: Judgement) -> list[dict[str, Any]]:
    """Return a row an arm, whose cells are numbers as they are, and empty where nothing is known.

    Columns of a metric are `<task> <metric>` and its standard error, of a gain `<task> gain`, of delta-m `delta-m`, of
    the difference from tuned fixed weights `over tuned`: each with its standard error, the interval that holds its
    95%, the plain percentile bootstrap, p and p adjusted by Holm, verdict, and how many seeds would show it.
    """
    return [_row(judgement, judged) for judged in judgement.arms]


def _row(judgement: Judgement, judged: Judged) -> dict[str, Any]:
    comparison, arm = judgement.comparison, judged.arm
    row: dict[str, Any] = {"number": judged.number, "arm": arm.name, "split": comparison.split}
    row |= {"seeds done": len(arm.seeds), "seeds asked": len(comparison.seeds)}
    for task in comparison.tasks:
        for name in comparison.metrics(task):
            mean, error = mean_and_error(arm, task, name)
            row |= {f"{task} {name}": _cell(mean), f"{task} {name} standard error": _cell(error)}
    for task in judgement.enters.metrics:
        row |= _finding(f"{task} gain", judged.gains.get(task))
    row |= _finding("delta-m", judged.delta_m)
    row |= {"rival": judged.rival or ""} | _finding("over tuned", judged.over_rival)
    row |= {name: _cell(arm.cost(name)) for name in COSTS}
    first = judgement.comparison.reference
    row["step ratio"] = _cell(arm.cost("step") / first.cost("step")) if first else ""
    return row | {"chosen": chosen(arm)}


def _finding(name: str, finding: Finding | None) -> dict[str, Any]:
    if finding is None:
        keys = ("", " error", " low", " high", " percentile low", " percentile high", " p", " p Holm", " seeds")
        return {f"{name}{key}": "" for key in (*keys, " verdict", " seeds to show")}
    found = finding.found
    needed = "" if finding.verdict == "unknown" else seeds_to_show(found) or "> 1000"
    return {
        name: found.mean,
        f"{name} error": _cell(found.error),
        f"{name} low": _cell(found.low),
        f"{name} high": _cell(found.high),
        f"{name} percentile low": _cell(found.percentile_low),
        f"{name} percentile high": _cell(found.percentile_high),
        f"{name} p": _cell(found.p),
        f"{name} p Holm": _cell(finding.holm),
        f"{name} seeds": found.seeds,
        f"{name} verdict": WORDS[finding.verdict],
        f"{name} seeds to show": needed,
    }


def _cell(value: float) -> Any:
    return "" if math.isnan(value) else value
