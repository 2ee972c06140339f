"""The workers of a training, gathered before TensorFlow connects them: who is missing, and who was told otherwise.

TensorFlow waits for all of them in a call that says nothing and that no signal ends, and trains on or hangs where they
were not told the same. So all meet at the chief's address first. Each says what it was told; once all are there, and
agree, they go on to TensorFlow, whose server then listens at the same address.
"""

import contextlib
import json
import os
import socket
import time
from collections.abc import Iterator, Mapping
from typing import Any

from visionmtl.errors import UsageError
from visionmtl.training import agreeing
from visionmtl.training.cluster import Cluster

FIRST, MOST = 30.0, 600.0  # seconds until the first line on who is missing, and at most from one to the next
PAUSE, ANSWER = 0.5, 10.0  # seconds between two looks, and until who has called must have spoken
LONGEST = 2**20  # bytes of what a worker says


def gather(cluster: Cluster, told: Mapping[str, Any]) -> None:
    """Wait until all workers are there and agree; who is missing is told every so often.

    Args:
        cluster: who they are.
        told: what this one was told, as JSON has it, which the others must have been told too.

    Raises:
        UsageError: a worker was told otherwise, all of them say which and what; or this one cannot listen.
    """
    with _listening(cluster) as door:
        if cluster.number == 0:
            _await(cluster, told, door)
    if cluster.number > 0:
        _join(cluster, told)


def _await(cluster: Cluster, told: Mapping[str, Any], door: socket.socket) -> None:
    """Wait, as the chief, until all others have come, and let them go on."""
    patience, missing = _Patience(), set(range(1, len(cluster.addresses)))
    with contextlib.ExitStack() as held:
        present: dict[int, socket.socket] = {}
        while True:
            for number, line in list(present.items()):
                if _heard(line, 0) == b"":  # it has ended, perhaps since the last one came, and may come again
                    del present[number]
                    missing.add(number)
            if not missing:
                break
            with contextlib.suppress(TimeoutError):
                line = held.enter_context(door.accept()[0])
                said = _read(_heard(line, ANSWER))
                if said is None:
                    continue
                number = said["number"]
                if sentence := agreeing.difference(told, said["told"], f"Worker {number}"):
                    for each in [line, *present.values()]:
                        _say(each, {"refused": sentence})
                    raise UsageError(sentence)
                if number in present and _heard(present[number], 0) != b"":
                    already = f"{_called(cluster, number)} is there already: each index is of one process."
                    _say(line, {"refused": already})
                else:
                    missing.discard(number)
                    present[number] = line
            patience.tell([_called(cluster, number) for number in sorted(missing)])
        for line in present.values():
            _say(line, {"go": True})
        for line in present.values():
            _heard(line, ANSWER)  # who hangs up first has the port kept for a while


def _join(cluster: Cluster, told: Mapping[str, Any]) -> None:
    """Wait, as another, for the chief and for its word to go on."""
    patience, chief = _Patience(), _called(cluster, 0)
    host, _, port = cluster.addresses[0].rpartition(":")
    while True:
        try:
            with socket.create_connection((host.strip("[]"), int(port)), ANSWER) as line:
                _say(line, {"number": cluster.number, "told": told})
                while (heard := _heard(line, PAUSE)) is None:
                    patience.tell(["others", f"{chief} is there"])
        except OSError as error:
            why = (
                "there is no host of that name" if isinstance(error, socket.gaierror) else os.strerror(error.errno or 0)
            )
            patience.tell([f"{chief}: {why if error.errno else 'it does not answer'}"])
            heard = b""
        said = _read(heard)
        if said is not None and "refused" in said:
            raise UsageError(said["refused"])
        if said is not None:
            return
        if heard:  # by TensorFlow's own server, which begins after a word to go on
            patience.tell([f"{chief}, who is in an earlier training yet"])
        time.sleep(PAUSE)


@contextlib.contextmanager
def _listening(cluster: Cluster) -> Iterator[socket.socket]:
    """Give a socket that listens at this worker's port.

    Raises:
        UsageError: it cannot.
    """
    port = int(cluster.addresses[cluster.number].rpartition(":")[2])
    try:
        door = socket.create_server(("", port), backlog=len(cluster.addresses))
    except OSError as error:
        taken = "Another process has it, perhaps one that was given the same index, or that has not ended yet: "
        raise UsageError(
            f"{_called(cluster, cluster.number)} cannot listen at its port {port}: {os.strerror(error.errno or 0)}."
            f" {taken}end that one, or name another port in the TF_CONFIG of all."
        ) from None
    with door:
        door.settimeout(PAUSE)
        yield door


class _Patience:
    """Tells who is waited for: after half a minute, and then ever more rarely."""

    def __init__(self) -> None:
        self.began, self.next = time.monotonic(), FIRST

    def tell(self, missing: list[str]) -> None:
        passed = time.monotonic() - self.began
        if missing and passed >= self.next:
            print(f"After {passed:.0f} s still waiting for {'; '.join(missing)}.", flush=True)
            self.next += min(self.next, MOST)


def _called(cluster: Cluster, number: int) -> str:
    """Return a worker in words."""
    address = cluster.addresses[number] if number < len(cluster.addresses) else "not in this TF_CONFIG"
    return f"Worker {number} ({address})"


def _say(line: socket.socket, said: Mapping[str, Any]) -> None:
    """Send a line, if there is somebody to hear it."""
    with contextlib.suppress(OSError):
        line.sendall(json.dumps(said).encode() + b"\n")


def _heard(line: socket.socket, seconds: float) -> bytes | None:
    """Return a line that was sent, or its beginning; nothing if the other has hung up, None if it says nothing yet."""
    heard = b""
    line.settimeout(seconds)
    try:
        while not heard.endswith(b"\n") and len(heard) < LONGEST:
            part = line.recv(65536)
            if not part:
                break
            heard += part
    except (TimeoutError, BlockingIOError):
        return heard or None
    except OSError:
        return b""
    return heard


def _read(heard: bytes | None) -> dict[str, Any] | None:
    """Return what another worker said; None where it is nothing that a worker says."""
    with contextlib.suppress(ValueError):
        said = json.loads(heard or b"")
        if isinstance(said, dict) and ({"go"} <= said.keys() or {"refused"} <= said.keys() or _is_hello(said)):
            return said
    return None


def _is_hello(said: Mapping[str, Any]) -> bool:
    return isinstance(said.get("number"), int) and said["number"] > 0 and isinstance(said.get("told"), dict)
