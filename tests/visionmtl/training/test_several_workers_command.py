"""`visionmtl train` over two workers on loopback: one is killed, the job goes on, and is as one of a piece on one."""

import json
import os
import socket
import subprocess
import sys
import time

import numpy as np
import pytest
import worker_command
from small_recipe import small

from visionmtl import training
from visionmtl.training import runs

SMALL = ("tasks=[classification]", "data.options={train: 8, validation: 5, test: 4}", "balancing.watch=null")


def started(die, *words):
    """Start the two workers of a command, of which the second dies at a place; return the processes."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    cluster = {"worker": [f"127.0.0.1:{one.getsockname()[1]}" for one in held]}
    for one in held:
        one.close()
    processes = []
    for number, place in enumerate((("-", "-"), die)):
        task = json.dumps({"cluster": cluster, "task": {"type": "worker", "index": number}})
        path = os.pathsep.join(map(str, sys.path))
        environment = os.environ | {"TF_CONFIG": task, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": path}
        command = [sys.executable, worker_command.__file__, *place, *words]
        pipe = subprocess.PIPE
        processes.append(subprocess.Popen(command, env=environment, stdout=pipe, stderr=pipe, text=True))
    return processes


def ended(process):
    said, complained = process.communicate(timeout=900)
    return process.returncode, said, complained


def numbers(given):
    """A figure, or those of all classes, as numbers; NaN for one that is not known."""
    return np.array(list(given.values()) if isinstance(given, dict) else given, float)


@pytest.mark.slow
@pytest.mark.usefixtures("toy_by_name")
def test_a_worker_is_killed_and_the_job_goes_on_as_one_of_a_piece(tmp_path):
    given = small(*SMALL)
    recipe, run = tmp_path / "recipe.yaml", tmp_path / "run"
    recipe.write_text(given.dump())

    chief, other = started(("1", "1"), "train", str(recipe), "--run", str(run))
    other.wait(900)
    died = time.monotonic()
    status, said, complained = ended(chief)
    assert status == 75, complained
    assert time.monotonic() - died < 60
    assert "Worker 1 (127.0.0.1:" in complained
    assert f"visionmtl train --resume {run}" in complained
    assert "this is worker 0" in said
    assert "this is worker 1" in ended(other)[1]

    workers = [ended(each) for each in started(("-", "-"), "train", "--resume", str(run))]
    assert [status for status, _, _ in workers] == [0, 0], workers
    assert "Going on from" in workers[0][1]
    assert "which writes nothing into the run folder" in workers[1][1]

    alone = training.train(given, tmp_path / "alone")
    together = runs.read_metrics(run)
    for metric, value in alone["validation"]["classification"].items():
        np.testing.assert_allclose(numbers(together["validation"]["classification"][metric]), numbers(value), atol=1e-5)
    for one, two in zip(runs.read_history(tmp_path / "alone"), runs.read_history(run), strict=True):
        for log in one.keys() - {"seconds"}:
            np.testing.assert_allclose(numbers(two[log]), numbers(one[log]), atol=1e-5, err_msg=log)
    models = [runs.load_model(folder / "last.keras")[0] for folder in (tmp_path / "alone", run)]
    for one, two in zip(*(model.get_weights() for model in models), strict=True):
        np.testing.assert_allclose(two, one, atol=1e-5)
