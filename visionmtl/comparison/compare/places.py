"""Where cells are trained at once: a GPU each, or a part of the processor's cores."""

import math
import os
from collections.abc import Mapping

from visionmtl.errors import UsageError

THREADS = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS")


def places(jobs: int, gpus: int) -> list[dict[str, str]]:
    """Return the environment of each of so many processes at once.

    One alone has the whole machine.

    Args:
        jobs: how many.
        gpus: how many GPUs there are.

    Raises:
        UsageError: there are fewer GPUs, or no job.
    """
    if jobs < 1:
        raise UsageError(f"--jobs was given {jobs}: expected one or more.")
    if gpus and jobs > gpus:
        raise UsageError(f"--jobs was given {jobs}, but there are {gpus} GPUs, and each trains one model at a time.")
    if jobs == 1:
        return [{}]
    if gpus:
        named = [name for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if name]
        names = named or [str(number) for number in range(gpus)]
        return [{"CUDA_VISIBLE_DEVICES": name} for name in names[:jobs]]
    return [dict.fromkeys(THREADS, str(max(1, cores() // jobs)))] * jobs


def cores_of(place: Mapping[str, str]) -> float:
    """Return how many cores a process of such an environment has; infinity where it is given a GPU."""
    return math.inf if "CUDA_VISIBLE_DEVICES" in place else int(place.get(THREADS[0], cores()))


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def shard(text: str | None) -> tuple[int, int]:
    """Return which arms are trained here, the first and every how many: all of them where none is said.

    Raises:
        UsageError: it is not of the form i/n.
    """
    if text is None:
        return 0, 1
    number, _, of = text.partition("/")
    if not (number.isdecimal() and of.isdecimal() and 1 <= int(number) <= int(of)):
        raise UsageError(f"--shard was given '{text}': expected i/n with i from 1 to n, such as 1/2.")
    return int(number) - 1, int(of)
