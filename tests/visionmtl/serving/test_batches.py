"""Requests wait in a line of bounded length, and are answered together, each by what is its own."""

import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import servers
from servers import Toy

from visionmtl.serving.runtimes.runtime import Signature, Tensor

URL = "/predict"


def red(answer):
    """The mean of the red channel that an answer tells, as a level."""
    return round(answer.json()["pictures"][0]["predictions"]["scene"]["red"] * 255)


@pytest.fixture
def held(monkeypatch):
    """A gate that no batch passes until it is set, once it is cleared, and what has run."""
    monkeypatch.setattr(Toy, "ran", [])
    monkeypatch.setattr(Toy, "came", [])
    yield Toy
    Toy.gate.set()


def wait(condition):
    """Return once something is so."""
    for _ in range(2000):
        if condition():
            return
        time.sleep(0.005)
    raise AssertionError("it never was so")


def arrived(line, held):
    """How many pictures are decoded: those that wait in the line, and those of the batches that have begun."""
    with line._changed:
        return sum(job.rows for job in line._jobs) + sum(held.came) - 1  # the one by which the version was tried


def test_what_comes_while_a_batch_runs_is_the_next_and_each_gets_its_own_answer(folder, held):
    with servers.served(folder, batch=4, queue=32) as client, ThreadPoolExecutor(9) as pool:
        held.gate.clear()
        asked = [pool.submit(client.post, URL, content=servers.png(level)) for level in range(20, 29)]
        wait(lambda: arrived(client.state.desk.line, held) == 9)
        held.gate.set()
        assert [red(each.result()) for each in asked] == list(range(20, 29))
    assert sum(held.ran) == 9 + 1
    assert max(held.ran) == 4


def test_pictures_of_different_sizes_are_cut_to_their_own(folder, held):
    sizes = [(4, 30), (30, 4), (8, 8)]
    with servers.served(folder) as client, ThreadPoolExecutor(4) as pool:
        held.gate.clear()
        first = pool.submit(client.post, URL, content=servers.png(1))
        wait(lambda: client.state.desk.line._rows == 1)
        asked = [
            pool.submit(client.post, "/v1/models/street:predict", json={"instances": [[[[9] * 3] * width] * height]})
            for height, width in sizes
        ]
        wait(lambda: client.state.desk.line._rows == 4)
        held.gate.set()
        assert red(first.result()) == 1
        for (height, width), each in zip(sizes, asked, strict=True):
            (told,) = each.result().json()["predictions"]
            assert (len(told["ground_classes"]), len(told["ground_classes"][0])) == (height, width)


def test_beyond_the_line_a_request_is_told_when_to_come_again(folder, held):
    with servers.served(folder, batch=1, queue=3) as client, ThreadPoolExecutor(3) as pool:
        held.gate.clear()
        asked = [pool.submit(client.post, URL, content=servers.png(level)) for level in (1, 2, 3)]
        wait(lambda: client.state.desk.line._rows == 3)
        refused = client.post(URL, content=servers.png(4))
        assert refused.status_code == 429
        assert int(refused.headers["retry-after"]) >= 1
        assert "try again in" in refused.json()["error"]
        held.gate.set()
        assert sorted(red(each.result()) for each in asked) == [1, 2, 3]
        assert red(client.post(URL, content=servers.png(4))) == 4


def test_a_request_of_more_pictures_than_may_wait_is_too_large_for_ever(folder):
    with servers.served(folder, batch=1, queue=2) as client:
        files = [("picture", (f"{number}.png", servers.png(number))) for number in range(3)]
        assert client.post(URL, files=files).status_code == 413


def test_a_request_of_more_pictures_than_a_batch_is_parted_and_joined(folder, monkeypatch):
    monkeypatch.setattr(Toy, "ran", [])
    with servers.served(folder, batch=2, queue=8) as client:
        instances = [[[[level] * 3] * 5] * 4 for level in range(5)]
        told = client.post("/v1/models/street:predict", json={"instances": instances}).json()["predictions"]
    assert [round(each["scene_probabilities"][0] * 255) for each in told] == list(range(5))
    assert Toy.ran[1:] == [2, 2, 1]


