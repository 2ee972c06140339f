"""What TensorFlow's profiler records of some steps."""

from collections.abc import Sequence
from pathlib import Path
from typing import Self

import tensorflow as tf

from visionmtl import terminal
from visionmtl.board import events, profiles
from visionmtl.callbacks.callback import Callback, Logs, Session


class Profile(Callback):
    """Have TensorFlow's profiler record some steps of a training, for TensorBoard's dashboard Profile.

    TensorBoard shows it where its plugin is installed (extra `profile`). Steps are counted from 1 over the whole
    training: one that goes on behind them records nothing. Each is marked, for the dashboard reckons by steps.

    Args:
        folder: where the record goes.
        first, last: the steps.
    """

    priority = 4  # what the other callbacks do between two steps is seen
    of_chief = True

    def __init__(self, folder: str | Path, first: int = 10, last: int = 20):
        super().__init__()
        self.folder, self.first, self.last = Path(folder), first, last
        self.begun = self.step = 0
        self.on = False
        self.mark: tf.profiler.experimental.Trace | None = None

    @classmethod
    def of_session(cls, session: Session) -> Sequence[Self]:
        wanted = session.recipe.training.profile
        return [] if wanted is None else [cls(session.run / "tensorboard" / "train", *wanted)]

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self.step = events.steps_behind(self.model)

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        if not self.on and self.step < self.last and self.step + 1 >= self.first and not self.begun:
            tf.profiler.experimental.start(str(self.folder))
            self.on, self.begun = True, self.step + 1
        if self.on:
            self.mark = tf.profiler.experimental.Trace("train", step_num=self.step + 1, _r=1)  # as Keras marks its own
            self.mark.__enter__()

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        if not getattr(getattr(self.model, "position", None), "passed", False):
            self.step += 1
        self._unmark()
        if self.on and self.step >= self.last:
            self._stop()

    def on_train_end(self, logs: Logs = None) -> None:
        self.close()

    def close(self) -> None:
        if self.on:
            self._stop()

    def _unmark(self) -> None:
        if self.mark is not None:
            self.mark.__exit__(None, None, None)
            self.mark = None

    def _stop(self) -> None:
        self._unmark()  # of a step that was broken off
        self.on = False
        tf.profiler.experimental.stop()
        lacking = "" if profiles.can_be_shown() else f", once it is installed: {profiles.INSTALL}"
        steps = f"Steps {self.begun} to {self.step} are profiled in {self.folder}"
        terminal.tell(f"{steps}; TensorBoard's dashboard Profile shows them{lacking}.")
