"""The logs of every epoch, in a CSV file."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from visionmtl import csvfile
from visionmtl.callbacks.callback import Callback, Logs, Session


class History(Callback):
    """Write the logs of each epoch to a CSV file: `epoch` (from 1), then each log in the order of its first appearance.

    A log may appear late or now and then, as validation does: its other cells stay empty. A training that starts at
    a later epoch keeps the rows before it, so that a resumed run has one history.

    Args:
        path: the file, such as `history.csv`.
    """

    priority = 90
    of_chief = True

    def __init__(self, path: str | Path):
        super().__init__()
        self.path = Path(path)
        self.rows: list[dict[str, Any]] = []
        self.begun = False

    @classmethod
    def of_session(cls, session: Session) -> Sequence[Self]:
        return [cls(session.run / "history.csv")]

    def on_train_begin(self, logs: Logs = None) -> None:
        self.begun = False

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        if not self.begun:
            self.begun = True
            self.rows = csvfile.rows_before(self.path, "epoch", epoch + 1)

    def keep(self) -> list[dict[str, Any]]:
        return self.rows

    def go_on(self, kept: list[dict[str, Any]]) -> None:
        self.rows = kept

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self.rows.append({"epoch": epoch + 1} | {name: f"{float(value):.8g}" for name, value in (logs or {}).items()})
        csvfile.write(self.path, self.rows)
