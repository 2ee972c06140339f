"""The report of a run folder: one HTML page of results, curves, sample predictions, recipe and commands."""

import html
import json
import math
import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from visionmtl import csvfile
from visionmtl.files import write_text
from visionmtl.report import plots, tables

STYLE = """
:root { color-scheme: light; }
body { max-width: 1120px; margin: 0 auto; padding: 2rem 1.5rem 4rem; color: #212529; background: #fff;
  font: 15px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
h1 { margin: 0 0 .2rem; font-size: 1.9rem; letter-spacing: -.01em; }
h2 { margin: 2.6rem 0 .8rem; padding-bottom: .3rem; border-bottom: 1px solid #dee2e6; font-size: 1.2rem; }
p.none { color: #6c757d; }
dl { display: flex; flex-wrap: wrap; gap: .6rem 2.4rem; margin: 1.2rem 0 0; }
dt { color: #6c757d; font-size: .82rem; }
dd { margin: 0; font-size: 1.25rem; font-variant-numeric: tabular-nums; }
table { border-collapse: collapse; }
th, td { padding: .32rem 1.2rem .32rem 0; text-align: left; }
thead th { border-bottom: 2px solid #212529; font-weight: 600; }
tbody tr.start td { border-top: 1px solid #dee2e6; }
tbody tr.start:first-child td { border-top: 0; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
.plots { display: flex; flex-wrap: wrap; gap: 1.2rem; align-items: flex-start; }
.plots a { flex: 0 1 auto; min-width: 0; max-width: 540px; }
.plots a.wide { max-width: 900px; }
.plots img { max-width: 100%; height: auto; }
.samples img { display: block; width: 100%; height: auto; margin: 0 0 1rem; border: 1px solid #e9ecef; }
pre { overflow-x: auto; padding: .9rem 1.1rem; border-radius: 6px; background: #f4f6f8; line-height: 1.45;
  font: 13px/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
summary { cursor: pointer; margin: 1rem 0 .5rem; color: #495057; }
"""


def write(folder: str | Path) -> Path:
    """Write `report.html` into a run folder from what the folder holds, and return its path.

    It reads `recipe.yaml`, `history.csv`, `metrics.json`, `plots/*.png` and `samples/*.png`; one that is missing or
    broken is said to be, and the rest is written. Links are relative, so that the folder can be moved or sent.

    Example:
        >>> write("runs/garments-1")
        PosixPath('runs/garments-1/report.html')
    """
    folder = Path(folder)
    recipe, metrics, history = _text(folder / "recipe.yaml"), _metrics(folder), csvfile.read(folder / "history.csv")
    name = folder.resolve().name
    body = [
        f"<h1>{html.escape(name)}</h1>",
        _facts(metrics, history),
        _section("Results", _results(metrics)),
        _section("Samples", _pictures(folder, "samples")),
        _section("Curves", _pictures(folder, "plots", plots.page_order())),
        _section("Commands", f"<pre>{html.escape(_commands(folder))}</pre>"),
        _section("Recipe", recipe and f"<pre>{html.escape(recipe)}</pre>"),
    ]
    page = (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(name)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(body)
        + "\n</body>\n</html>\n"
    )
    path = folder / "report.html"
    write_text(path, page)
    return path


def _text(path: Path) -> str:
    """Return the text of a file, or nothing where it is missing."""
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""


def _metrics(folder: Path) -> dict[str, Any]:
    try:
        metrics = json.loads(_text(folder / "metrics.json") or "{}")
    except json.JSONDecodeError:
        return {}
    return metrics if isinstance(metrics, dict) else {}


def _section(title: str, content: str) -> str:
    return f"<h2>{title}</h2>\n" + (content or '<p class="none">This run folder has none.</p>')


def _facts(metrics: Mapping[str, Any], history: Sequence[Mapping[str, str]]) -> str:
    """List parameters, time, epochs and the best score; those that are known."""
    facts = {}
    if tables.is_number(metrics.get("parameters")):
        facts["parameters"] = f"{metrics['parameters']:,}"
    if tables.is_number(metrics.get("seconds")):
        facts["time"] = tables.duration(metrics["seconds"])
    if history:
        facts["epochs"] = history[-1].get("epoch") or str(len(history))
    scores = [(_number(row.get("val_score")), row.get("epoch")) for row in history]
    score, epoch = max((pair for pair in scores if not math.isnan(pair[0])), default=(math.nan, None))
    if epoch is not None:
        facts["best validation score"] = f"{score:.3f} in epoch {epoch}"
    items = (f"<div><dt>{html.escape(key)}</dt><dd>{html.escape(value)}</dd></div>" for key, value in facts.items())
    return f"<dl>{''.join(items)}</dl>" if facts else ""


def _number(text: str | None) -> float:
    try:
        return float(text or "nan")
    except ValueError:
        return math.nan


def _results(metrics: Mapping[str, Any]) -> str:
    header, rows = tables.results(metrics)
    if not rows:
        return ""
    shown = _table(header, rows)
    header, rows = tables.results(metrics, details=True)
    return shown + (f"<details><summary>Each class</summary>{_table(header, rows)}</details>" if rows else "")


def _table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Return an HTML table; a first cell that repeats the row above stays empty."""
    style = [' class="number"' if tables.is_number_column(row[i] for row in rows) else "" for i in range(len(header))]
    head = "".join(f"<th{kind}>{html.escape(text)}</th>" for text, kind in zip(header, style, strict=True))
    lines, last = [], None
    for row in rows:
        start, last = row[0] != last, row[0]
        texts = [tables.cell(value) if start or index else "" for index, value in enumerate(row)]
        cells = "".join(f"<td{kind}>{html.escape(text)}</td>" for text, kind in zip(texts, style, strict=True))
        lines.append(f'<tr class="start">{cells}</tr>\n' if start else f"<tr>{cells}</tr>\n")
    return f"<table><thead><tr>{head}</tr></thead><tbody>\n{''.join(lines)}</tbody></table>"


def _pictures(folder: Path, kind: str, first: Iterable[str] = ()) -> str:
    """Show the PNG files of a subfolder, each a link to itself, those named in `first` before the others."""
    rank = {name: index for index, name in enumerate(first)}
    paths = sorted((folder / kind).glob("*.png"), key=lambda path: (rank.get(path.stem, len(rank)), path.name))
    links = (
        f'<a class="{"wide" if path.stem in rank else "other"}" href="{kind}/{quote(path.name)}">'
        f'<img src="{kind}/{quote(path.name)}" alt="{html.escape(path.stem)}" loading="lazy"></a>\n'
        for path in paths
    )
    return f'<div class="{kind}">\n{"".join(links)}</div>' if paths else ""


def _commands(folder: Path) -> str:
    run = shlex.quote(str(folder))
    lines = {
        "Train it again": f"visionmtl train {shlex.quote(str(folder / 'recipe.yaml'))}",
        "Evaluate it again, or another split with --split test": f"visionmtl evaluate {run}",
        "Draw its predictions for pictures of yours": f"visionmtl predict {run} FOLDER",
        "Make the SavedModel to deploy": f"visionmtl export {run}",
        "Watch its curves": f"tensorboard --logdir {shlex.quote(str(folder / 'tensorboard'))}",
    }
    return "\n\n".join(f"# {what}\n{command}" for what, command in lines.items())
