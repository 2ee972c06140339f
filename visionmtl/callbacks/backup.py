"""The state that an interrupted training goes on from."""

from collections.abc import Sequence
from pathlib import Path
from typing import Self

from visionmtl.callbacks.callback import Callback, Logs, Session
from visionmtl.files import written_whole


class Backup(Callback):
    """Keeps the state that an interrupted training goes on from: the newest `checkpoints/epoch-<n>.keras`.

    Written when epoch n + 1 begins, once averaged weights are swapped out again: whatever else is written about epoch n
    is there by then.

    Args:
        run: the run folder.
    """

    priority = 20

    def __init__(self, run: Path):
        super().__init__()
        self.run = run

    @classmethod
    def of_session(cls, session: Session) -> Sequence[Self]:
        return [cls(session.run)]

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        done, older = checkpoint(self.run)
        if epoch > done:
            with written_whole(self.run / "checkpoints" / f"epoch-{epoch}.keras") as partial:
                self.model.save(partial)
            if older is not None:
                older.unlink()


def checkpoint(run: Path) -> tuple[int, Path | None]:
    """Return how many epochs are behind a run's newest checkpoint, and its file; 0 and None if there is none."""
    files = {int(path.stem.removeprefix("epoch-")): path for path in run.glob("checkpoints/epoch-*.keras")}
    return max(files.items(), default=(0, None))
