"""A comparison as one page of HTML that holds all it shows, and can be sent."""

import base64
import html
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from visionmtl.comparison.verdicts import sentences
from visionmtl.comparison.verdicts.columns import LEFT, Column, columns, falling, metric
from visionmtl.comparison.verdicts.judging import Finding, Judgement
from visionmtl.report import document

STYLE = """
.scroll { overflow-x: auto; }
.scroll table { font-size: .88rem; white-space: nowrap; }
.scroll th { white-space: normal; vertical-align: bottom; }
.scroll th, .scroll td { padding-right: 1rem; }
td.better, td.worse, td.none, td.unknown { padding: .35rem .7rem; border: 2px solid #fff; line-height: 1.3; }
td.better { background: #cdeadf; }
td.worse { background: #fbd9c6; }
td.none, td.unknown { background: #f1f3f5; color: #495057; }
td small { display: block; white-space: normal; }
figure { margin: 0 0 2rem; }
figure img { max-width: 100%; height: auto; }
@media print { body { max-width: none; } .scroll { overflow: visible; } }
"""
SIGNS = {"better": "▲", "worse": "▼", "none": "○", "unknown": "?"}
TITLES = {
    "gains": "Gains of every arm, with intervals",
    "tradeoffs": "Metric against metric, for each pair of tasks",
    "costs": "What delta-m costs",
}
RECKONING = """
<p><b>Gain</b> of a task: the mean, over its metrics, of the relative change over a model that does the task alone, at
the same seed and with the same budget, signed so that up is better. <b>Delta-m</b>: the mean over tasks (Maninis et al.
2019). Both are reckoned for each seed, then averaged over seeds: what a seed does to both models cancels.</p>
<p><b>Interval</b>: holds the true mean in 95 of 100 such comparisons. It is the hull of Student's t interval and of the
expanded percentile bootstrap over seeds (Hesterberg 2015, section 4.2). The plain percentile bootstrap (Efron 1979),
which is in the CSV file too, is too narrow for few seeds: of three it holds in 75 of 100, of five in 84, of ten in 90
(by simulation of normal differences; the interval shown in 95 each; of very skewed ones in 88, 89 and 91).</p>
<p><b>Verdict</b>: "better" or "worse" where the whole interval lies on one side of 0. In brackets, how many seeds would
show the difference seen, were it the true one: the smallest n with t<sub>0.975, n-1</sub> s / &radic;n below it. The p
values of paired t-tests, and the same adjusted for all verdicts of the page (Holm 1979), are in the CSV file.</p>
"""


def text(judgement: Judgement, charts: Mapping[str, Path]) -> str:
    """Return the page.

    Args:
        judgement: what was found.
        charts: PNG files by the names of the charts; they become part of the page.
    """
    comparison = judgement.comparison
    name = f"{comparison.recipe}: did sharing pay?"
    every = columns(judgement, full=True)
    shown = [column for column in every if column.head != "chosen"]
    settings = [column for column in every if column.head in ("#", "arm", "chosen")]
    body = [
        f"<h1>{html.escape(name)}</h1>",
        document.facts(_facts(judgement)),
        document.section("In short", _paragraphs(sentences.short(judgement)), "Nothing is known yet."),
        document.section("All arms", _table(shown) + _paragraphs([sentences.legend(judgement)]), ""),
        document.section("Verdicts", _verdicts(judgement), judgement.why_not or "No arm has a gain yet."),
        document.section("Charts", _charts(charts), "There is nothing to draw yet."),
        document.section("Left out or not finished", _list(sentences.notes(judgement)), "Nothing."),
        document.section("How it is reckoned", RECKONING, ""),
        document.section("Every metric", _table(_every_metric(judgement)), ""),
        document.section("Chosen by the search", _table(settings) if len(settings) > 2 else "", "There was no search."),
        document.section("Commands", _commands(comparison.commands), "None are known."),
    ]
    return document.page(name, body, STYLE)


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


def _table(shown: Sequence[Column]) -> str:
    """Return columns as a table that scrolls sideways where it is too wide."""
    kinds = ["" if column.head in LEFT else ' class="number"' for column in shown]
    head = "".join(f"<th{kind}>{html.escape(column.head)}</th>" for column, kind in zip(shown, kinds, strict=True))
    rows = "".join(
        "<tr>"
        + "".join(f"<td{kind}>{html.escape(str(cell))}</td>" for cell, kind in zip(row, kinds, strict=True))
        + "</tr>\n"
        for row in zip(*(column.cells for column in shown), strict=True)
    )
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>\n{rows}</tbody></table></div>'


def _verdicts(judgement: Judgement) -> str:
    """Return a table of arms by tasks, each cell in words and in a colour, and the same in sentences."""
    arms = [judged for judged in judgement.arms if judged.gains]
    if not arms:
        return ""
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
        rows.append(f"<tr><td>{judged.number}</td><td>{html.escape(name)}</td>{''.join(cells)}</tr>\n")
    head = "".join(f"<th>{html.escape(text)}</th>" for text in heads)
    table = f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>\n{"".join(rows)}</tbody></table></div>'
    said = [f"{judged.arm.name}: {sentences.of_arm(judged)}." for judged in arms]
    return f"{table}\n<details><summary>In sentences</summary>{_list(said)}</details>"


def _cell(finding: Finding | None, worse: str) -> str:
    """Return a verdict as a cell; `worse` is said where it is that."""
    if finding is None:
        return "<td></td>"
    words = worse if finding.verdict == "worse" else sentences.verdict(finding)
    gain = html.escape(sentences.with_interval(finding))
    return f'<td class="{finding.verdict}">{SIGNS[finding.verdict]} {gain}<small>{html.escape(words)}</small></td>'


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


def _charts(charts: Mapping[str, Path]) -> str:
    """Return the charts, each as part of the page."""
    shown = []
    for name, path in charts.items():
        data, title = base64.b64encode(path.read_bytes()).decode(), html.escape(TITLES.get(name, name))
        shown.append(f'<figure><h3>{title}</h3><img src="data:image/png;base64,{data}" alt="{title}"></figure>\n')
    return "".join(shown)


def _commands(commands: Sequence[str]) -> str:
    return f"<pre>{html.escape(chr(10).join(commands))}</pre>" if commands else ""


def _paragraphs(texts: Iterable[str]) -> str:
    return "".join(f"<p>{html.escape(text)}</p>\n" for text in texts if text)


def _list(texts: Sequence[str]) -> str:
    return f"<ul>{''.join(f'<li>{html.escape(text)}</li>' for text in texts)}</ul>" if texts else ""
