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
from visionmtl.report import document, plots, tables


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
    path = folder / "report.html"
    write_text(path, document.page(name, body))
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
    return document.section(title, content, "This run folder has none.")


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
    return document.facts(facts.items())


def _number(text: str | None) -> float:
    try:
        return float(text or "nan")
    except ValueError:
        return math.nan


def _results(metrics: Mapping[str, Any]) -> str:
    header, rows = tables.results(metrics)
    if not rows:
        return ""
    shown, known = document.table(header, rows), [row[:2] for row in rows]
    _, more = tables.results(metrics, further=True)
    _, each = tables.results(metrics, details=True)
    folded = {"Further figures": [row for row in more if row[:2] not in known], "Each class": each}
    return shown + "".join(
        f"<details><summary>{title}</summary>{document.table(header, rows)}</details>"
        for title, rows in folded.items()
        if rows
    )


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
