"""What a training tells of itself while it runs: a line an epoch, and at a terminal a bar within the epoch."""

import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any, Self

import tensorflow as tf

from visionmtl import terminal
from visionmtl.callbacks.callback import Callback, Logs, Session
from visionmtl.callbacks.epoch_lines import EpochLines, bar, column, figure
from visionmtl.callbacks.pace import Pace, shown

WIDTH = 80  # of all lines, where the terminal has as many
AGAIN = 20  # lines after which the header is shown again
OFTEN = 0.2  # seconds between two bars
SIZES = {"loss": 7, "": 6}  # letters of a loss, and of another figure


class Progress(Callback):
    """Print a line an epoch: each task's training loss and, where it was validated, its first metric; the time left and
    the most memory that was taken. `History` writes all other figures.

    Args:
        steps: of an epoch; 0 where nobody knows.
        bars: whether to show a bar within an epoch; None for where the output is a terminal.

    Example:
        >>> history = model.fit(dataset, epochs=2, verbose=0, callbacks=[Progress()])  # doctest: +ELLIPSIS
        Losses are of training...
    """

    priority = 52
    of_chief = True

    def __init__(self, steps: int = 0, bars: bool | None = None):
        super().__init__()
        self.steps, self.bars = steps, bars
        self.lines: EpochLines | None = None
        self.told, self.drawn, self.epoch, self.step = 0, 0.0, 0, 0

    @classmethod
    def of_session(cls, session: Session) -> Sequence[Self]:
        verbose = session.recipe.training.verbose
        return [] if verbose == 0 else [cls(session.steps, None if verbose is None else verbose == 1)]

    def on_train_begin(self, logs: Logs = None) -> None:
        self.epochs = int((self.params or {}).get("epochs") or 1)
        self.pace = Pace(self.epochs, self.steps or int((self.params or {}).get("steps") or 0))
        self.show = sys.stdout.isatty() if self.bars is None else self.bars
        self.tasks = {name: task.primary for name, task in getattr(self.model, "tasks", {}).items()}
        self.lines, self.told = None, 0
        self.model.tracing = self._tracing

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self.epoch, self.step = epoch, 0
        self.pace.begin()

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        self.step = batch + 1
        position = getattr(self.model, "position", None)
        if position is None or not position.passed:
            self.pace.went()
        if self._due(self.step):
            known = [f"{self.step}/{self.pace.steps}" if self.pace.steps else str(self.step)]
            known += [f"loss {figure(logs, 'loss')}"] if logs and "loss" in logs else []
            known += [] if self.pace.step is None else [f"{self.pace.step:.2f} s a step"]
            left = shown(self.pace.left(self.epoch, self.step))
            known += [f"{left} left"] if left else []
            self._draw(*known, fraction=self.step / (self.pace.steps or self.step))

    def on_test_begin(self, logs: Logs = None) -> None:
        self.pace.end()
        self._draw("validating")  # the first time, it is traced before there is a batch

    def on_test_batch_end(self, batch: int, logs: Logs = None) -> None:
        if self._due(batch + 1):
            self._draw(f"validating, {batch + 1} {'batches' if batch else 'batch'}")

    def on_test_end(self, logs: Logs = None) -> None:
        self._draw("measuring")

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self.pace.end()
        logs = logs or {}
        self._draw()
        if self.lines is None:
            self.lines = self._columns()
            print(terminal.told("Losses are of training, other figures of validation."))
        if self.told % AGAIN == 0:
            print(self.lines.header)
        self.told += 1
        row = [[f"{epoch + 1}/{self.epochs}"]]
        row += [
            [figure(logs, f"{task}_loss"), figure(logs, f"val_{task}_{metric}")] for task, metric in self.tasks.items()
        ] or [[figure(logs, "loss"), figure(logs, "val_loss")]]
        row += [[shown(self.pace.left(epoch, self.pace.steps))], [memory()]]
        print(self.lines.row(row), flush=True)
        self._draw("saving")

    def on_train_end(self, logs: Logs = None) -> None:
        self._draw()
        del self.model.tracing

    def _tracing(self, compares: bool, size: tuple[int, int] | None) -> None:
        """Tell that the next step takes long: it is the first that compares gradients, or at a size of images."""
        what = "tracing the comparing step" if compares else "tracing the step"
        what += "" if size is None else f" at {size[0]} x {size[1]}"
        if self.show:
            self._draw(what)
        else:
            terminal.tell(f"{what.capitalize()} ...")

    def _columns(self) -> EpochLines:
        columns = [column("", epoch=2 * len(str(self.epochs)) + 1)]
        columns += [
            column(task, **{"loss": SIZES["loss"], metric: SIZES[""]}) for task, metric in self.tasks.items()
        ] or [column("", loss=SIZES["loss"], val_loss=SIZES["loss"])]
        return EpochLines([*columns, column("", left=7), column("", memory=7)], terminal.width(WIDTH))

    def _due(self, number: int) -> bool:
        """Return whether to draw a bar now: not too often, but the first of all."""
        now = time.perf_counter()
        if not self.show or (number > 1 and now - self.drawn < OFTEN):
            return False
        self.drawn = now
        return True

    def _draw(self, *known: str, fraction: float | None = None) -> None:
        """Draw what is known of an epoch over the line, nothing for an empty one; what is told next takes its place."""
        if not self.show:
            return
        parts, columns = [f"{self.epoch + 1}/{self.epochs}", *known] if known else [], terminal.width(WIDTH, 0) - 1
        while len("  ".join(parts)) > columns and len(parts) > 3:
            del parts[-2]  # the time left, at the end, tells most
        room = columns - len("  ".join(parts)) - 2
        if fraction is not None and room >= 6:
            parts.insert(1, bar(fraction, min(room, 24)))
        terminal.draw("  ".join(parts), WIDTH)


def memory() -> str:
    """Return the most memory taken so far: on the GPU that took most, else of the process; nothing where unknown."""
    gpus = [gpu.name for gpu in tf.config.list_logical_devices("GPU")]
    taken: list[Mapping[str, Any]] = [tf.config.experimental.get_memory_info(name) for name in gpus]
    most = max((int(each["peak"]) for each in taken), default=0) or _resident()
    return f"{most / 1e9:.1f} GB" if most else ""


def _resident() -> int:
    """Return the most bytes of memory that the process had; 0 where the system does not say."""
    try:
        import resource
    except ImportError:  # Windows
        return 0
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
