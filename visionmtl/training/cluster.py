"""The cluster of a training over several machines, as the standard TF_CONFIG names it: read and checked."""

import json
import os
from collections.abc import Mapping
from typing import Any, NamedTuple

from visionmtl.errors import UsageError
from visionmtl.workers import JOBS

VARIABLE = "TF_CONFIG"
FORM = '{"cluster": {"worker": ["host:port", "host:port"]}, "task": {"type": "worker", "index": 0}}'


class Cluster(NamedTuple):
    """Who trains together.

    Attributes:
        addresses: of the workers, `host:port`, the chief first.
        number: of this one, from 0.
        chiefs: how many have a job of that name, which need not be: 0 or 1.
    """

    addresses: tuple[str, ...]
    number: int
    chiefs: int = 0

    def of_task(self, job: str, index: int) -> int:
        """Return the number of the worker that TensorFlow calls a task of a job."""
        return index + self.chiefs if job == "worker" else index

    @property
    def several(self) -> bool:
        """Whether there are others."""
        return len(self.addresses) > 1


def named() -> Cluster | None:
    """Return the cluster that TF_CONFIG names; None where it is not set or names none.

    Raises:
        UsageError: it names none that could train.

    Example:
        >>> named() is None
        True
    """
    text = os.environ.get(VARIABLE, "").strip()
    if not text:
        return None
    try:
        given = json.loads(text)
    except ValueError as error:
        raise _broken(f"is no JSON ({error})") from None
    if not isinstance(given, Mapping):
        raise _broken(f"is {json.dumps(given)}")
    jobs = given.get("cluster") or {}
    if not isinstance(jobs, Mapping):
        raise _broken(f'has the "cluster" {json.dumps(jobs)}')
    if not jobs:
        return None
    addresses = tuple(address for job in sorted(jobs, key=_rank) for address in _of_job(job, jobs[job]))
    twice = next((address for address in addresses if addresses.count(address) > 1), None)
    if twice is not None:
        raise _broken(f"names the address '{twice}' twice")
    job, index = _task(given.get("task"), jobs)
    named = Cluster(addresses, 0, len(jobs.get("chief", [])))
    return named._replace(number=named.of_task(job, index))


def refuse_several(command: str, instead: str) -> None:
    """Refuse a command that trains on one machine where TF_CONFIG names several workers.

    Raises:
        UsageError: it does, or is broken.
    """
    cluster = named()
    if cluster is not None and cluster.several:
        raise UsageError(
            f"TF_CONFIG names {len(cluster.addresses)} workers, but {command} trains on one machine: unset TF_CONFIG,"
            f" {instead}."
        )


def _rank(job: str) -> int:
    """Return the place of a job among those that train."""
    if job in ("ps", "evaluator"):
        raise _broken(f"has the job '{job}', for which there is nothing to do: all workers train, and all measure")
    if job not in JOBS:
        raise _broken(f"has the unknown job '{job}'")
    return JOBS.index(job)


def _of_job(job: str, given: Any) -> list[str]:
    if not isinstance(given, list) or not all(isinstance(address, str) and _is_address(address) for address in given):
        raise _broken(f"has {json.dumps(given)} for the job '{job}', expected addresses as \"host:port\"")
    if job == "chief" and len(given) > 1:
        raise _broken(f"names {len(given)} chiefs")
    return given


def _is_address(text: str) -> bool:
    host, _, port = text.rpartition(":")
    return bool(host) and "/" not in host and port.isdecimal() and 0 < int(port) < 2**16


def _task(own: Any, jobs: Mapping[str, list[str]]) -> tuple[str, int]:
    """Return job and index of a task, if they are of the cluster."""
    if not isinstance(own, Mapping) or not {"type", "index"} <= own.keys():
        raise _broken(f'has the "task" {json.dumps(own)}')
    job, index = own["type"], own["index"]
    if job not in jobs:
        raise _broken(f"has a task of type {json.dumps(job)}, but its cluster has only {' and '.join(jobs)}")
    count = len(jobs[job])
    whole = str(index).isdecimal() and not isinstance(index, bool)
    if not whole or int(index) >= count:
        valid = f"0 to {count - 1}" if count > 1 else "0"
        raise _broken(f"has the task {job} {json.dumps(index)}, but its cluster has {count} of them: {valid}")
    return job, int(index)


def _broken(what: str) -> UsageError:
    return UsageError(f"TF_CONFIG {what}. Expected the form {FORM}, or leave it unset to train on this machine alone.")
