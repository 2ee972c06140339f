"""Workers that meet before TensorFlow connects them: threads on loopback, and no training."""

import contextlib
import ctypes
import os
import re
import signal
import socket
import threading
import time
from types import SimpleNamespace

import pytest
from small_recipe import small

from visionmtl import UsageError, stopping
from visionmtl.training import agreeing, cluster, gathering
from visionmtl.workers import ALONE


def addresses(count):
    """Addresses on loopback that nobody listens at."""
    with contextlib.ExitStack() as held:
        doors = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return tuple(f"127.0.0.1:{door.getsockname()[1]}" for door in doors)


def connected(address):
    """Connect to a worker, once it listens."""
    end = time.monotonic() + 20
    while True:
        try:
            return socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2])))
        except ConnectionRefusedError:
            assert time.monotonic() < end
            time.sleep(0.02)


class Worker(threading.Thread):
    """A worker that gathers with others; what it ended with is its `mistake`."""

    def __init__(self, named, number, told):
        super().__init__(daemon=True)
        self.cluster, self.told, self.mistake = cluster.Cluster(named, number), told, None
        self.start()

    def run(self):
        try:
            gathering.gather(self.cluster, self.told)
        except UsageError as error:
            self.mistake = str(error)

    def end(self):
        self.join(20)
        assert not self.is_alive()
        return self.mistake


@pytest.fixture(autouse=True)
def _hasty(monkeypatch):
    monkeypatch.setattr(gathering, "PAUSE", 0.05)
    monkeypatch.setattr(gathering, "FIRST", 0.15)


def test_all_go_on_once_the_last_has_come_whoever_was_first(capsys):
    named = addresses(3)
    first = [Worker(named, number, {"a": 1}) for number in (2, 0)]
    time.sleep(0.5)
    assert all(worker.is_alive() for worker in first)
    last = Worker(named, 1, {"a": 1})
    assert [worker.end() for worker in (*first, last)] == [None, None, None]
    said = capsys.readouterr().out
    assert re.search(rf"After \d+ s still waiting for Worker 1 \({named[1]}\).\n", said)
    assert "still waiting for others; Worker 0 (127.0.0.1:" in said


def test_who_was_told_otherwise_is_named_on_all(monkeypatch):
    named = addresses(2)
    recipes = small("data.path=/a", "training.verbose=1"), small("data.path=/b", "data.batch_size=8")
    told = [agreeing.told(cluster.Cluster(named, 0), recipe, None) for recipe in recipes]
    one, other = (Worker(named, number, each).end for number, each in enumerate(told))
    sentence = other()
    assert one() == sentence
    assert sentence.startswith(
        "Worker 1 was told otherwise than the chief: data.batch_size is 8 there, and 4 on the chief. Start the same"
    )
    first = agreeing.told(cluster.Cluster(named, 0), None, "test")
    assert "the workers of TF_CONFIG is a:1, b:1 there" in agreeing.difference(
        first, first | {"the workers of TF_CONFIG": "a:1, b:1"}, "Worker 1"
    )
    many = agreeing.difference(dict.fromkeys("abcde", 1), dict.fromkeys("abcde", 2), "Worker 1")
    assert "c is 2 there, and 1 on the chief; and 2 more. Start" in many


def test_a_worker_that_ends_may_come_again_and_two_of_one_index_may_not():
    named = addresses(3)
    chief = Worker(named, 0, {})
    with connected(named[0]) as line:
        gathering._say(line, {"number": 1, "told": {}})
        again = Worker(named, 1, {})
        assert again.end() == f"Worker 1 ({named[1]}) is there already: each index is of one process."
    rest = [Worker(named, number, {}) for number in (1, 2)]
    assert [worker.end() for worker in (chief, *rest)] == [None, None, None]


