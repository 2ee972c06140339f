"""Processes are killed for real, and a run is looked at before each of its writes: nothing is ever lost."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import chaos_artefacts
import keras
import pytest
from chaos_shim import Shim
from small_recipe import small

from visionmtl import csvfile, training
from visionmtl.checkpoints import folder
from visionmtl.training import lock, session

HERE = Path(__file__).parents[3]
RECIPE = (
    "data.image_size=[32, 32]",
    "tasks={classification: {}, segmentation: {}}",
    "balancing.watch=null",
    "training.checkpoint=1",
)


class States:
    """Looks at a run before every change of its files, and keeps those states that it would go on from differently."""

    def __init__(self, run, kept):
        self.run, self.kept, self.known, self.whole = run, kept, {}, set()
        self.newest = None

    def __call__(self, number, kind, path):
        if (self.run / "recipe.yaml").is_file():
            self.check()
            found = self.newest
            state = (found.place if found else None, found.about.get("finished") if found else None, self.best())
            if state not in self.known:
                self.known[state] = self.kept / str(number)
                shutil.copytree(self.run, self.known[state], ignore=shutil.ignore_patterns(lock.LOCK))

    def check(self):
        """Every file of its own name is whole, and the newest checkpoint is never an earlier one than before."""
        changed = False
        for file in [file for file in self.run.rglob("*") if file.is_file()]:
            stamp = (file, file.stat().st_mtime_ns, file.stat().st_ino)
            if stamp not in self.whole:
                assert chaos_artefacts.broken(file) is None
                self.whole.add(stamp)
                changed = changed or file.suffix == ".ckpt"
        if changed or self.newest is None:
            found, damaged = folder.newest(self.run)
            assert not damaged
            assert self.newest is None or found.place >= self.newest.place
            self.newest = found

    def best(self):
        file = self.run / "best.keras"
        return file.stat().st_ino if file.is_file() else None


def end_of(run):
    """What a run has come to."""
    end = {"history": [{key: row[key] for key in row if key != "seconds"} for row in csvfile.read(run / "history.csv")]}
    for name in ("last.keras", "best.keras"):
        end |= {f"{name} {key}": value for key, value in chaos_artefacts.weights(run / name).items()}
    return end


@pytest.mark.slow
@pytest.mark.usefixtures("toy_by_name")
def test_a_run_that_ends_before_any_of_its_writes_becomes_the_uninterrupted_one(tmp_path, monkeypatch):
    run = tmp_path / "run"
    states = States(run, tmp_path / "states")
    keras.backend.clear_session()  # which counts layers on
    with Shim(run, states).installed() as shim:
        training.train(small(*RECIPE), run)
    assert shim.count > 100
    assert len(states.known) > 6
    monkeypatch.setattr(session, "finish", lambda *given: {})
    whole = end_of(run)
    for state, stopped in states.known.items():
        keras.backend.clear_session()
        training.resume(stopped)
        assert not chaos_artefacts.differences(whole, end_of(stopped)), state
        assert not [path for path in stopped.rglob("*") if "partial" in path.name]


def strike(folder, *options):
    """Run chaos, and return its exit status and what it printed."""
    command = [sys.executable, HERE / "benchmarks" / "chaos.py", "--jobs", "1", "--folder", folder, *options]
    environment = os.environ | {"PYTHONPATH": str(HERE)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr[-3000:]


@pytest.mark.slow
def test_a_dozen_kills_of_real_processes_lose_nothing(tmp_path):
    status, said = strike(tmp_path, "--kills", "12", "--what", "train,pack,export,cache")
    assert status == 0, said


@pytest.mark.slow
def test_a_comparison_that_is_killed_with_its_cell_comes_to_the_same_end(tmp_path):
    status, said = strike(tmp_path, "--kills", "1", "--what", "compare")
    assert status == 0, said
