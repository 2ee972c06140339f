"""What stands at the head of a report: what was trained on what, its figures, and the run before."""

import glob
import json
import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from visionmtl.report import settings, tables

ABOUT = "about.json"  # of each session of a run: when, how and on what it was trained


class Circumstance(NamedTuple):
    """A session of a run, in words.

    Attributes:
        command: by which it was begun; "" where that is not known.
        told: when, on what device, with which versions.
    """

    command: str
    told: str


def sessions(folder: Path) -> list[dict[str, Any]]:
    """Return what a run's about.json has of each of its sessions; nothing where it is missing or broken."""
    try:
        found = json.loads(text(folder / ABOUT) or "[]")
    except json.JSONDecodeError:
        return []
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def circumstances(folder: Path) -> list[Circumstance]:
    """Return each session of a run: by which command, when it began, on what device, with which versions."""
    told = []
    for session in sessions(folder):
        versions = session.get("versions")
        each = [f"{name} {version}" for name, version in versions.items()] if isinstance(versions, Mapping) else []
        each += [f"commit {session['commit']}"] if session.get("commit") else []
        parts = [_minute(session.get("begun")), f"on {session['device']}" if session.get("device") else "", *each]
        told.append(Circumstance(str(session.get("command") or ""), ", ".join(part for part in parts if part)))
    return told


def _minute(begun: Any) -> str:
    """Return a time such as "2026-11-27T19:07:27+00:00" for a reader."""
    try:
        return datetime.fromisoformat(str(begun)).astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
    except ValueError:
        return str(begun or "")


def about(recipe: str, tasks: Sequence[str]) -> str:
    """Return in a sentence what was trained on what; what the recipe does not say is left out.

    Args:
        recipe: the text of `recipe.yaml`.
        tasks: names; without any, those of the recipe.
    """
    data, model, balancing, asked = _parts(recipe, "data", "model", "balancing", "tasks")
    tasks = tasks or [str(name) for name in asked]
    sources = data.get("sources")
    source = ", ".join(map(str, sources)) if isinstance(sources, Mapping) and sources else data.get("source")
    sharing = model.get("sharing")
    sharing = sharing.get("name") if isinstance(sharing, Mapping) else sharing
    size = data.get("image_size")
    told = [
        " ".join([", ".join(tasks), f"of {source}" if source else ""]).strip(),
        isinstance(size, list) and f"in {' x '.join(map(str, size))} pixels",
        model.get("backbone") and f"on {model['backbone']}",
        model.get("weights") and f"weights: {model['weights']}",
        sharing and f"shared: {sharing}",
        balancing.get("method") and f"balanced: {balancing['method']}",
    ]
    return ", ".join(str(part) for part in told if part)


def facts(
    metrics: Mapping[str, Any], history: Sequence[Mapping[str, str]], images: Mapping[str, int], asked: Any = None
) -> list[tuple[str, str]]:
    """List images, parameters, time, epochs and the best score; those that are known.

    Args:
        metrics: of the run, as in `metrics.json`.
        history: rows of `history.csv`.
        images: by split.
        asked: how many epochs an unfinished run was to have; None of a finished one.
    """
    told = {f"{split} images": f"{count:,}" for split, count in images.items()}
    if tables.is_number(metrics.get("parameters")):
        told["parameters"] = f"{metrics['parameters']:,}"
    if tables.is_number(metrics.get("seconds")):
        told["time"] = tables.duration(metrics["seconds"])
    if history:
        told["epochs"] = (history[-1].get("epoch") or str(len(history))) + (f" of {asked}" if asked else "")
    scores = [(_number(row.get("val_score")), row.get("epoch")) for row in history]
    score, epoch = max((pair for pair in scores if not math.isnan(pair[0])), default=(math.nan, None))
    if epoch is not None:
        told["best validation score"] = f"{score:.3f} in epoch {epoch}"
    return list(told.items())


def unfinished(folder: Path, metrics: Mapping[str, Any], recipe: str) -> Any:
    """Return how many epochs a run that is still trained, or was interrupted, is to have; None of another one."""
    trained = (folder / "history.csv").is_file() or (folder / "checkpoints").is_dir()
    (training,) = _parts(recipe, "training")
    return training.get("epochs") if trained and "seconds" not in metrics else None


def run_before(folder: Path) -> Path | None:
    """Return the last run before this one that was measured, of the same name: of `camvid-7` perhaps `camvid-5`."""
    folder = folder.resolve()
    match = re.fullmatch(r"(.+)-(\d+)", folder.name)
    if match is None:
        return None
    name, number = match[1], int(match[2])
    numbers = {
        int(path.parent.name.removeprefix(f"{name}-")): path.parent
        for path in folder.parent.glob(f"{glob.escape(name)}-*/metrics.json")
        if path.parent.name.removeprefix(f"{name}-").isdecimal()
    }
    earlier = [each for each in numbers if each < number]
    return numbers[max(earlier)] if earlier else None


def text(path: Path) -> str:
    """Return the text of a file, or nothing where it is missing."""
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""


def metrics(folder: Path) -> dict[str, Any]:
    """Return what a run's metrics.json holds; nothing where it is missing or broken."""
    try:
        figures = json.loads(text(folder / "metrics.json") or "{}")
    except json.JSONDecodeError:
        return {}
    return figures if isinstance(figures, dict) else {}


def images(folder: Path) -> dict[str, int]:
    """Return how many images each split of a run has; nothing where that was not kept, or is broken."""
    try:
        counts = json.loads((folder / "images.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    known = counts if isinstance(counts, Mapping) else {}
    return {str(split): count for split, count in known.items() if isinstance(count, int)}


def _parts(recipe: str, *keys: str) -> list[Mapping[Any, Any]]:
    """Return sections of a recipe; nothing for one that is missing or broken."""
    parts = [settings.read(recipe).get(key) for key in keys]
    return [part if isinstance(part, Mapping) else {} for part in parts]


def _number(text: str | None) -> float:
    try:
        return float(text or "nan")
    except ValueError:
        return math.nan
