"""The confidences of a run's models: kept where no epoch was validated, and told."""

import json
import zipfile
from pathlib import Path

from visionmtl.files import written_whole
from visionmtl.model import MultiTaskModel
from visionmtl.training.runs import MODELS

CONFIG = "config.json"  # in a `.keras` file
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
            print(f"No confidence of {task} is chosen: it found no object of validation.")
            continue
        told = ", ".join(f"{name} {value:.2f}" for name, value in list(chosen.items())[:SHOWN])
        more = ", ..." if len(chosen) > SHOWN else ""
        print(f"Confidence of {task}, of the best F1 on validation: {told}{more}")
