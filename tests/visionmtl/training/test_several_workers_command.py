"""`visionmtl train` over two workers on loopback: one is killed, the job goes on, and is as one of a piece on one.

A data worker makes the batches of both, each worker is in a folder of its own, and the chief writes the run into its.
"""

import json
import os
import re
import shutil
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
SMALL += ("training.accumulate=3", "training.epochs=3")  # two steps an epoch: it is killed in the middle of an update


def started(folders, die, *words):
    """Start the two workers of a command, each in a folder, of which the second dies at a place."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    cluster = {"worker": [f"127.0.0.1:{one.getsockname()[1]}" for one in held]}
    for one in held:
        one.close()
    processes = []
    for number, (folder, place) in enumerate(zip(folders, (("-", "-"), die), strict=True)):
        task = json.dumps({"cluster": cluster, "task": {"type": "worker", "index": number}})
        path = os.pathsep.join(map(str, sys.path))
        environment = os.environ | {"TF_CONFIG": task, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": path}
        command = [sys.executable, worker_command.__file__, *place, *words]
        pipe = subprocess.PIPE
        began = subprocess.Popen(command, cwd=folder, env=environment, stdout=pipe, stderr=pipe, text=True)
        processes.append(began)
    return processes


@pytest.fixture
def service():
    """The address of a service with one data worker, a process of its own."""
    command = [sys.executable, "-m", "visionmtl", "data", "serve", "--host", "127.0.0.1"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, sys.path))}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    yield re.search(r"grpc://[\d.:]+", process.stdout.readline())[0]
    process.kill()
    process.wait()


def contents(folder):
    """The files below a folder, by their paths, with what they hold."""
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def ended(process):
    said, complained = process.communicate(timeout=900)
    return process.returncode, said, complained


def numbers(given):
    """A figure, or those of all classes, as numbers; NaN for one that is not known."""
    return np.array(list(given.values()) if isinstance(given, dict) else given, float)


@pytest.mark.slow
@pytest.mark.usefixtures("toy_by_name")
def test_a_worker_is_killed_and_the_job_goes_on_as_one_of_a_piece(tmp_path, service):
    recipe, folders = tmp_path / "recipe.yaml", [tmp_path / "chief", tmp_path / "other"]
    recipe.write_text(small(*SMALL, f"data.service={service}").dump())
    for folder in folders:
        folder.mkdir()
    run, others = [folder / "run" for folder in folders]

    chief, other = started(folders, ("1", "1"), "train", str(recipe), "--run", "run")
    other.wait(900)
    died = time.monotonic()
    status, said, complained = ended(chief)
    assert status == 75, complained
    assert time.monotonic() - died < 60
    assert "Worker 1 (127.0.0.1:" in complained
    assert "visionmtl train --resume run" in complained
    assert "this is worker 0" in said
    assert f"The data workers of {service} make the batches" in said
    assert "this is worker 1" in ended(other)[1]
    assert not any(folders[1].iterdir())

    shutil.copytree(run, others)
    left = contents(others)
    workers = [ended(each) for each in started(folders, ("-", "-"), "train", "--resume", "run")]
    assert [status for status, _, _ in workers] == [0, 0], workers
    assert "Going on from" in workers[0][1]
    assert "which writes nothing into the run folder" in workers[1][1]
    assert contents(others) == left
    changed = {path.name for path, held in contents(run).items() if left.get(path) != held}
    assert {"metrics.json", "last.keras", "report.html"} <= changed
    assert not any(words in said[2] for said in workers for words in ("were read here", "reads the rest"))

    alone = training.train(small(*SMALL), tmp_path / "alone")
    together = runs.read_metrics(run)
    for metric, value in alone["validation"]["classification"].items():
        np.testing.assert_allclose(numbers(together["validation"]["classification"][metric]), numbers(value), atol=1e-5)
    for one, two in zip(runs.read_history(tmp_path / "alone"), runs.read_history(run), strict=True):
        for log in one.keys() - {"seconds"}:
            np.testing.assert_allclose(numbers(two[log]), numbers(one[log]), atol=1e-5, err_msg=log)
    models = [runs.load_model(folder / "last.keras")[0] for folder in (tmp_path / "alone", run)]
    for one, two in zip(*(model.get_weights() for model in models), strict=True):
        np.testing.assert_allclose(two, one, atol=1e-5)
