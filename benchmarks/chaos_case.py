"""One case of chaos: a work that is begun, struck, gone on with after every blow, and compared with one undisturbed."""

import pickle
import shutil
import signal
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import chaos_process
import numpy as np
from chaos_artefacts import differences
from chaos_process import Blow, Outcome
from chaos_shim import asked, between, full, within
from chaos_work import EPOCHS, STEPS, Work

from visionmtl.stopping import GO_ON_LATER

ASKED = {
    f"{name} within a write": number for name, number in {"Ctrl-C": signal.SIGINT, "SIGTERM": signal.SIGTERM}.items()
}
KILLS = ("killed at a moment", "killed between writes", "killed within a write")
FULL = ("no space from a write on", "files limited in size")
DISK = "full disk"
TORN = {kind: f"newest file {kind}" for kind in ("cut", "flipped", "empty", "missing")}
OF_WORK = {  # what each is struck by
    "train": (*KILLS, *FULL, *TORN.values(), DISK),
    "pack": (*ASKED, *KILLS, *FULL, *TORN.values()),
    "cache": (*KILLS, *FULL, *TORN.values()),
    "export": (*KILLS[:2], *FULL),
    "compare": (*KILLS, FULL[0]),
}
TRIES = 3  # to come to the end, where a file must be deleted first


@dataclass
class Struck:
    """A blow, and what came of it.

    Attributes:
        what, kind: which work, which blow.
        equal: whether in the end all was as without it.
        lost: steps that were made again.
        faults: what was wrong.
    """

    what: str
    kind: str
    equal: bool = True
    lost: int = 0
    faults: tuple[str, ...] = ()