def test_a_worker_that_ends_as_the_last_one_comes_is_waited_for(monkeypatch):
    named, ended, spoken = addresses(3), threading.Event(), threading.Event()
    chief, read = Worker(named, 0, {}), gathering._read

    def late(heard):  # the chief has heard the last, and meanwhile the first ends
        said = read(heard)
        if said is not None and said.get("number") == 2:
            spoken.set()
            assert ended.wait(20)
        return said

    monkeypatch.setattr(gathering, "_read", late)
    with connected(named[0]) as line:
        gathering._say(line, {"number": 1, "told": {}})
        last = Worker(named, 2, {})
        assert spoken.wait(20)
    ended.set()
    assert [worker.end() for worker in (chief, last, Worker(named, 1, {}))] == [None, None, None]


def test_a_port_that_is_taken_is_told():
    named = addresses(2)
    with socket.create_server(("127.0.0.1", int(named[1].rpartition(":")[2]))):
        mistake = Worker(named, 1, {}).end()
    assert mistake.startswith(f"Worker 1 ({named[1]}) cannot listen at its port")
    assert "Address already in use. Another process has it, perhaps one that was given the same index" in mistake


def until(capsys, words):
    """Wait until some words were printed."""
    said, end = "", time.monotonic() + 20
    while words not in said:
        assert time.monotonic() < end, said
        said += capsys.readouterr().out
        time.sleep(0.02)


def test_why_the_chief_is_not_there_is_told(capsys, monkeypatch):
    named, connect = addresses(2), socket.create_connection
    worker = Worker(named, 1, {})
    until(capsys, f"still waiting for Worker 0 ({named[0]}): Connection refused.")

    def unknown(address, *given):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "create_connection", unknown)
    until(capsys, f"Worker 0 ({named[0]}): there is no host of that name.")
    monkeypatch.setattr(socket, "create_connection", connect)
    assert [each.end() for each in (Worker(named, 0, {}), worker)] == [None, None]


def as_tensorflow(server):
    """Answer whoever calls as TensorFlow's own server does, for as long as it listens."""
    with contextlib.suppress(OSError):
        while True:
            with server.accept()[0] as line:
                line.sendall(b"\0\0\x12\4\0\0\0\0\0")
                line.recv(2**16)


def test_a_chief_that_trains_yet_is_waited_for(capsys):
    named = addresses(2)
    with socket.create_server(("127.0.0.1", int(named[0].rpartition(":")[2]))) as server:
        threading.Thread(target=as_tensorflow, args=(server,), daemon=True).start()
        worker = Worker(named, 1, {})
        until(capsys, "who is in an earlier training yet.")
        server.shutdown(socket.SHUT_RDWR)  # of who waits in accept
    assert [each.end() for each in (Worker(named, 0, {}), worker)] == [None, None]


@pytest.mark.parametrize(
    ("other", "sentence"),
    [
        ({"sizes": {"train": 8}}, "images of 'train': 8 there, and 9 on the chief"),
        ({"specs": ["cat", "dog"]}, """classes of 'a': ["classification", "cat", "dog"] there"""),
        ({"names": ["/here/x.jpg"]}, "files of the first batch"),
    ],
)
def test_workers_that_have_read_other_data_are_refused(other, sentence):
    def read(folder="/here", sizes=None, specs=("dog", "cat"), names=None):
        spec = SimpleNamespace(name="a", kind="classification", classes=specs)
        called = [f"{folder}/y.jpg"] if names is None else names
        sizes = {"train": 9} if sizes is None else sizes
        return SimpleNamespace(sizes=sizes, specs=[spec], splits=sizes, names=lambda epoch, step: called)

    def both(*read):
        said = []
        for each in read:
            one = SimpleNamespace(several=True, texts=lambda own: said.append(own) or [own])
            agreeing.check_data(each, one)
        return SimpleNamespace(several=True, texts=lambda own: said)

    agreeing.check_data(read(), both(read(), read("/there")))
    agreeing.check_data(read(), ALONE)
    with pytest.raises(UsageError, match=re.escape(sentence)):
        agreeing.check_data(read(), both(read(), read(**other)))


def test_a_signal_that_a_library_took_is_told_to_python_again():
    with stopping.signals(stop := stopping.Stop()):
        stop.patient = True
        ctypes.CDLL(None).signal(signal.SIGTERM, ctypes.c_void_p(1))  # ignored, behind Python's back
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.number is None
        stopping.take_again()
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.number == signal.SIGTERM
