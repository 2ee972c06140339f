"""A server in a process of its own under load loses nothing, mixes no answers up, and stops gracefully."""

import contextlib
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import numpy as np
import pytest
import served
import servers
import toys

from visionmtl import cli, export, serving
from visionmtl.errors import UsageError
from visionmtl.serving.server import listening

CLIENTS, EACH = 12, 30


def told(answer):
    """The levels of red, green and blue that an answer tells."""
    scene = answer.json()["pictures"][0]["predictions"]["scene"]
    return tuple(round(scene[name] * 255) for name in ("red", "green", "blue"))


@pytest.mark.slow
def test_under_load_and_a_new_version_nothing_is_lost_and_each_client_has_its_own_answer(folder):
    seconds, refused, versions = [], [], set()

    def ask(client, number):
        random = np.random.default_rng(number)
        for _ in range(EACH):
            level = tuple(random.integers(14, 256, 3).tolist())
            size = tuple(random.integers(4, 40, 2).tolist())
            began = time.perf_counter()
            while (answer := client.post("/predict", content=servers.png(level, size))).status_code == 429:
                refused.append(int(answer.headers["retry-after"]))
                time.sleep(0.05)
            seconds.append(time.perf_counter() - began)
            assert answer.status_code == 200
            assert told(answer) == level
            versions.add(answer.json()["version"])
            if len(seconds) == CLIENTS * EACH // 3:
                servers.write(folder, 2)
            picture = answer.json()["pictures"][0]
            assert (picture["height"], picture["width"]) == size

    with served.process(folder, "batch=4", "queue=8", "takes=0.002") as running, served.client(running) as client:
        with ThreadPoolExecutor(CLIENTS) as pool:
            list(pool.map(lambda number: ask(client, number), range(CLIENTS)))
        counted = client.get("/metrics").text
        until = time.monotonic() + 60
        while client.get("/labels").json()["version"] != 2:
            assert time.monotonic() < until
            time.sleep(0.05)
        running.send_signal(signal.SIGTERM)
        assert running.wait(30) == 143
    assert len(seconds) == CLIENTS * EACH
    assert 1 in versions
    assert f'visionmtl_requests_total{{route="/predict",status="200"}} {CLIENTS * EACH}.0' in counted
    at = np.percentile(seconds, (50, 90, 99))
    print(f"\n{len(seconds)} answers, {len(refused)} times told to come again;", end=" ")
    print("ms at 50, 90 and 99%:", *(f"{1000 * each:.1f}" for each in at))


@pytest.mark.slow
@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_what_is_in_flight_is_answered_before_it_stops(folder, number, status):
    with served.process(folder, "batch=1", "takes=0.5") as running, served.client(running) as client:
        with ThreadPoolExecutor(4) as pool:
            asked = [pool.submit(client.post, "/predict", content=servers.png(level)) for level in (20, 30, 40, 50)]
            while "visionmtl_waiting_pictures 4.0" not in client.get("/metrics").text:
                time.sleep(0.02)
            running.send_signal(number)
            assert sorted(told(each.result())[0] for each in asked) == [20, 30, 40, 50]
        _, errors = running.communicate(timeout=30)
        assert running.returncode == status
        assert "All requests in flight were answered." in errors


@pytest.mark.slow
def test_what_takes_longer_than_a_request_may_is_given_up_when_it_stops(folder):
    with served.process(folder, "batch=1", "takes=6", "seconds=60") as running, served.client(running) as client:
        with ThreadPoolExecutor(1) as pool:
            asked = pool.submit(client.post, "/predict", content=servers.png(1))
            while "visionmtl_waiting_pictures 1.0" not in client.get("/metrics").text:
                time.sleep(0.02)
            running.send_signal(signal.SIGTERM)
            time.sleep(1.5)
            running.send_signal(signal.SIGTERM)
            with contextlib.suppress(httpx.HTTPError):
                assert asked.result().status_code == 500
        _, errors = running.communicate(timeout=60)
        assert running.returncode == 143
        assert "1 requests were given up." in errors


@pytest.mark.slow
def test_the_command_serves_what_is_exported(tmp_path):
    export.save(toys.model(toys.tasks("scene", "ground")), tmp_path / "toy", format="onnx")
    command = [sys.executable, "-m", "visionmtl", "serve", str(tmp_path / "toy"), "--port", "0"]
    with served.process(tmp_path, program=command) as running, served.client(running) as client:
        for size in ((20, 30), (70, 50)):
            (picture,) = client.post("/predict", content=servers.png(99, size)).json()["pictures"]
            assert (picture["height"], picture["width"]) == size
            assert sum(picture["predictions"]["scene"].values()) == pytest.approx(1, abs=1e-3)
        running.send_signal(signal.SIGTERM)
        assert running.wait(60) == 143


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--max-body", "nan"], "--max-body=nan"),
        (["--max-pixels", "0"], "--max-pixels=0"),
        (["--timeout", "-1"], "seconds=-1"),
        (["--batch", "0"], "batch=0"),
        (["--batch", "9", "--queue", "8"], "batch=9: expected a whole number of at least 1 and up to 8"),
    ],
)
def test_a_limit_that_is_none_is_a_sentence(options, sentence, tmp_path, capsys):
    assert cli.main(["serve", str(tmp_path), "--port", "0", *options]) == 2
    assert sentence in capsys.readouterr().err


def test_health_says_whether_requests_are_taken(toy):
    assert toy.get("/health").json()["ready"] is True
    assert toy.get("/health/live").status_code == toy.get("/health/ready").status_code == 200
    toy.state.stopping = True
    try:
        assert toy.get("/health/ready").status_code == 503
        assert toy.get("/health/live").json()["ready"] is False
    finally:
        toy.state.stopping = False


def test_without_its_packages_a_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setattr(serving, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"needs the package fastapi.*pip install 'visionmtl\[serve\]'"):
        serving.serve("nowhere")


def test_a_port_that_is_taken_is_a_sentence():
    with listening("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with pytest.raises(UsageError, match=rf"^Port {port} of 127.0.0.1 is taken"), listening("127.0.0.1", port):
            pass
    with pytest.raises(UsageError, match="cannot be listened at"), listening("203.0.113.7", 0):
        pass
    with pytest.raises(UsageError, match="0 to 65535"), listening("127.0.0.1", 70000):
        pass
