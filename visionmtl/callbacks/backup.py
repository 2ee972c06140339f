"""The state that an interrupted training goes on from."""

from pathlib import Path

import keras

from visionmtl.files import written_whole


class Backup(keras.callbacks.Callback):
    """Keeps the state that an interrupted training goes on from: the newest `checkpoints/epoch-<n>.keras`.

    Written when epoch n + 1 begins: whatever else is written about epoch n is there by then.
    """

    def __init__(self, run: Path):
        super().__init__()
        self.run = run

    def on_epoch_begin(self, epoch, logs=None):
        done, older = checkpoint(self.run)
        if epoch > done:
            with written_whole(self.run / "checkpoints" / f"epoch-{epoch}.keras") as partial:
                self.model.save(partial)
            if older is not None:
                older.unlink()


def checkpoint(run: Path) -> tuple[int, Path | None]:
    """Return how many epochs are behind a run's newest checkpoint, and its file; 0 and None if there is none."""
    found = {int(path.stem.removeprefix("epoch-")): path for path in run.glob("checkpoints/epoch-*.keras")}
    return max(found.items(), default=(0, None))
