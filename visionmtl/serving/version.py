"""A version of an exported model, loaded by a runtime and tried once."""

import hashlib
import json
from pathlib import Path

import numpy as np

from pipelines.pixels import png
from visionmtl.errors import UsageError
from visionmtl.serving.limits import Limits
from visionmtl.serving.runtimes import RUNTIMES, choose, there

LABELS = "labels.json"
SUMS, CARD = "SHA256SUMS", "README.md"  # the card is there to be filled in
SIGNATURES = ("serving_default", "serving_bytes")
TRIED = png.quick(np.zeros((8, 8, 3), np.uint8))  # a picture


class Version:
    """A version that answers.

    Args:
        folder: of the version.
        wanted: the name of the runtime; None for the first that is there.
        precision: of its file; None for the first that is there.
        limits: of the server.

    Attributes:
        number: of the version.
        name: of the runtime.
        file: that it loads.
        runtime: that answers.
        labels: the kind and the classes of each task.

    Raises:
        UsageError: it cannot be loaded, or does not answer a picture; the sentence says why.
    """

    def __init__(self, folder: Path, wanted: str | None, precision: str | None, limits: Limits):
        self.number = int(folder.name)
        self.name, self.file = choose(folder, wanted, precision)
        self.labels = _labels(folder)
        _check_sums(folder)
        kind = RUNTIMES[self.name]
        try:
            self.runtime = kind(self.file, self.labels)
            missing = [each for each in SIGNATURES if each not in self.runtime.signatures]
            if not missing:
                self._try(limits)
        except Exception as error:  # of any kind, by runtime and by what is broken
            raise UsageError(f"'{folder}' cannot be served: {self.file.name} does not run: {_first(error)}") from error
        if missing:
            raise UsageError(
                f"'{folder}' cannot be served: {self.file.name} has no signature '{missing[0]}'; export the model anew."
            )

    @property
    def by(self) -> str:
        """What runs it, of what there is, in words."""
        others = [name for name in there(self.file.parent) if name != self.name]
        return f"{self.name} ({self.file.name}{'; there is ' + ', '.join(others) + ' too' if others else ''})"

    def _try(self, limits: Limits) -> None:
        """Run one picture, so that the first request need not wait for what is made ready then."""
        content = np.empty(1, np.object_)
        content[0] = TRIED
        prepared = self.runtime.prepare({"encoded": content}, limits)
        outputs = self.runtime.run("serving_bytes", prepared.inputs)
        if told := [*prepared.faults.values(), *filter(None, outputs["errors"])]:
            raise ValueError(told[0])


def _check_sums(folder: Path) -> None:
    """Refuse a version of which a file is not what was written, as one that is copied only in part.

    Raises:
        UsageError: a file does not fit its checksum.
    """
    sums = folder / SUMS
    for line in sums.read_text(encoding="utf-8").splitlines() if sums.is_file() else ():
        expected, _, name = line.partition("  ")
        if name != CARD and (file := folder / name).is_file():
            with file.open("rb") as content:
                found = hashlib.file_digest(content, "sha256").hexdigest()
            if found != expected:
                raise UsageError(f"'{file}' is not what was exported, by its checksum: copy or export it anew.")


def _labels(folder: Path) -> dict:
    """Return what `labels.json` of a version says.

    Raises:
        UsageError: it is not there, or is not what an export writes.
    """
    advice = "serve what 'visionmtl export' has written."
    try:
        labels = json.loads((folder / LABELS).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(f"'{folder}' has no {LABELS}: {advice}") from None
    except (OSError, ValueError) as error:
        raise UsageError(f"'{folder / LABELS}' cannot be read, {_first(error)}: {advice}") from None
    known = isinstance(labels, dict) and all(
        isinstance(task, dict) and isinstance(task.get("classes"), list) for task in labels.values()
    )
    if not known:
        raise UsageError(f"'{folder / LABELS}' does not say the classes of tasks: {advice}")
    return labels


def _first(error: Exception) -> str:
    """Return the first line of an error, which may hold many."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
