"""The report of a run folder: one HTML file with results, curves, classes, pictures, recipe and commands inside."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from visionmtl import csvfile
from visionmtl.files import write_text
from visionmtl.report import (
    balance,
    embedding,
    grids,
    labelled,
    measured,
    outcomes,
    plots,
    settings,
    single,
    summary,
    templates,
    worst,
)
from visionmtl.report.embedding import Embedded
from visionmtl.report.measured import Measured
from visionmtl.report.plots.balancing import STRONG
from visionmtl.report.plots.chart import Chart
from visionmtl.report.worst import Wall

ROOM = 3_600_000  # characters for the pictures of a page, which has less than 5 MB
SHARED = 2_000_000  # of these, for samples and plots where there are the worst pictures too
LABELS = 500_000  # of these, for training pictures with their labels


class _Hung(NamedTuple):
    """The worst pictures of a task in one order, as a page shows them; each with what stands under it."""

    wall: Wall
    pictures: list[tuple[Embedded, str]]


def write(folder: str | Path) -> Path:
    """Write `report.html` into a run folder from what the folder holds, and return its path.

    It reads `recipe.yaml`, `about.json`, `history.csv`, `gradients.csv`, `metrics.json`, `images.json`, `charts/*.npz`,
    `plots/*.png`, `samples/*.png`, `labels/` and `worst/`; one that is missing or broken is said to be, and the rest
    is written.

    All that a page shows is inside of it, in less than 5 MB, so that it can be sent by itself, and it asks for nothing.

    Example:
        >>> write("runs/garments-1")
        PosixPath('runs/garments-1/report.html')
    """
    folder = Path(folder)
    recipe, metrics, name = summary.text(folder / "recipe.yaml"), summary.metrics(folder), folder.resolve().name
    asked = summary.unfinished(folder, metrics, recipe)
    before = summary.run_before(folder)
    history, found = csvfile.read(folder / "history.csv"), measured.read(folder)
    by_plot = {plot: plots.charts_of(plot, folder) for plot in plots.page_order()}
    charts = [chart for of in by_plot.values() for chart in of]
    images, told = summary.images(folder), grids.results(metrics, _others(folder, recipe, metrics, before))
    names = dict.fromkeys([*told, *(task for of in found.values() for task in of)])
    walls = worst.read(folder)
    names |= dict.fromkeys([*(chart.task for chart in charts if chart.task), *(wall.task for wall in walls)])
    further = grids.results(metrics, {}, further=True)
    drawn = [plot for plot, of in by_plot.items() if of]
    data = labelled.read(folder)
    by_path, lost = _small([picture.path for picture in data.pictures], LABELS)
    learnt = [(by_path[each.path], each.told) for each in data.pictures if each.path in by_path]
    room = ROOM - sum(len(picture.source) for picture in by_path.values())
    pictures, left = embedding.embedded(_pictures(folder, drawn, found), SHARED if walls else room)
    hung, unhung = _hung(walls, room - sum(len(picture.source) for picture in pictures))
    samples = {path.stem for path in (folder / "samples").glob("*.png")}
    page = templates.filled(
        "run.html",
        name=name,
        about=summary.about(recipe, list(names)),
        sessions=summary.circumstances(folder),
        facts=summary.facts(metrics, history, images, asked),
        unfinished=asked is not None,
        resume=f"visionmtl train --resume {shlex.quote(str(folder))}",
        unmeasured=_unmeasured(metrics, history),
        before=before.name if before else "",
        unknown=any(cell.text == "-" for grid in told.values() for row in grid.rows for cell in row),
        changed=_changed(before, recipe),
        tasks=[
            {
                "name": task,
                "results": told.get(task),
                "further": further.get(task),
                "charts": [*(chart for chart in charts if chart.task == task), *_of_splits(task, found)],
                "classes": grids.classes(task, metrics, found),
                "outcomes": outcomes.of(task, found),
                "confusions": grids.confusions(task, found),
                "worst": [each for each in hung if each.wall.task == task],
            }
            for task in names
        ],
        charts=[chart for chart in charts if not chart.task],
        weights=balance.weights(folder / "history.csv"),
        strong=STRONG,
        conflicts=balance.conflicts(folder / "gradients.csv"),
        learnt=learnt,
        legends=data.legends if learnt else {},
        samples=[picture for picture in pictures if picture.name in samples],
        sampled=next((split for split in ("validation", "train") if split in metrics or split in images), ""),
        plots=[picture for picture in pictures if picture.name not in samples],
        left=[path.relative_to(folder).as_posix() for path in [*lost, *left, *unhung]],
        commands=_commands(folder, trained=asked is None or (folder / "best.keras").is_file()),
        recipe=recipe,
    )
    path = folder / "report.html"
    write_text(path, page)
    return path


def _others(folder: Path, recipe: str, metrics: Mapping[str, Any], before: Path | None) -> dict[str, Mapping[str, Any]]:
    """Return the figures that a run's are compared with: of the run before, and of single-task models."""
    alone = single.single_tasks(folder, recipe)
    tasks = {task for of in metrics.values() if isinstance(of, Mapping) for task in of}
    others: dict[str, Mapping[str, Any]] = (
        {} if before is None else {f"change since {before.name}": summary.metrics(before)}
    )
    if alone is not None and len(tasks) > 1:
        seeds = f"mean of {alone.seeds} seeds" if alone.seeds > 1 else "one seed"
        others[f"against single-task models of {alone.name} ({seeds})"] = alone.metrics
    return others


