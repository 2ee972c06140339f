"""What callbacks that log to a tracking service have in common."""

import importlib.util
import itertools
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import keras

from visionmtl import terminal
from visionmtl.board import overview
from visionmtl.callbacks.callback import Callback, Logs, Session
from visionmtl.errors import UsageError
from visionmtl.files import write_text

FILE = "trackers.json"  # in a run folder: under which name each service knows the run
NEEDED = {"mlflow": ("mlflow", "pandas"), "wandb": ("wandb",)}  # packages, by what training.log says


class Tracker(Callback):
    """Logs each epoch by the Keras callback of a tracking service, under the settings of the recipe.

    A run that goes on is gone on with there too. Points by step are TensorBoard's.

    Args:
        run: the run folder.
        settings: of the recipe, flat.
    """

    priority = 61
    of_chief = True
    service: ClassVar[str] = ""

    def __init__(self, run: Path, settings: Mapping[str, Any]):
        super().__init__()
        self.run, self.settings = run, dict(settings)
        self.own: keras.callbacks.Callback | None = None

    @classmethod
    def of_session(cls, session: Session) -> Sequence[Self]:
        recipe = session.recipe
        return [cls(session.run, dict(overview.settings(recipe)))] if cls.service in recipe.training.log else []

    def begin(self, known: str | None) -> tuple[keras.callbacks.Callback, str]:
        """Begin a run of the service, or go on with a `known` one; return the service's callback and the run's name."""
        raise NotImplementedError

    def end(self) -> None:
        """End the run, once all is sent or written."""
        raise NotImplementedError

    def on_train_begin(self, logs: Logs = None) -> None:
        known = _read(self.run)
        try:
            self.own, name = self.begin(known.get(self.service))
        except Exception as error:  # of whatever kind a service has
            raise UsageError(f"training.log has '{self.service}', which could not begin: {_first(error)}") from error
        write_text(self.run / FILE, json.dumps(known | {self.service: name}, indent=2) + "\n")
        self.own.set_params(self.params)
        self.own.set_model(self.model)
        self.own.on_train_begin(logs)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        figures = {name: float(value) for name, value in (logs or {}).items()}
        self._attempt(lambda own: own.on_epoch_end(epoch, figures), f"did not take epoch {epoch + 1}")

    def close(self) -> None:
        self._attempt(lambda _: self.end(), "could not end its run")
        self.own = None

    def _attempt(self, call: Callable[[keras.callbacks.Callback], Any], failed: str) -> None:
        """Call the service; tell what fails of it, as a training is worth more than its record in another place."""
        if self.own is None:
            return
        try:
            call(self.own)
        except Exception as error:  # of whatever kind a service has
            kept = f"The training is as it was, and '{self.run / 'history.csv'}' has every epoch."
            terminal.tell(f"'{self.service}' of training.log {failed}: {_first(error).rstrip('.')}. {kept}")


def check(log: Iterable[str]) -> None:
    """Refuse services whose packages are not installed.

    Raises:
        UsageError: one is not.
    """
    lacking = {
        name: packages
        for name in log
        if (packages := [each for each in NEEDED.get(name, ()) if importlib.util.find_spec(each) is None])
    }
    if lacking:
        packages = list(itertools.chain(*lacking.values()))
        told = f"training.log has {' and '.join(map(repr, lacking))}, but {' and '.join(packages)}"
        verb, them = "are" if len(packages) > 1 else "is", "them" if len(lacking) > 1 else "it"
        raise UsageError(
            f"{told} {verb} not installed: pip install 'visionmtl[{','.join(lacking)}]', or leave {them} out."
        )


def _first(error: Exception) -> str:
    """Return the first line of what a service says."""
    return str(error).strip().partition("\n")[0] or type(error).__name__


def _read(run: Path) -> dict[str, str]:
    """Return under which name each service knows a run; nothing where that was not kept."""
    try:
        known = json.loads((run / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}
