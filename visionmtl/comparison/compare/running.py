"""The cells of a comparison trained and measured, so many at once, each in a process of its own."""

import contextlib
import math
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from visionmtl.comparison.compare import places
from visionmtl.comparison.compare.cells import Cell, Cells
from visionmtl.comparison.compare.children import Child
from visionmtl.comparison.processes import why_ended
from visionmtl.errors import UsageError
from visionmtl.files import write_text
from visionmtl.stopping import Stop
from visionmtl.training import lock

PAUSE = 0.1  # seconds between looks at the processes
PATIENCE = 2.0  # seconds between looks at what another process trains


@dataclass(frozen=True)
class Done:
    """A cell that ended.

    Attributes:
        cell: which.
        seconds: that its process took.
        why: it failed; None where it did not.
    """

    cell: Cell
    seconds: float
    why: str | None = None


class Runner:
    """Runs a command for each of some cells.

    Args:
        cells: where they lie.
        stop: whether to stop: the processes are asked to, and waited for.
        at_once: the environment of each process that may run at once, from `places`.
    """

    def __init__(self, cells: Cells, stop: Stop, at_once: Sequence[Mapping[str, str]] = ({},)):
        self.cells, self.stop = cells, stop
        self.free = list(at_once)
        self.at_work: dict[str, tuple[Cell, Child, Mapping[str, str]]] = {}
        self.waiting: set[str] = set()  # for what other processes train

    def run(
        self,
        ready: Callable[[], Sequence[Cell]],
        done: Callable[[Done], Any],
        words: Callable[[Cell], Sequence[str]],
        is_over: Callable[[Cell], bool],
        costs: bool = True,
    ) -> None:
        """Run a command for each cell that is ready, until none is.

        Args:
            ready: returns the cells that are due, those at work among them.
            done: is told of each that ended.
            words: returns what stands behind `visionmtl` for a cell.
            is_over: returns whether it is done for a cell.
            costs: whether what the processes take is noted as the cell's.

        Raises:
            stopping.Stopped: it was asked to stop; every process has.
        """
        self.words, self.is_over, self.costs = words, is_over, costs
        self.stop.patient = True
        try:
            while True:
                self.stop.check()
                wanted = {cell.hash: cell for cell in ready()}
                self._start([cell for key, cell in wanted.items() if key not in self.at_work], done)
                if not wanted and not self.at_work:
                    return
                self._wait(done)
        except BaseException:
            self._end()
            raise
        finally:
            self.stop.patient = False

    def _start(self, wanted: Sequence[Cell], done: Callable[[Done], Any]) -> None:
        """Start as many cells as there are places, those first that no other process trains."""
        for cell in wanted:
            if not self.free:
                return
            if _is_held(self.cells.run(cell)):
                self._wait_for(cell)
                continue
            place = self.free.pop(0)
            self.cells.root.mkdir(parents=True, exist_ok=True)
            child = Child(self.words(cell), self.cells.beside(cell, ".log"), place)
            self.at_work[cell.hash] = (cell, child, place)

    def _wait(self, done: Callable[[Done], Any]) -> None:
        """Return once a process has ended, or was asked to stop, or it is time to look at what others train."""
        until = time.monotonic() + PATIENCE if self.waiting and self.free else float("inf")
        while self.stop.number is None and time.monotonic() < until:
            ended = [key for key, (_, child, _) in self.at_work.items() if child.ended()]
            for key in ended:
                self._ended(key, done)
            if ended:
                return
            time.sleep(PAUSE)

    def _ended(self, key: str, done: Callable[[Done], Any] | None) -> None:
        """Note what became of a cell whose process has ended."""
        cell, child, place = self.at_work.pop(key)
        self.free.append(place)
        notes = self.cells.notes(cell) if self.costs else {}
        wall = round(notes.get("wall", 0.0) + child.seconds, 1)
        if self.costs:
            memory = max(notes.get("memory", 0), child.memory) or None
            cores = min(notes.get("cores", math.inf), places.cores_of(place))
            known = {"cores": cores if math.isfinite(cores) else None}
            self.cells.note(cell, {"memory": memory, "wall": wall, "failed": None, **known})
        self.cells.forget(cell)
        self.cells.slim(cell)
        if done is not None:
            over = self.is_over(cell) or _is_held(self.cells.run(cell))
            done(Done(cell, wall, None if over else why_ended(child.log, child.status or 0)))

    def _wait_for(self, cell: Cell) -> None:
        if cell.hash not in self.waiting:
            self.waiting.add(cell.hash)
            print(f"{self.cells.run(cell)} is trained by another process: its end is waited for.", flush=True)

    def _end(self) -> None:
        """Ask every process to stop, and wait until all have; asked once more, they stop at once."""
        for _ in range(2):
            with contextlib.suppress(KeyboardInterrupt):
                for _, child, _ in self.at_work.values():
                    child.ask(self.stop.number or signal.SIGTERM)
                while not all(child.ended() for _, child, _ in self.at_work.values()):
                    time.sleep(PAUSE)
                break
        for key, (_, child, _) in list(self.at_work.items()):
            if not child.ended():
                child.kill()
            with contextlib.suppress(UsageError):  # that nothing can be written may be why it ends
                self._ended(key, None)


def training(cells: Cells, cell: Cell) -> list[str]:
    """Return what stands behind `visionmtl` to train a cell, or to go on with it; its recipe lies beside it."""
    run, file = cells.at_home(cell), cells.beside(cell, ".yaml")
    if (run / "recipe.yaml").is_file() or (run / "checkpoints").is_dir():
        return ["train", "--resume", str(run)]
    write_text(file, cell.recipe.dump())
    return ["train", str(file), "--run", str(run)]


def _is_held(run: Path) -> bool:
    """Return whether some process trains in a run folder."""
    try:
        lock.refuse_held(run)
    except UsageError:
        return True
    return False
