"""A training with every watch on, in the short form of its benchmark."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
def test_a_training_traces_each_kind_of_step_once_and_leaves_no_file_open():
    command = [sys.executable, "benchmarks/soak.py", "--steps", "120", "--epochs", "3", "--counts"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("traces, ") == 3
