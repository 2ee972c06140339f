"""An exported model run in a fresh process by its own runtime alone."""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from visionmtl.errors import UsageError
from visionmtl.export.format import Format

KEPT = "Nothing was exported, and the versions before are as they were."

BEFORE = """
import json, sys
sys.modules |= dict.fromkeys(("visionmtl", "pipelines", "keras"))  # None: it cannot be imported
import numpy as np
folder, file, wanted, given, answered = sys.argv[1:]
"""
AFTER = """
found = {}
with np.load(given) as pictures:
    for place in pictures.files:
        answers = answer(pictures[place][None], **json.loads(wanted))
        found |= {f"{place}/{name}": np.asarray(value) for name, value in answers.items()}
np.savez(answered, **found)
"""


def answers(
    label: str, made: Format, folder: Path, pictures: Sequence[np.ndarray], least: float | None = None
) -> Iterator[dict[str, np.ndarray]]:
    """Yield what an exported model answers to each picture, `[1, ...]`.

    Args:
        label: what the export is called.
        made: its format.
        folder: where it lies.
        pictures: uint8 `[h, w, 3]`, of any sizes.
        least: from which score on objects are wanted; None for the confidences that it was exported with.

    Raises:
        UsageError: it does not run.
    """
    with TemporaryDirectory() as place:
        given, answered = Path(place, "given.npz"), Path(place, "answered.npz")
        np.savez(given, *pictures)
        program, wanted = BEFORE + made.runner + AFTER, json.dumps({} if least is None else {"least": least})
        paths = [str(folder), made.file, wanted, str(given), str(answered)]
        done = subprocess.run(
            [sys.executable, "-P", "-c", program, *paths], capture_output=True, text=True, errors="replace"
        )
        if done.returncode:
            last = (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1]
            raise UsageError(f"The export as {label} does not run: {last}. {KEPT}")
        with np.load(answered) as found:
            for number in range(len(pictures)):
                start = f"arr_{number}/"
                yield {key.removeprefix(start): found[key] for key in found.files if key.startswith(start)}
