"""Kills trainings, packings, exports and comparisons, fills disks and tears files; then counts what was lost for good.

    PYTHONPATH=. python benchmarks/chaos.py [--kills 200] [--minutes 60] [--seed 0] [--what train,pack] [--jobs 2]

Each case is begun, struck once to three times, gone on with after every blow by the command that a user would give, and
brought to its end; then all it has come to is compared with what came of it undisturbed, bit for bit. It exits with 1
if anything differs, if a file of its own name is not whole after a blow, or if more steps are made again than those
since the last checkpoint that was on the disk.

A checkpoint is due every two steps; the limit of 5% for the time that saving takes does not hold here, where a step
takes milliseconds. Every process is forked from this one, which has imported TensorFlow and built nothing: a kill costs
seconds.
"""

import argparse
import json
import math
import multiprocessing
import os
import shutil
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import chaos_process
import numpy as np
from chaos_case import OF_WORK, Case, Struck, compared, keep
from chaos_process import Outcome
from chaos_work import ALL, Work

from visionmtl import training  # noqa: F401 - imported once, before all that is forked
from visionmtl.report import tables

ORDER = ("train", "pack", "train", "export", "train", "cache", "compare")
MOST = 3  # blows a case


def undisturbed(name: str, root: Path) -> tuple[Work, Outcome, Path]:
    """Do a work without a blow, and return it, what became of it, and the file of what it has come to."""
    folder, expected = root / f"whole-{name}", root / f"whole-{name}.pickle"
    folder.mkdir()
    base = root / "whole-train" / "run" if name == "export" else root / "pictures"
    work = ALL[name](base)
    outcome = chaos_process.run(partial(work.do, folder), folder, root / f"{name}.log")
    if outcome.status:
        sys.exit(f"{name} fails undisturbed: {outcome.said}")
    for ask in (keep, compared):  # what is compared must be the same when it is read again
        kept = chaos_process.run(partial(ask, work, folder, expected), folder, root / f"{name}.log")
        if kept.status:
            sys.exit(f"{name} cannot be compared: {kept.said}")
    return work, outcome, expected


def cases(names: list[str], seed: int) -> Iterator[tuple[str, list[str]]]:
    """Yield without end the work of each case and its blows: each kind of each work in turn."""
    counts: dict[str, int] = defaultdict(int)
    random = np.random.default_rng(seed)
    for name in cycle([each for each in ORDER if each in names]):
        kinds = OF_WORK[name]
        blows = [kinds[(counts[name] + each) % len(kinds)] for each in range(int(random.integers(1, MOST + 1)))]
        counts[name] += len(blows)
        yield name, blows


def lane(root: Path, wholes: dict[str, Any], arguments: argparse.Namespace, shared: Any, out: Path) -> int:
    """Take the next case until there were enough blows; write what came of them, a line each."""
    began = time.monotonic()
    with out.open("w", encoding="utf-8") as file:
        ahead = enumerate(cases(list(wholes), arguments.seed))
        while True:
            with shared.get_lock():
                taken, struck = shared
                if struck >= arguments.kills or time.monotonic() > began + 60 * arguments.minutes:
                    return 0
                shared[0] += 1
            number, (name, kinds) = next(case for case in ahead if case[0] == taken)
            work, whole, expected = wholes[name]
            random = np.random.default_rng([arguments.seed, number])
            rows = Case(work, whole, expected, root / f"case-{number}", random).run(kinds)
            with shared.get_lock():
                shared[1] += len(rows)
            file.writelines(json.dumps(asdict(row)) + "\n" for row in rows)
            file.flush()
            _tell(number, name, rows)


def _tell(number: int, name: str, rows: list[Struck]) -> None:
    blows = ", ".join(f"{row.kind} ({row.lost} steps again)" if row.lost else row.kind for row in rows)
    told = "equal" if all(row.equal for row in rows) else "DIFFERENT"
    print(f"{number:4} {name:6} {told}: {blows or 'it came to its end before'}", flush=True)
    for fault in {fault for row in rows for fault in row.faults}:
        print(f"     {fault}", flush=True)


def read(root: Path) -> list[Struck]:
    """Return the blows that lanes have written down."""
    lines = [
        line for path in sorted(root.glob("lane-*.jsonl")) for line in path.read_text(encoding="utf-8").splitlines()
    ]
    return [Struck(**json.loads(line)) for line in lines]


def table(struck: list[Struck]) -> str:
    """Return what came of blows, by work and kind."""
    rows = []
    for name, kinds in OF_WORK.items():
        for kind in kinds:
            own = [row for row in struck if (row.what, row.kind) == (name, kind)]
            if own:
                again = max(row.lost for row in own) if name == "train" else None
                rows.append([name, kind, len(own), sum(row.equal for row in own), again])
    again = max((row.lost for row in struck), default=0)
    rows.append(["all", "", len(struck), sum(row.equal for row in struck), again])
    return tables.table(["what", "blow", "blows", "equal in the end", "steps made again, at most"], rows)


def main(arguments: argparse.Namespace) -> int:
    """Strike, print the table, and return the exit status."""
    if arguments.folder:
        Path(arguments.folder).mkdir(parents=True, exist_ok=True)
    root = Path(tempfile.mkdtemp(prefix="chaos-", dir=arguments.folder))
    names = [name for name in ALL if name in arguments.what.split(",")]
    needed = ["train", *names] if "export" in names and "train" not in names else names
    wholes = {name: undisturbed(name, root) for name in needed}
    shared = multiprocessing.Array("q", 2)  # cases that were begun, blows that have struck
    children = []
    for number in range(arguments.jobs):
        child = os.fork()
        if child == 0:
            out = root / f"lane-{number}.jsonl"
            os._exit(lane(root, {name: wholes[name] for name in names}, arguments, shared, out))
        children.append(child)
    broken = [child for child in children if os.waitpid(child, 0)[1]]
    struck = read(root)
    print(f"\n{table(struck)}")
    if broken or not all(row.equal for row in struck):
        print(f"\nWhat differs lies in {root}.")
        return 1
    shutil.rmtree(root)
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200, help="blows in all")
    parser.add_argument("--minutes", type=float, default=math.inf, help="after which no case is begun any more")
    parser.add_argument("--seed", type=int, default=0, help="of the blows")
    parser.add_argument("--what", default=",".join(ALL), help="which works")
    parser.add_argument("--jobs", type=int, default=2, help="cases at once")
    parser.add_argument("--folder", help="where runs are written")
    sys.exit(main(parser.parse_args()))