def test_a_model_that_takes_one_picture_at_a_time_is_given_one(folder, monkeypatch):
    with servers.served(folder, batch=4, queue=8) as client:
        runtime = client.state.versions.current.runtime
        one = Signature({"encoded": Tensor("DT_STRING", (1,))}, runtime.signatures["serving_bytes"].outputs)
        monkeypatch.setattr(runtime, "signatures", {"serving_bytes": one})
        monkeypatch.setattr(Toy, "ran", [])
        files = [("picture", (f"{level}.png", servers.png(level))) for level in (1, 2, 3)]
        told = client.post(URL, files=files).json()["pictures"]
    assert [round(each["predictions"]["scene"]["red"] * 255) for each in told] == [1, 2, 3]
    assert Toy.ran == [1, 1, 1]


def test_what_fails_for_one_picture_fails_for_no_other(folder, held, capfd):
    with servers.served(folder) as client, ThreadPoolExecutor(4) as pool:
        held.gate.clear()
        asked = [pool.submit(client.post, URL, content=servers.png(level)) for level in (1, 12, 13, 14)]
        wait(lambda: arrived(client.state.desk.line, held) == 4)
        held.gate.set()
        answers = [each.result() for each in asked]
    assert [each.status_code for each in answers] == [200, 200, 500, 200]
    assert [red(answers[row]) for row in (0, 1, 3)] == [1, 12, 14]
    assert "secret" not in answers[2].text
    assert "secret" in capfd.readouterr().err


def test_who_waits_too_long_is_told_and_the_picture_is_not_run(folder, held):
    with servers.served(folder, batch=1, seconds=0.4) as client, ThreadPoolExecutor(2) as pool:
        held.gate.clear()
        asked = [pool.submit(client.post, URL, content=servers.png(level)) for level in (1, 2)]
        assert [each.result().status_code for each in asked] == [504, 504]
        held.gate.set()
        wait(lambda: len(held.ran) == 2)  # the one that runs cannot be called back
        assert red(client.post(URL, content=servers.png(3))) == 3
    assert len(held.ran) == 3


def test_limits_on_bytes_and_pixels(folder):
    with servers.served(folder, body=2000, pixels=100) as client:
        assert client.post(URL, content=b"x" * 2001).status_code == 413
        assert client.post(URL, content=iter([b"x" * 1500, b"x" * 1500])).status_code == 413
        many = client.post(URL, content=servers.png(1, (11, 10)))
        assert (many.status_code, "more than 100 pixels" in many.json()["error"]) == (400, True)
        assert client.post(URL, content=servers.png(1, (10, 10))).status_code == 200
        pixels = {"instances": [[[[1, 1, 1]] * 11] * 10]}
        assert client.post("/v1/models/street:predict", json=pixels).status_code == 413


def test_a_request_that_comes_too_slowly_is_given_up(folder):
    with servers.served(folder, seconds=0.3) as client:
        with socket.create_connection((client.base_url.host, client.base_url.port), timeout=10) as connection:
            connection.sendall(b"POST /predict HTTP/1.1\r\nHost: toy\r\nContent-Length: 100\r\n\r\nx")
            assert connection.recv(1000).startswith(b"HTTP/1.1 408 ")
        assert client.post(URL, content=servers.png(1)).status_code == 200


def test_metrics_count_what_was_done(folder):
    with servers.served(folder) as client:
        client.post(URL, content=servers.png(1))
        client.post(URL, content=b"x")
        text = client.get("/metrics").text
    for line in (
        'visionmtl_requests_total{route="/predict",status="200"} 1.0',
        'visionmtl_requests_total{route="/predict",status="400"} 1.0',
        'visionmtl_pictures_total{outcome="unreadable"} 1.0',
        'visionmtl_model_version{model="street"} 1.0',
        "visionmtl_waiting_pictures 0.0",
    ):
        assert line in text.splitlines()
