"""A study of trials that are really trained, killed in the middle and gone on with, as on the command line."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from visionmtl import recipe as recipes
from visionmtl.training import runs

ROOT = Path(__file__).parents[4]
SHIM = """
import sys

if "visionmtl" in " ".join(sys.orig_argv):
    sys.path.append({!r})
    import toy_backbone

    toy_backbone.register()
"""
RECIPE = """
data:
  source: garments
  image_size: [32, 32]
  batch_size: 4
  options: {train: 8, validation: 4, test: 4}
tasks: {classification: {}}
model: {backbone: toy, neck: {channels: 8}}
training: {epochs: 2, checkpoint: 1}
balancing: {watch: null}
"""


@pytest.fixture
def start(tmp_path, monkeypatch):
    """A function that starts `visionmtl tune` in a folder of its own, where a recipe can name the toy backbone."""
    (tmp_path / "sitecustomize.py").write_text(SHIM.format(str(ROOT / "benchmarks")))
    (tmp_path / "mine.yaml").write_text(RECIPE)
    monkeypatch.chdir(tmp_path)
    where = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}", "TF_CPP_MIN_LOG_LEVEL": "3"}

    def begin(*arguments):
        command = [sys.executable, "-m", "visionmtl", "tune", *arguments]
        return subprocess.Popen(command, env=where, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    return begin


@pytest.mark.slow
def test_a_killed_study_goes_on_with_the_trial_that_was_killed_and_counts_it_once(start):
    study = start("mine.yaml", "--search", "training.learning_rate=1e-4..1e-2", "--trials", "1", "--run", "study")
    checkpoints = Path("study/trials/0/checkpoints")
    while study.poll() is None and not (checkpoints.is_dir() and any(checkpoints.iterdir())):
        time.sleep(0.05)
    assert study.poll() is None, study.stdout.read()
    study.send_signal(signal.SIGKILL)
    study.wait()

    again = start("study", "--trials", "2", "--export", "best.yaml")
    printed = again.communicate()[0]
    assert again.returncode == 0, printed
    assert "Trial 0 was stopped on its way: it goes on." in printed
    assert printed.count("training.learning_rate=") == 2, printed
    assert "Going on from" in Path("study/trials/0.txt").read_text()
    assert sorted(path.name for path in Path("study/trials").iterdir() if path.is_dir()) == ["0", "1"]
    assert len(runs.read_history(Path("study/trials/0"))) == 2
    rates = [runs.read_recipe(f"study/trials/{number}").training.learning_rate for number in (0, 1)]
    assert recipes.load("best.yaml").training.learning_rate in rates
