"""Steps that were not finite: kept to be done again, and a training that has no others is stopped with advice."""

import json
import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import keras
import numpy as np
import tensorflow as tf

from visionmtl import terminal
from visionmtl.callbacks.backup import save_now
from visionmtl.callbacks.callback import Callback, Logs, Session
from visionmtl.errors import UsageError
from visionmtl.files import write_text, written_folder
from visionmtl.workers import ALONE, Workers

MOST = 3  # steps that a session keeps


class NonFinite(Callback):
    """Keeps the first steps whose loss or gradient is NaN or infinite, and stops a training that has no others.

    Such a step was skipped, so that the model still is what it was before it. `nan-<n>/` has it as `model.keras`, the
    batch as `batch.npz`, and in `step.json` the epoch, the step, the files, the seeds, the losses and the rate.

    Args:
        run: the run folder.
        patience: so many of them in a row stop the training; None for any number.
        names: returns the files of a batch, by epoch and step.
        watchers: the callbacks of the session, of which `Backup` saves where it is before the training is stopped.
        precision: what the model computes in, for the advice.
        scale: what `training.learning_rate` is multiplied by, for the advice.
        workers: that train together, each on a part of the batch; the chief writes all of it.

    Raises:
        UsageError: there were so many in a row; it says where they come from and what may help.
    """

    priority = 105

    def __init__(
        self,
        run: Path,
        patience: int | None = 10,
        names: Callable[[int, int], Sequence[str]] = lambda epoch, step: (),
        watchers: Sequence[Any] = (),
        precision: str = "float32",
        scale: float = 1.0,
        workers: Workers = ALONE,
    ):
        super().__init__()
        self.run, self.patience, self.names, self.watchers = run, patience, names, watchers
        self.precision, self.scale, self.workers = precision, scale, workers
        self.seen = self.kept = self.row = 0

    @classmethod
    def of_session(cls, session: Session) -> Sequence[Self]:
        recipe, names, watchers = session.recipe, session.datasets.names, session.watchers
        settings, workers = recipe.training, session.workers
        return [
            cls(session.run, settings.patience_nan, names, watchers, settings.precision, recipe.rate_scale, workers)
        ]

    def on_train_begin(self, logs: Logs = None) -> None:
        self.seen, self.row = self.model.guard.number, 0

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        guard = self.model.guard
        if guard.number == self.seen:
            self.row = 0
            return
        self.row += guard.number - self.seen
        self.seen = guard.number
        stops = self.patience is not None and self.row >= self.patience
        if self.workers.several and (stops or self.kept < MOST):
            guard.last = guard.last._replace(batch=_joined(guard.last.batch, self.workers))
        self.kept += 1
        if self.kept <= MOST and self.workers.is_chief:
            folder = self._keep(self.model.position.epoch, batch)
            again = f"see why by: visionmtl train --replay {shlex.quote(str(folder))}"
            step = f"Step {batch + 1} of epoch {self.model.position.epoch + 1}"
            terminal.tell(f"{step} is not finite and was skipped; {again}")
        if stops:
            save_now(self.watchers)
            raise UsageError(f"The last {self.row} steps were all NaN or infinite, and skipped. {self._advice()}")

    def _keep(self, epoch: int, step: int) -> Path:
        """Write what it takes to do the last step again, and return its folder."""
        batch, losses = self.model.guard.last
        taken = [int(path.name.removeprefix("nan-")) for path in self.run.glob("nan-*") if path.name[4:].isdecimal()]
        folder = self.run / f"nan-{max(taken, default=0) + 1}"
        about = {
            "epoch": epoch,
            "step": step,
            "files": list(self.names(epoch, step)),
            "losses": dict(zip(self.model.task_names, map(float, losses), strict=True)),
            "learning_rate": self._rate(),
            "seeds": [np.asarray(seed).tolist() for seed in seeds(self.model)],
        }
        with written_folder(self.run) as (unfinished, name):
            self.model.save(unfinished / "model.keras")
            arrays: dict[str, Any] = {} if batch is None else arrays_of(batch)
            np.savez(unfinished / "batch.npz", **arrays)
            write_text(unfinished / "step.json", json.dumps(about, indent=2) + "\n")
            name(folder)
        return folder

    def _advice(self) -> str:
        """Return where what is not finite comes from, and what may help."""
        batch, rate = self.model.guard.last.batch, self._rate() / self.scale
        found = None if batch is None else self.model.diagnose(batch)
        tips = []
        if found is None or not (found.images or found.labels):
            if self.precision == "mixed_float16":
                tips.append("training.precision=mixed_bfloat16, whose numbers do not overflow so soon")
            tips.append(f"a lower training.learning_rate, as {rate / 3:.1g} (it was {rate:.3g} here)")
            if self.model.clip_norm is None:
                tips.append("training.clip_norm=1")
        what = found.cause() if found is not None else "The batch is not known."
        start = (
            "go back to a checkpoint or start anew, with" if found is not None and found.weight else "What may help:"
        )
        return f"{what} {start} {'; '.join(tips)}." if tips else what

    def _rate(self) -> float:
        return float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))


def _joined(batch: Any, workers: Workers) -> Any:
    """Return a batch of which every worker has a part."""
    if batch is None:
        return None
    leaves = tf.nest.flatten(batch)
    whole = [np.concatenate(parts) for parts in zip(*workers.arrays(leaves), strict=True)]
    return tf.nest.pack_sequence_as(batch, whole)


def seeds(model: keras.Model) -> list[Any]:
    """Return the variables of a model's random draws, which its file does not hold."""
    saved = {id(variable) for variable in model.weights}
    return [variable for variable in model.variables if id(variable) not in saved]


def arrays_of(batch: Any) -> dict[str, np.ndarray]:
    """Return the arrays of a batch, a named tuple, by names such as `labels/cars/boxes`."""
    return {"/".join(path): leaf for path, leaf in _leaves(batch._asdict())}


def _leaves(tree: Any, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], np.ndarray]]:
    if isinstance(tree, Mapping):
        return [leaf for key, value in tree.items() for leaf in _leaves(value, (*path, key))]
    return [(path, tree)]
