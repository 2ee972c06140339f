"""`decide`: what the pixels of a set of masks mean, by what is declared of them and by what speaks for it in them."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipelines.errors import DataError
from pipelines.kinds.spec import IGNORE
from pipelines.sources.files.items import Item
from pipelines.sources.files.masks.evidence import Evidence, gather
from pipelines.sources.files.masks.legends import Legend
from pipelines.sources.files.masks.meanings import GREY, NO_CLASS, Colours, Greys, Meaning, Numbers, colour


@dataclass(frozen=True)
class Declared:
    """What is said of masks, before one was looked at.

    Attributes:
        names: of the classes, by their ids.
        ignore: the value that is neither learnt nor counted; None where nothing is said: then it may be 255.
        offset: what is taken from each value to get a class id; lower ones are ignored. None: what the values say.
        legend: the colours or the values of the classes, or None.
        meaning: what the pixels mean, where the layout says that; or None.
    """

    names: tuple[str, ...]
    ignore: int | None = None
    offset: int | None = None
    legend: Legend | None = None
    meaning: Meaning | None = None


def decide(declared: Declared, items: Mapping[str, Sequence[Item]]) -> Meaning:
    """Return what the pixels of the masks of all splits mean; warn of what was not declared and follows from them.

    Raises:
        DataError: they speak for two meanings or none, or nothing could be learnt from them.
    """
    masked = [item for own in items.values() for item in own if item.mask]
    coloured = bool(masked) and all(item.mask_bands >= 3 for item in masked)
    legend = declared.legend
    meaning: Meaning
    if declared.meaning:
        found, meaning = gather(items, declared.meaning.coloured), declared.meaning
    elif legend and legend.colours:
        found = gather(items, coloured=True)
        meaning = Colours(legend)
        if legend.file and not _fits(meaning, found) and all(item.mask_bands == 1 for item in masked):
            numbers = gather(items, coloured=False)
            if numbers.values <= {*range(len(declared.names)), IGNORE}:
                warnings.warn(
                    f"Masks as '{masked[0].mask}' hold the numbers of classes and not the colours of {legend.where}: "
                    f"0 is '{declared.names[0]}'.",
                    stacklevel=2,
                )
                found, meaning = numbers, _numbers(declared, numbers)
    elif coloured:
        found = gather(items, coloured=True)
        meaning = _greys(declared, found)
    else:
        found = gather(items, coloured=False)
        meaning = _numbers(declared, found)
    _tell(declared, meaning, found)
    return meaning


def _fits(meaning: Meaning, found: Evidence) -> bool:
    return not (meaning.ids(np.array(sorted(found.values), np.int64)) == NO_CLASS).any() if found.values else True


def _greys(declared: Declared, found: Evidence) -> Meaning:
    """The meaning of masks that are stored as colours, though nothing says which: their greys are numbers."""
    path = found.first(lambda values: any(value % GREY for value in values))
    if path:
        colours = [str(colour(value)) for value in sorted(found.sets[path])]
        shown = ", ".join(colours[:3]) + (", ..." if len(colours) > 3 else "")
        raise DataError(
            f"Mask '{path}' has colours ({shown}), and nothing says which is which class: give the option mask_colours="
            "{name: [red, green, blue], ...}, or a file class_dict.csv (name,r,g,b) beside the masks."
        )
    pixels = {split: type(own)({v // GREY: n for v, n in own.items()}) for split, own in found.pixels.items()}
    sets = {path: frozenset(value // GREY for value in values) for path, values in found.sets.items()}
    numbers = _numbers(declared, Evidence(pixels, sets, found.complete))
    return Greys(numbers.table, numbers.words)


def _numbers(declared: Declared, found: Evidence) -> Numbers:
    """The meaning of masks of numbers."""
    count, ignore = len(declared.names), declared.ignore
    values = found.values - {IGNORE if ignore is None else ignore}
    listed = declared.legend and declared.legend.values
    if listed:
        return _table(dict(zip(listed, range(count), strict=True)), _ignored(declared, found, {*listed}))
    if declared.offset is not None:
        return _offset(declared, found, declared.offset)
    if values and 0 not in values and max(values) == count:
        first = declared.names[0]
        warnings.warn(
            f"The values of the masks are 1 to {count}, and none is 0: 1 is '{first}' (mask_offset=1).", stacklevel=4
        )
        return _offset(declared, found, 1)
    if count == 2 and ignore is None and IGNORE in found.values:
        return _two(declared, found)
    return _table({id_: id_ for id_ in range(count)}, _ignored(declared, found, {*range(count)}))


def _two(declared: Declared, found: Evidence) -> Numbers:
    """The meaning of masks of two classes that have 255, and nothing says whether it is a class."""
    ground, thing = declared.names
    if found.values <= {0, IGNORE}:
        warnings.warn(
            f"The masks hold 0 and 255 alone: 0 is '{ground}' and 255 is '{thing}'. If 255 is to be ignored, set "
            "ignore=255.",
            stacklevel=5,
        )
        return _table({0: 0, IGNORE: 1}, ())
    white = found.first(lambda values: IGNORE in values and 1 not in values)
    one = found.first(lambda values: 1 in values and IGNORE not in values)
    if white and one and not found.first(lambda values: {1, IGNORE} <= values):
        raise DataError(
            f"Mask '{white}' marks with 255 and mask '{one}' with 1, never both in one: whether 255 is '{thing}' or "
            "ignored cannot be told. Set ignore=255, or write all masks with 0 and 1."
        )
    return _table({0: 0, 1: 1}, (IGNORE,))


def _ignored(declared: Declared, found: Evidence, known: set[int]) -> tuple[int, ...]:
    """Return the values that are ignored: the one declared; else 255, unless it could as well be the second of two."""
    if declared.ignore is not None:
        return (declared.ignore,)
    doubtful = len(declared.names) == 2 and IGNORE not in found.values and not found.complete
    return () if doubtful or IGNORE in known else (IGNORE,)


def _offset(declared: Declared, found: Evidence, offset: int) -> Numbers:
    ids = {id_ + offset: id_ for id_ in range(len(declared.names)) if 0 <= id_ + offset <= 255}
    lower = tuple(value for value in range(max(offset, 0)) if declared.offset is not None)
    return _table(ids, (*lower, *_ignored(declared, found, {*ids})))


def _table(ids: Mapping[int, int], ignored: Sequence[int]) -> Numbers:
    table = np.full(256, NO_CLASS)
    table[[value for value in ids if value <= 255]] = [id_ for value, id_ in ids.items() if value <= 255]
    table[list(ignored)] = IGNORE
    low, high = min(ids), max(ids)
    run = len(ids) == high - low + 1
    words = f"{low} to {high}" if run else ", ".join(map(str, sorted(ids)))
    return Numbers(tuple(table.tolist()), words + (f", or {', '.join(map(str, ignored))}" if ignored else ""))


def _tell(declared: Declared, meaning: Meaning, found: Evidence) -> None:
    """Tell of classes that have no pixel; stop where nothing but ignored pixels stands beside the first, or alone."""
    if not found.complete:
        return
    counts = {split: np.zeros(256, np.int64) for split in found.pixels}
    for split, own in found.pixels.items():
        if own:
            np.add.at(counts[split], meaning.ids(np.array(list(own), np.int64)), np.array(list(own.values())))
    classes = len(declared.names)
    train = counts.get("train", np.zeros(256, np.int64))
    if classes > 1 and train[IGNORE] and not train[1:classes].any() and not train[NO_CLASS]:
        held = f"no class but '{declared.names[0]}'" if train[0] else "no class"
        raise DataError(
            f"The masks of train hold {held}, and {train[IGNORE] / train.sum():.0%} of their pixels are ignored, as in "
            f"'{next(iter(found.sets))}'. If what is ignored is a class, name its value, as mask_colours={{name: "
            "value}, or mend ignore."
        )
    total = np.sum([*counts.values(), np.zeros(256, np.int64)], axis=0)[:classes]
    none = [name for name, count in zip(declared.names, total, strict=True) if not count]
    if none and total.any():
        listed = ", ".join(f"'{name}'" for name in none[:8]) + (f" and {len(none) - 8} more" if len(none) > 8 else "")
        where = f" (by {declared.legend.where})" if declared.legend else ""
        warnings.warn(
            f"No pixel of the masks of {' or '.join(counts)} is of class {listed}{where}: what is never seen is not "
            "learnt. Correct the list of classes if it does not belong to these masks.",
            stacklevel=3,
        )
