"""The values of a set of masks, counted: what speaks for one meaning of them or another."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from pipelines.sources.files.items import Item
from pipelines.sources.files.masks.meanings import values_of

PIXELS = 2**27  # that are looked at, in a second: all of a small set, of a large one some of its masks


@dataclass(frozen=True)
class Evidence:
    """What was found in masks.

    Attributes:
        pixels: by split, how many pixels each value has.
        sets: the values of each mask that was looked at.
        complete: all masks were looked at, and not some of many.
    """

    pixels: dict[str, Counter[int]] = field(default_factory=dict)
    sets: dict[Path, frozenset[int]] = field(default_factory=dict)
    complete: bool = True

    @property
    def values(self) -> frozenset[int]:
        """All values."""
        return frozenset().union(*self.sets.values())

    def first(self, fits: Callable[[frozenset[int]], bool]) -> Path | None:
        """Return the first mask whose values are as asked, or None."""
        return next((path for path, values in self.sets.items() if fits(values)), None)


def gather(items: Mapping[str, Sequence[Item]], coloured: bool) -> Evidence:
    """Count the values of masks: of all, or of many those of some, spread evenly.

    Args:
        items: of each split.
        coloured: whether to count colours, each as its `meanings.code`, or else numbers.
    """
    masked = [(split, item) for split, own in items.items() for item in own if item.mask]
    total = sum(item.shape[0] * item.shape[1] for _, item in masked)
    step = max(1, -(-total // PIXELS))
    found = Evidence(pixels={split: Counter() for split in items}, complete=step == 1)

    def count(pair: tuple[str, Item]) -> tuple[str, Path, Iterable[tuple[int, int]]]:
        split, item = pair
        assert item.mask
        try:
            values, counts = values_of(item.mask, coloured)
        except (OSError, SyntaxError, ValueError):
            return split, item.mask, ()  # damaged: that is told where it is read
        return split, item.mask, zip(values.tolist(), counts.tolist(), strict=True)

    with ThreadPoolExecutor() as pool:
        for split, path, pairs in pool.map(count, masked[::step]):
            counts = dict(pairs)
            found.pixels[split].update(counts)
            found.sets[path] = frozenset(counts)
    return found
