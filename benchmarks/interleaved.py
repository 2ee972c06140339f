"""Times of several functions that take turns in one process, so that a machine's drift hits all of them alike."""

import random
import statistics
import time
from collections.abc import Callable, Mapping, Sequence


def seconds(
    functions: Mapping[str, Callable[[], object]],
    rounds: int,
    warm: int = 2,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, list[float]]:
    """Return the seconds of each function in each round, after `warm` rounds that do not count.

    Each round has an order of its own. Forth and back, the first would follow itself at every turn, with what it reads
    still in the caches; always alike, each would follow the same other. Where other work shares the cores,
    `time.process_time` is the clock that tells.
    """
    found: dict[str, list[float]] = {name: [] for name in functions}
    for turn in range(-warm, rounds):
        for name in random.Random(turn).sample(list(functions), len(functions)):
            start = clock()
            functions[name]()
            if turn >= 0:
                found[name].append(clock() - start)
    return found


def ratio(some: Sequence[float], others: Sequence[float]) -> float:
    """Return the median over the rounds of one function's seconds to another's."""
    return statistics.median(a / b for a, b in zip(some, others, strict=True))
