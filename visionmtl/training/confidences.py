"""The confidences of a run's models: kept where no epoch was validated, and told."""

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from visionmtl import terminal
from visionmtl.errors import UsageError
from visionmtl.files import told, write_text, written_whole
from visionmtl.model import MultiTaskModel
from visionmtl.tasks.views import Views
from visionmtl.training import processes
from visionmtl.training.runs import MODELS

CONFIG = "config.json"  # in a `.keras` file
OF_VIEWS = "confidences.json"  # of a run: of predictions merged of several views, by these
WIDTH = 80  # of all lines, where the terminal has as many
SHOWN = 8  # classes of a task whose confidences are printed


def keep_confidences(model: MultiTaskModel, run: Path) -> None:
    """Put a model's confidences into those of a run's files that have none: no epoch before was validated."""
    if not any(model.confidences.values()):
        return
    for path in (run / name for name in MODELS if (run / name).is_file()):
        with zipfile.ZipFile(path) as archive:
            config = json.loads(archive.read(CONFIG))
            if any((config["config"].get("confidences") or {}).values()):
                continue
            config["config"]["confidences"] = model.confidences
            with written_whole(path) as partial, zipfile.ZipFile(partial, "w") as written:
                for entry in archive.infolist():
                    content = json.dumps(config) if entry.filename == CONFIG else archive.read(entry)
                    written.writestr(entry, content)


def tell_confidences(model: MultiTaskModel) -> None:
    """Print from which score on a model's objects are taken for such, class by class."""
    for task, chosen in model.confidences.items():
        if chosen is None:
            terminal.tell(f"No confidence of {task} is chosen: it found no object of validation.")
            continue
        told = ", ".join(f"{name} {value:.2f}" for name, value in list(chosen.items())[:SHOWN])
        more = ", ..." if len(chosen) > SHOWN else ""
        sentence = f"Confidence of {task}, of the best F1 on validation: {told}{more}"
        print(terminal.wrapped(sentence, terminal.width(WIDTH), below="  "))


def keep_of_views(run: Path, views: Views, confidences: Mapping[str, Any]) -> None:
    """Keep beside a run from which score on objects count that are merged of several views."""
    with told(run), processes.one_at_a_time(run):
        write_text(run / OF_VIEWS, json.dumps(_of_views(run) | {str(views): dict(confidences)}, indent=2) + "\n")


def take_of_views(model: MultiTaskModel, path: Path, views: Views) -> None:
    """Give a model the confidences that its run keeps of predictions merged of several views, and say which it has.

    Args:
        model: of the run.
        path: the run folder, or a file, beside which nothing is kept.
        views: which are merged.

    Raises:
        UsageError: the run's file of them cannot be read.
    """
    if not any(task.annotates for task in model.tasks.values()):
        return
    kept = _of_views(path).get(str(views)) if path.is_dir() else None
    if kept is None:
        choose = f"; choose them by `visionmtl evaluate {path} --tta {views}`" if path.is_dir() else ""
        print(
            f"Boxes count from the confidences on that were chosen of each picture alone, not of these views{choose}."
        )
        return
    model.confidences = model.confidences | {task: kept[task] for task in model.tasks if kept.get(task) is not None}
    print(f"Boxes count from the confidences on that were chosen of these views, as {path / OF_VIEWS} has them.")


def _of_views(run: Path) -> dict[str, Any]:
    """Return the confidences that a run keeps, by the views that they are of.

    Raises:
        UsageError: the file cannot be read.
    """
    path = run / OF_VIEWS
    try:
        kept = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except ValueError:
        kept = None
    if not isinstance(kept, dict) or not all(isinstance(of, dict) for of in kept.values()):
        raise UsageError(f"'{path}' was cut or changed, and holds no confidences: remove it, and evaluate anew.")
    return kept