class Case:
    """One work that is begun, struck and brought to its end in a folder of its own."""

    def __init__(self, work: Work, whole: Outcome, end: Path, folder: Path, random: np.random.Generator):
        self.work, self.whole, self.expected, self.folder, self.random = work, whole, end, folder, random
        self.log = folder.with_suffix(".log")
        self.made, self.rows = 0, list[Struck]()
        self.faults, self.torn = list[str](), set[object]()

    def run(self, kinds: list[str]) -> list[Struck]:
        """Strike it in each of these ways, or fewer where it ends before, and return what came of them."""
        mounted = DISK in kinds and chaos_process.small_disk(self.folder, "192m")
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            before: Outcome | None = None
            for kind in kinds:
                if kind == DISK and not mounted:
                    continue
                outcome = self._process(self._blow(kind))
                self._count(before, outcome)
                if self.work.is_done(outcome):
                    break
                self._struck(kind, outcome)
                before = outcome
            else:
                self._to_the_end(before)
            self._compare()
        finally:
            if mounted:
                chaos_process.unmounted(self.folder)
        for row in self.rows:
            row.equal, row.faults = not self.faults, tuple(self.faults)
        if not self.faults:
            shutil.rmtree(self.folder, ignore_errors=True)
        return self.rows

    def _process(self, blow: Blow | None = None) -> Outcome:
        return chaos_process.run(partial(self.work.do, self.folder), self.folder, self.log, blow)

    def _to_the_end(self, before: Outcome | None) -> None:
        for _ in range(TRIES):
            outcome = self._process()
            self._count(before, outcome)
            if self.work.is_done(outcome):
                return
            if not self.work.mend(self.folder, outcome):
                break
        self.faults.append(f"it does not come to its end, status {outcome.status}: {outcome.said[-1500:]}")

    def _count(self, before: Outcome | None, outcome: Outcome) -> None:
        """Count the steps that are made again after a blow, and how many of them need not have been."""
        steps = [number for word, number in outcome.reports if word == "step"]
        if before is not None and steps:
            again = self.made - (steps[0] - 1)
            kept = before.last("kept")
            self.rows[-1].lost = again
            torn = self.rows[-1].kind in TORN.values()
            if kept is not None and steps[0] - 1 < kept and not torn:
                self.faults.append(f"it went on from step {steps[0] - 1}, though {kept} was on the disk")
        self.made = max([self.made, *steps])

    def _struck(self, kind: str, outcome: Outcome) -> None:
        self.rows.append(Struck(self.work.name, kind))
        if not outcome.killed:
            told = "Cannot write" in outcome.said or "disk is full" in outcome.said
            expected = {2}
            if kind in ASKED:
                told, expected = "stopped by" in outcome.said, {GO_ON_LATER, 128 + ASKED[kind]}
            if outcome.status not in expected or not told or "Traceback" in outcome.said:
                self.faults.append(f"{kind}: status {outcome.status} with: {outcome.said[-1500:]}")
            if self.work.name == "train" and "train --resume" not in outcome.said and self.made:
                self.faults.append(f"{kind}: no command that goes on in: {outcome.said[-300:]}")
        broken = self.work.unreadable(self.folder)
        self.faults += [
            f"after '{kind}', {path}: {why}" for path, why in broken.items() if _stamp(path) not in self.torn
        ]
        if kind in TORN.values() and (newest := self.work.newest(self.folder)):
            _tear(newest, kind, self.random)
            self.torn.add(_stamp(newest))

    def _compare(self) -> None:
        broken = self.work.unreadable(self.folder)
        self.faults += [f"in the end, {path}: {why}" for path, why in broken.items()]
        left = [path for path in self.folder.rglob("*") if "partial" in path.name]
        self.faults += [f"left behind: {path}" for path in left]
        if self.faults:
            return
        outcome = chaos_process.run(partial(compared, self.work, self.folder, self.expected), self.folder, self.log)
        if outcome.status:
            self.faults.append(f"it differs: {outcome.said[-1500:]}")

    def _blow(self, kind: str) -> Blow:
        """Draw a moment for a blow that has a good chance to come before the end."""
        draw, whole = self.random, self.whole
        left = STEPS * EPOCHS - self.made
        share = max(0.3, left / (STEPS * EPOCHS)) if self.work.name == "train" else 1.0
        change = int(draw.integers(1, max(2, int(share * (whole.last("changes") or 1)))))
        after = int(draw.integers(1, left + 1)) if self.work.name == "train" and left else 0
        if kind in ASKED:
            return Blow(kind, strike=asked(change, ASKED[kind]))
        match kind:
            case "killed between writes":
                return Blow(kind, strike=between(change))
            case "killed within a write":
                return Blow(kind, strike=within(change))
            case "no space from a write on":
                return Blow(kind, strike=full(change))
            case "files limited in size":
                return Blow(kind, bytes=int(2 ** draw.uniform(13, 19)))
            case "full disk":
                return Blow(kind, after=max(1, after), room=int(draw.integers(0, 600_000)))
        if not after or draw.random() < 0.2:
            return Blow(kind, seconds=draw.uniform(0, _until_first_step(whole) if after else whole.seconds))
        return Blow(kind, after=after, seconds=draw.uniform(0, 0.2 if after < left else _after_last_step(whole)))


def compared(work: Work, folder: Path, expected: Path) -> int:
    """Print what differs from what was kept of a work undisturbed; return the exit status."""
    different = differences(pickle.loads(expected.read_bytes()), work.end(folder))
    print(", ".join(different))
    return int(bool(different))


def keep(work: Work, folder: Path, expected: Path) -> int:
    """Keep what an undisturbed work has come to; return the exit status."""
    expected.write_bytes(pickle.dumps(work.end(folder)))
    return 0


def _until_first_step(whole: Outcome) -> float:
    return next(at for at, (word, _) in zip(whole.moments, whole.reports, strict=True) if word == "step")


def _after_last_step(whole: Outcome) -> float:
    at = [at for at, (word, _) in zip(whole.moments, whole.reports, strict=True) if word == "step"]
    return whole.seconds - at[-1]


def _stamp(path: Path) -> object:
    """Return what a file is known by as long as nobody writes it."""
    return (path, path.stat().st_mtime_ns, path.stat().st_ino) if path.exists() else None


def _tear(path: Path, kind: str, random: np.random.Generator) -> None:
    content = bytearray(path.read_bytes())
    place = int(random.integers(0, max(1, len(content))))
    if kind == TORN["missing"] or not content:
        path.unlink()
    elif kind == TORN["flipped"]:
        content[place] ^= 1 << int(random.integers(0, 8))
        path.write_bytes(content)
    else:
        path.write_bytes(content[:place] if kind == TORN["cut"] else b"")
