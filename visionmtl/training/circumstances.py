"""When, how and on what a run was trained: a line a session in its `about.json`, and a look at its data."""

import json
import shlex
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import keras
import tensorflow as tf

import pipelines
import visionmtl
from visionmtl.files import write_text
from visionmtl.report import labelled
from visionmtl.report.summary import ABOUT, sessions
from visionmtl.tasks import Task
from visionmtl.training import runs

SHOWN, TILE = 4, (288, 384)  # pictures, and their height and width


def keep(run: Path, device: str) -> None:
    """Add this session to a run's `about.json`: date, command, device, versions, and the commit of visionmtl.

    Args:
        run: the run folder.
        device: in words.
    """
    name = Path(sys.argv[0]).name
    session = {
        "begun": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": shlex.join([*(["python", "-m", "visionmtl"] if name == "__main__.py" else [name]), *sys.argv[1:]]),
        "device": device,
        "versions": {
            "visionmtl": visionmtl.__version__,
            "Keras": keras.__version__,
            "TensorFlow": tf.__version__,
            "Python": ".".join(map(str, sys.version_info[:3])),
        },
        "commit": commit(Path(visionmtl.__file__).parent),
    }
    write_text(run / ABOUT, json.dumps([*sessions(run), session], indent=2) + "\n")


def keep_data(run: Path, datasets: pipelines.Datasets, tasks: Sequence[Task]) -> None:
    """Keep how many images a run's splits have, and in its first session draw some of them with their labels.

    The page of a run that is interrupted has both.

    Args:
        run: the run folder.
        datasets: that are learnt from.
        tasks: of the model.
    """
    runs.keep_images(run, datasets.sizes)
    if not (run / labelled.FOLDER).is_dir() and (examples := datasets.examples(SHOWN, TILE)):
        labelled.keep(run, examples, tasks)


def commit(folder: Path) -> str | None:
    """Return the commit that git has out in a folder, with "+" where files differ; None where git does not know it."""
    git = ["git", "-C", str(folder), "describe", "--always", "--exclude=*", "--dirty=+"]
    try:
        tracked = subprocess.run([*git[:3], "ls-files", "--error-unmatch", "."], capture_output=True, check=False)
        if tracked.returncode:
            return None  # it is installed in a folder that some other repository ignores
        return subprocess.run(git, capture_output=True, text=True, check=True, timeout=20).stdout.strip() or None
    except (OSError, subprocess.SubprocessError):
        return None
