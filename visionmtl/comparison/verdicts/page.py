"""A comparison as one page of HTML that holds all it shows, and can be sent."""

import math
import re
from collections.abc import Iterable, Sequence

from visionmtl.comparison.verdicts import charts, sentences
from visionmtl.comparison.verdicts.columns import LEFT, Column, columns, falling, metric
from visionmtl.comparison.verdicts.judging import Finding, Judgement
from visionmtl.report import templates
from visionmtl.report.grids import Cell, Grid

SIGNS = {"better": "▲", "worse": "▼", "none": "○", "unknown": "?"}
LEADING = re.compile(r"[+-]?[\d,]*\.?\d+")  # the number that a cell begins with, by which its column is sorted


def text(judgement: Judgement) -> str:
    """Return the page of what was found."""
    comparison = judgement.comparison
    every = columns(judgement, full=True)
    settings = [column for column in every if column.head in ("#", "arm", "chosen")]
    return templates.filled(
        "comparison.html",
        name=f"{comparison.recipe}: did sharing pay?",
        about=list(_facts(judgement)),
        short=sentences.short(judgement),
        arms=_grid([column for column in every if column.head != "chosen"]),
        legend=sentences.legend(judgement),
        verdicts=_verdicts(judgement),
        sentences=[f"{judged.arm.name}: {sentences.of_arm(judged)}." for judged in judgement.arms if judged.gains],
        why_not=judgement.why_not or "No arm has a gain yet.",
        charts=charts.of_page(judgement),
        notes=sentences.notes(judgement),
        split=comparison.split,
        metrics=_grid(_every_metric(judgement)),
        chosen=_grid(settings) if len(settings) > 2 else None,
        commands=comparison.commands,
    )


def _facts(judgement: Judgement) -> Iterable[tuple[str, str]]:
    comparison = judgement.comparison
    asked = set(comparison.seeds)
    yield "metrics of the split", comparison.split
    if comparison.budget:
        amount = f"{comparison.budget.amount:,.0f} " if comparison.budget.amount else ""
        yield "same budget", f"{amount}{comparison.budget.of}"
    yield "seeds", str(len(comparison.seeds))
    yield "arms finished", f"{sum(asked <= set(arm.seeds) for arm in comparison.arms)} of {len(comparison.arms)}"
    for key, values in comparison.searched.items():
        yield f"searched: {key}", ", ".join(map(str, values)) if isinstance(values, list) else str(values)


def _grid(shown: Sequence[Column]) -> Grid:
    """Return columns as a table that is sorted by the number that each cell begins with."""
    rows = zip(*(column.cells for column in shown), strict=True)
    heads = [column.head for column in shown]
    return Grid(heads, [[_plain(head, cell) for head, cell in zip(heads, row, strict=True)] for row in rows])


def _plain(head: str, cell: object) -> Cell:
    words = str(cell)
    if head in LEFT:
        return Cell(words)
    leading = LEADING.match(words)
    return Cell(words, float(leading[0].replace(",", "")) if leading else math.nan)


def _verdicts(judgement: Judgement) -> Grid | None:
    """Return a table of arms by tasks, each cell in words and in a colour; None where no arm has a gain."""
    arms = [judged for judged in judgement.arms if judged.gains]
    if not arms:
        return None
    heads = ["#", "arm", "delta-m", *judgement.enters.metrics]
    rivals = dict.fromkeys(judged.rival for judged in arms if judged.rival)
    if rivals:
        heads.append(f"over '{next(iter(rivals))}'" if len(rivals) == 1 else "over tuned fixed weights")
    rows = []
    for judged in arms:
        cells = [_cell(judged.delta_m, "worse")]
        cells += [_cell(judged.gains.get(task), "worse: negative transfer") for task in judgement.enters.metrics]
        cells += [_cell(judged.over_rival, "worse")] if rivals else []
        name = judged.arm.name + judgement.comparison.unfinished(judged.arm)
        rows.append([Cell(str(judged.number)), Cell(name), *cells])
    return Grid(heads, rows)


def _cell(finding: Finding | None, worse: str) -> Cell:
    """Return a verdict as a cell; `worse` is said where it is that."""
    if finding is None:
        return Cell("")
    words = worse if finding.verdict == "worse" else sentences.verdict(finding)
    gain = sentences.with_interval(finding)
    return Cell(f"{SIGNS[finding.verdict]} {gain}", small=words, kind=finding.verdict)


def _every_metric(judgement: Judgement) -> list[Column]:
    """Return a column for each metric of each task."""
    arms = [judged.arm for judged in judgement.arms]
    comparison = judgement.comparison
    of_all = [
        Column(f"{task} {name}{falling(judgement, name)}", [metric(arm, task, name) for arm in arms], 0)
        for task in comparison.tasks
        for name in comparison.metrics(task)
    ]
    names = Column("arm", [arm.name for arm in arms], 0)
    return [Column("#", [judged.number for judged in judgement.arms], 0), names, *of_all]
