"""The versions of a model in a folder: the newest that can be served, and what comes and goes while it is served."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from visionmtl.errors import UsageError
from visionmtl.serving.limits import Limits
from visionmtl.serving.metrics import Metrics
from visionmtl.serving.version import Version

Print = tuple[tuple[str, int, int], ...]  # of the files of a version: name, bytes, time of change


@dataclass(frozen=True)
class State:
    """What became of a version, in TensorFlow Serving's words.

    Attributes:
        state: "LOADING", "AVAILABLE" or "END".
        code: "OK", or why it ended.
        message: for who asks; without a path.
    """

    state: str
    code: str = "OK"
    message: str = ""


class Versions:
    """A model's versions, of which the newest that runs is served.

    What is broken is told once, and tried again when its files change; what is served stays until another one runs.

    Args:
        folder: of all versions, named as the model.
        runtime: the name of the one that loads them; None for the first that a version has a file of.
        precision: of that file; None for the first.
        limits: of the server.
        metrics: of the server.
        tell: prints a line.

    Raises:
        UsageError: the folder is none of versions, or none of them can be served.
    """

    def __init__(
        self,
        folder: Path,
        runtime: str | None,
        precision: str | None,
        limits: Limits,
        metrics: Metrics,
        tell: Callable[[str], None] = print,
    ):
        self.folder, self.limits, self.metrics, self.tell = folder, limits, metrics, tell
        self.wanted, self.precision = runtime, precision
        self.name = folder.resolve().name
        self.states: dict[int, State] = {}
        self._refused: dict[int, Print] = {}
        self._ended = threading.Event()
        self._watcher: threading.Thread | None = None
        _check(folder)
        self._current: Version | None = None
        self.look()
        if self._current is None:
            raise UsageError(self._why)

    @property
    def current(self) -> Version:
        """The version that is served now."""
        assert self._current is not None
        return self._current

    def watch(self, seconds: float) -> None:
        """Look every so many seconds for versions that have come or gone, in a thread of its own."""
        self._watcher = threading.Thread(target=self._watch, args=(seconds,), name="versions", daemon=True)
        self._watcher.start()

    def close(self) -> None:
        """Look no more."""
        self._ended.set()

    def _watch(self, seconds: float) -> None:
        while not self._ended.wait(seconds):
            try:
                self.look()
            except Exception as error:  # the folder may be out of reach for a while
                self.tell(f"The versions in '{self.folder}' cannot be looked at: {error}")

    def look(self) -> None:
        """Take up the newest version that runs, unless it is served already."""
        there = numbers(self.folder)
        served = self._current.number if self._current else None
        for number in there:
            if number == served:
                return
            marks = _print(self.folder / str(number))
            if self._refused.get(number) == marks:
                continue
            if self._take(number):
                return
            self._refused[number] = marks

    def _take(self, number: int) -> bool:
        """Load a version, and serve it from here on; return whether it runs."""
        self.states[number] = State("LOADING")
        try:
            version = Version(self.folder / str(number), self.wanted, self.precision, self.limits)
        except UsageError as error:
            self._why = str(error)
            self.states[number] = State("END", "UNKNOWN", "The version cannot be served.")
            self.metrics.versions.labels("refused").inc()
            if self._current is not None:
                self.tell(f"Version {number} is refused, and version {self._current.number} served on. {error}")
            elif len(numbers(self.folder)) > 1:
                self.tell(f"Version {number} is refused. {error}")
            return False
        before, self._current = self._current, version
        if before is not None:
            self.states[before.number] = State("END")
            self.tell(f"Version {number} is served from now on, by {version.by}, in place of {before.number}.")
        self.states[number] = State("AVAILABLE")
        self.metrics.versions.labels("served").inc()
        self.metrics.version.labels(self.name).set(number)
        return True


def _check(folder: Path) -> None:
    """Refuse what is no folder of versions.

    Raises:
        UsageError: it is not.
    """
    example = "give one as 'visionmtl export' writes it, saved_models/NAME"
    if not folder.is_dir():
        what = "is no folder" if folder.exists() else "is not there"
        raise UsageError(f"'{folder}' {what}: {example}.")
    if numbers(folder):
        return
    if (folder / "labels.json").is_file() or (folder / "saved_model.pb").is_file():
        raise UsageError(f"'{folder}' is one version: give the folder of all versions, '{folder.absolute().parent}'.")
    names = sorted(each.name for each in folder.iterdir() if each.is_dir() and numbers(each))
    if names:
        raise UsageError(f"'{folder}' holds the models {', '.join(names)}: give one of them, '{folder / names[0]}'.")
    raise UsageError(f"'{folder}' holds no version of an exported model: {example}.")


def numbers(folder: Path) -> list[int]:
    """Return the numbers of the versions in a folder, the newest first."""
    named = (each for each in folder.iterdir() if each.name.isascii() and each.name.isdigit())
    return sorted(
        (int(each.name) for each in named if each.is_dir() and str(int(each.name)) == each.name), reverse=True
    )


def _print(folder: Path) -> Print:
    """Return by what a version is known not to have changed."""
    try:
        found = [(each, each.stat()) for each in sorted(folder.rglob("*"))]
    except OSError:  # it is gone
        return ()
    return tuple((str(each.relative_to(folder)), status.st_size, status.st_mtime_ns) for each, status in found)
