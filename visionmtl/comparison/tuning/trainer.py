"""Trials trained in processes of their own, followed epoch by epoch."""

import contextlib
import json
import signal
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from visionmtl.comparison import processes
from visionmtl.errors import UsageError
from visionmtl.stopping import GO_ON_LATER, Stop, Stopped
from visionmtl.training import lock, runs

PAUSE = 0.3  # seconds between looks at how far a trial is
PATIENCE = 120.0  # seconds for the process of a study that was killed to write its checkpoint and go
LATE = 1.0  # seconds by which this process may hear of a signal later than a trial's does
COMMAND = processes.running("visionmtl.comparison.tuning.process")

Row = Mapping[str, float]  # the logs of an epoch


class FailedError(Exception):
    """A trial that came to nothing; its message says why."""


@dataclass(frozen=True)
class Known:
    """What is known of a recipe before its first trial.

    Attributes:
        tasks: their names.
        logs: what a validation logs.
        primary: of these the primary metric of each task.
        lower: of these what is better the less it is.
        validated: whether there is a validation split.
    """

    tasks: list[str]
    logs: list[str]
    primary: list[str]
    lower: list[str]
    validated: bool = True


class Trainer:
    """Trains trials in processes of their own, so that memory is free after each, and none takes the study with it.

    Args:
        stop: what may have asked to stop.
    """

    def __init__(self, stop: Stop):
        self.stop = stop

    def probe(self, recipe: str, overrides: Sequence[str], examples: Sequence[Sequence[str]]) -> Known:
        """Read a recipe's data and build its model, and return what is known of them.

        Args:
            recipe: a file or a built-in name.
            overrides: the user's changes to it.
            examples: changes of trials that the recipe must take.

        Raises:
            UsageError: in the sentence of what is wrong.
        """
        with tempfile.TemporaryDirectory() as folder:
            answer, log = Path(folder) / "known.json", Path(folder) / "log.txt"
            work = {"recipe": recipe, "overrides": overrides, "examples": examples, "answer": str(answer)}
            status = self._follow("probe", work, log, lambda: None)
            if status:
                raise UsageError(processes.why_ended(log, status))
            return Known(**json.loads(answer.read_text(encoding="utf-8")))

    def train(self, run: Path, recipe: Path, overrides: Sequence[str], on_epoch: Callable[[Row], None]) -> None:
        """Train a trial into its run folder, or go on with one that was stopped or killed.

        Args:
            run: the folder.
            recipe: the study's recipe.
            overrides: the trial's changes to it.
            on_epoch: called with the logs of each epoch, those of earlier processes too; what it raises ends the trial,
                whose checkpoint stays.

        Raises:
            FailedError: the trial came to nothing.
            Stopped: a signal asked for it; the trial can be gone on with.
        """
        seen, work = 0, dict[str, Any](run=str(run))

        def look() -> None:
            nonlocal seen
            for row in runs.read_history(run)[seen:]:
                seen += 1
                on_epoch(row)

        _await(run)
        look()
        begun = (run / "recipe.yaml").is_file() or (run / "checkpoints").is_dir()
        if begun and runs.is_finished(run):
            return
        if not begun:
            work |= {"recipe": str(recipe), "overrides": list(overrides)}
        log = log_of(run)
        status = self._follow("resume" if begun else "train", work, log, look)
        if status == GO_ON_LATER:
            time.sleep(LATE)
            self.stop.check()
            raise Stopped(signal.SIGTERM)
        if status:
            sentence = processes.why_ended(log, status)
            if "Cannot write" in sentence:  # the disk is full: no trial is to blame
                raise UsageError(sentence)
            raise FailedError(sentence)

    def _follow(self, word: str, work: Mapping[str, Any], log: Path, look: Callable[[], None]) -> int:
        """Run a process to its end, and return its status; `look` is called now and then, and behind its end."""
        with _started(word, work, log) as process:
            while True:
                ended = process.poll() is not None
                look()
                self.stop.check()
                if ended:
                    return process.returncode
                time.sleep(PAUSE)


def log_of(run: Path) -> Path:
    """Return the file of what the process of a trial printed."""
    return run.with_name(f"{run.name}.txt")


@contextlib.contextmanager
def _started(word: str, work: Mapping[str, Any], log: Path) -> Any:
    """Give a process that works, which is asked to stop, and waited for, where what follows it fails."""
    log.parent.mkdir(parents=True, exist_ok=True)
    process = processes.started([*COMMAND, word, json.dumps(work)], log, held=True)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait()
            except BaseException:  # asked to stop once more
                process.kill()
                process.wait()
                raise
        if process.stdin is not None:
            process.stdin.close()


def _await(run: Path) -> None:
    """Wait until the process of a study that was killed has left a run folder."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            return lock.refuse_held(run)
        except UsageError:
            if time.monotonic() > until:
                raise
            time.sleep(PAUSE)
