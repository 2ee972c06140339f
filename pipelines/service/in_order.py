"""Numbered batches that come in any order, or not at all, put in theirs."""

from collections.abc import Callable, Iterator
from typing import Any, Protocol


class Arrivals(Protocol):
    """What comes, in whatever order."""

    def get(self) -> tuple[int, Any] | None:
        """Return the next that comes with its number; None once nothing more will."""


def in_order(
    numbers: range, arrivals: Arrivals, here: Callable[[int], Any], room: int, lost: Callable[[int], None]
) -> Iterator[Any]:
    """Yield each of some numbered things once, in the order of their numbers.

    What has not come when all have that will, or while as many others wait for it as there is room for, is made here;
    if it comes nevertheless, it is dropped.

    Args:
        numbers: those that are wanted.
        arrivals: what comes.
        here: makes one.
        room: how many may wait for one before them.
        lost: told of each that is made here.

    Example:
        >>> came = iter([(1, "second"), (0, "first"), (3, "fourth"), None])
        >>> class Come:
        ...     def get(self):
        ...         return next(came)
        >>> list(in_order(range(4), Come(), "made {}".format, room=8, lost=print))
        2
        ['first', 'second', 'made 2', 'fourth']
    """
    waiting: dict[int, Any] = {}
    ended = False
    for wanted in numbers:
        while wanted not in waiting and not ended and len(waiting) < room:
            arrived = arrivals.get()
            if arrived is None:
                ended = True
            elif arrived[0] >= wanted:
                waiting[arrived[0]] = arrived[1]
        if wanted in waiting:
            yield waiting.pop(wanted)
        else:
            lost(wanted)
            yield here(wanted)
