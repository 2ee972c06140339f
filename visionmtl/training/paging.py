"""The page of a run that is not over: written after every validation, and when the training ends, whatever ended it."""

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from visionmtl import report, terminal
from visionmtl.callbacks import Callback, Session
from visionmtl.callbacks.callback import Logs
from visionmtl.errors import own_mistake


class Paging(Callback):
    """Write a run's `report.html` of what its folder holds so far.

    Args:
        run: the run folder.
    """

    priority = 95  # after the logs are in their files

    def __init__(self, run: Path):
        super().__init__()
        self.run = run

    @classmethod
    def of_session(cls, session: Session) -> Sequence[Self]:
        return [cls(session.run)]

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if any(name.startswith("val_") for name in logs or {}):
            self._write()

    def _write(self) -> None:
        """Write it, and tell what is in the way: no training ends for want of a page, which the next epoch writes."""
        try:
            report.write(self.run)
        except Exception as error:
            sentence = own_mistake(error) or f"a fault of visionmtl, {type(error).__name__}: {error}."
            terminal.tell(f"No {self.run / 'report.html'} for now, and the training goes on: {sentence}")

    def close(self) -> None:
        with contextlib.suppress(Exception):  # what ended the training is told, and that there is no page is less
            report.write(self.run)