def _unmeasured(metrics: Mapping[str, Any], history: Sequence[Mapping[str, str]]) -> str:
    """Return why there is no figure, where there is none."""
    if "seconds" in metrics and not any(log.startswith("val_") for row in history for log in row):
        return "Nothing was measured: the data have no validation split, and no other was evaluated."
    return "Nothing was measured yet."


def _changed(before: Path | None, recipe: str) -> list[tuple[str, str, str]]:
    """Return the settings that are others than in the run before: key, then and now."""
    found = settings.differing([summary.text(before / "recipe.yaml"), recipe]) if before else {}
    return [(key, then or "none", now or "none") for key, (then, now) in found.items()]


def _of_splits(task: str, found: Mapping[str, Mapping[str, Measured]]) -> list[Chart]:
    """Return what was measured of a task as lines, split by split."""
    return [
        chart
        for split, tasks in found.items()
        if task in tasks
        for plot in plots.TASK_PLOTS.values()
        for chart in plot.charts(tasks[task].classes, tasks[task].charts, split)
        if not chart.is_empty
    ]


def _pictures(folder: Path, drawn: list[str], found: Mapping[str, Mapping[str, Measured]]) -> list[Path]:
    """Return the pictures of a run, samples first, without the plots that the page draws itself."""
    tasks = tuple(f"{task}_" for of in found.values() for task in of)
    own = [path for path in sorted((folder / "plots").glob("*.png")) if path.stem not in drawn]
    return [
        *sorted((folder / "samples").glob("*.png")),
        *(path for path in own if not (tasks and path.stem.startswith(tasks))),
    ]


def _hung(walls: Sequence[Wall], room: int) -> tuple[list[_Hung], list[Path]]:
    """Return the worst pictures as they fit, the very worst of each task first, and the files left out."""
    ranked = sorted((rank, place) for place, wall in enumerate(walls) for rank in range(len(wall.pictures)))
    paths = [walls[place].pictures[rank].path for rank, place in ranked]
    by_path, left = _small(paths, room)
    hung = [
        _Hung(wall, [(by_path[each.path], each.told) for each in wall.pictures if each.path in by_path])
        for wall in walls
    ]
    return [each for each in hung if each.pictures], left


def _small(paths: Sequence[Path], room: int) -> tuple[dict[Path, Embedded], list[Path]]:
    """Return small pictures as they fit, by their file, and the files left out."""
    shown, left = embedding.embedded(paths, room, embedding.SMALL)
    return dict(zip([path for path in paths if path not in left], shown, strict=True)), left


def _commands(folder: Path, trained: bool) -> list[tuple[str, str]]:
    """Return what can be done with a run, and by which command; with one that has no model yet, little."""
    run = shlex.quote(str(folder))
    again = ("Train it again", f"visionmtl train {shlex.quote(str(folder / 'recipe.yaml'))}")
    watch = ("Watch its curves", f"visionmtl tensorboard {run}")
    if not trained:
        return [again, watch]
    return [
        again,
        ("Evaluate it again, or another split with --split test", f"visionmtl evaluate {run}"),
        ("Draw its predictions for pictures of yours", f"visionmtl predict {run} FOLDER"),
        ("Make the SavedModel to deploy", f"visionmtl export {run}"),
        watch,
    ]
