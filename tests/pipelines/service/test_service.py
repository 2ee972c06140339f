"""Batches that data workers make are those that are read here: each once, in order, whoever of them is killed."""

import os
import re
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

import pipelines
from pipelines.service import address, client, python_free
from pipelines.service.in_order import in_order


class Come:
    """Arrivals that are known before."""

    def __init__(self, *numbers):
        self.left = [*((number, f"from afar {number}") for number in numbers), None]

    def get(self):
        return self.left.pop(0)


def ordered(came, count, room=16):
    lost = []
    given = list(in_order(range(count), Come(*came), "here {}".format, room, lost.append))
    return given, lost


def test_what_comes_in_any_order_is_given_in_its_own_and_once():
    assert ordered([3, 0, 2, 1, 1], 4) == ([f"from afar {number}" for number in range(4)], [])


def test_what_does_not_come_is_made_here_and_a_late_one_is_dropped():
    given, lost = ordered([1, 2, 0, 3], 4, room=2)
    assert (given[0], given[1:], lost) == ("here 0", [f"from afar {number}" for number in (1, 2, 3)], [0])
    assert ordered([0], 3) == (["from afar 0", "here 1", "here 2"], [1, 2])


@pytest.mark.parametrize(
    "given", ["data:5050", "grpc://data", "grpc://data:0", "grpc://data:70000", "http://data:5050"]
)
def test_what_is_no_address_is_refused_before_anything_is_read(given):
    with pytest.raises(pipelines.DataError, match=r"expected grpc://host:port"):
        pipelines.load("nothing", service=given)


def test_a_service_that_does_not_answer_is_told():
    with pytest.raises(pipelines.DataError, match=r"nobody has answered .*`visionmtl data serve --port 9"):
        address.reach("grpc://127.0.0.1:9", seconds=0)


def test_what_is_read_in_python_is_refused():
    data = tf.data.Dataset.range(3).map(lambda x: x + 1)
    python_free.check(data)
    with pytest.raises(pipelines.DataError, match=r"data\.cache_folder"):
        python_free.check(data.map(lambda x: tf.numpy_function(np.square, [x], tf.int64)))


def serve(*words):
    """Start `visionmtl data serve`; return the process and the address that it names first."""
    command = [sys.executable, "-m", "visionmtl", "data", "serve", "--host", "127.0.0.1", *words]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, sys.path))}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    return process, re.search(r"grpc://[\d.:]+", process.stdout.readline())[0]


def arrays(data):
    return [[np.asarray(x) for x in tf.nest.flatten(batch)] for batch in data]


def same(found, expected):
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        for given, wanted in zip(one, other, strict=True):
            np.testing.assert_array_equal(given, wanted)


@pytest.mark.slow
def test_two_data_workers_give_each_sample_once_an_epoch_and_so_does_what_is_left_of_them(coco, tmp_path, monkeypatch):
    monkeypatch.setattr(client, "SILENCE", 10.0)
    for split, count in (("train", 24), ("val", 5)):
        coco({f"{i}.png": [(3, i, i % 12, 10, 10 + i % 12)] for i in range(count)}, at=f"data/{split}", masks=True)
    given = {"augmentation": {"flip": True, "scale": [0.7, 1.5]}, "path": tmp_path / "data"}
    here = pipelines.load("coco", (32, 48), 2, **given)
    epochs = [arrays(here.train) for _ in range(4)]
    assert len({batch[0].tobytes() for batch in epochs[0]}) == 12
    validation = arrays(here.validation)

    first, service = serve()
    second, _ = serve("--join", service)
    try:
        afar = pipelines.load("coco", (32, 48), 2, service=service, **given)
        assert afar.train.element_spec == here.train.element_spec
        same(arrays(afar.train), epochs[0])
        same(arrays(afar.validation), validation)
        same(arrays(afar.train), epochs[1])
        afar.seek(1, 5)
        same(arrays(afar.train.take(7)), epochs[1][5:])

        batches = iter(afar.train)
        begun = arrays([next(batches)])
        second.kill()
        same(begun + arrays(batches), epochs[2])

        first.kill()
        with pytest.warns(UserWarning, match="this machine reads the rest of this pass itself"):
            same(arrays(afar.train), epochs[3])
    finally:
        for process in (first, second):
            process.kill()
            process.wait()
