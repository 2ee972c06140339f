"""`split`: a set of files divided by group into lists of images, which its source then reads as splits."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from pipelines import kinds, sources
from pipelines.accounts.account import Account
from pipelines.contract import Request, Source, Split, Tree
from pipelines.errors import ON_ERROR, DataError, Problems, noted, one_of
from pipelines.files import refuse_taken, written_folder
from pipelines.groups.grouping import groups_of
from pipelines.groups.stratifying import assign
from pipelines.kinds.kind import Kind
from pipelines.kinds.spec import LabelSpec
from pipelines.recognising import find
from pipelines.samples.reading import compiled, visit
from pipelines.sources.files.split_lists import name_of
from pipelines.splits import SPLITS

FRACTIONS = (0.8, 0.1, 0.1)
FILES = {"train": "train.txt", "validation": "val.txt", "test": "test.txt"}


@dataclass(frozen=True)
class Part:
    """What fell to one split.

    Attributes:
        names: its images, as the list has them.
        groups: how many groups they are of.
        counts: int64 `[C]` by task, how many images, objects or pixels there are of each class.
    """

    names: tuple[str, ...]
    groups: int
    counts: Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Divided:
    """A set as it was divided.

    Attributes:
        source: the name of the source, which reads the lists by its option split_lists.
        path: the folder or file that it reads.
        specs: what its labels mean.
        splits: what fell to each.
        skipped: a sentence for each image or box that is broken.
        notes: warnings of the source.
    """

    source: str
    path: str
    specs: tuple[LabelSpec, ...]
    splits: Mapping[str, Part]
    skipped: Sequence[str] = ()
    notes: Sequence[str] = ()


def split(
    source: str,
    by: str,
    out: str | Path,
    path: str | Path | None = None,
    fractions: Sequence[float] = FRACTIONS,
    seed: int = 0,
    table: str | Path | None = None,
    *,
    on_error: str = "stop",
    **options: Any,
) -> Divided:
    """Divide a set of files by group: the same street, patient or video is never in two splits.

    Classes have about the same fractions in all splits, as far as the groups allow. How the set was divided before does
    not matter. What is written are lists, `train.txt`, `val.txt` and `test.txt`; no image is moved or decoded.

    Args:
        source: one of `pipelines.names()` that reads files, or a folder whose format is recognised.
        by: what images of one group have in common; `groups.grouping.groups_of` explains "folder", "folder:2",
            "name:REGEX", "column:NAME" and "image".
        out: the folder of the lists, which is new or empty.
        path: the folder (or CSV file), of a source that reads one.
        fractions: of the images, for train, validation and, if there are three, test; their sum is 1.
        seed: of the order of what is alike.
        table: a CSV file with the column, where it is not the data's own.
        on_error: "stop" raises at the first broken image or box; "skip" leaves them out of the lists.
        **options: of the source; `visionmtl list sources` has them.

    Raises:
        DataError: the source cannot be read or has no files, an image has no group, there are fewer groups than splits,
            or the lists cannot be written.

    Example:
        >>> split("data/camvid", "name:^[^_]+", "data/camvid-splits", fractions=(0.8, 0.2))  # doctest: +SKIP
        >>> data = pipelines.load("coco", path="data/camvid", split_lists="data/camvid-splits")  # doctest: +SKIP
    """
    name, place = find(source, None if path is None else str(path))
    if place is None or "split_lists" not in sources.options(name):
        raise DataError(f"Source '{name}' has no files of its own that lists could name: there is nothing to divide.")
    if options.get("split_lists"):
        raise DataError("A set is divided whole and anew: leave the option split_lists out.")
    wanted, root = _checked(fractions), Path(out)
    refuse_taken(root)
    problems = Problems(one_of(on_error, ON_ERROR, "on_error"))
    request = Request(Path(place), SPLITS, None, account=Account(problems), pooled=True)
    with noted() as notes:
        given = sources.get(name, options).read(request)
        images, counts = _counted(given, problems)
        base = Path(place)
        groups = groups_of(images, base, by, None if table is None else Path(table))
    numbers = {group: number for number, group in enumerate(dict.fromkeys(sorted(groups)))}
    numbered = np.array([numbers[group] for group in groups])
    if len(numbers) < len(wanted):
        shown = ", ".join(f"'{group}'" for group in numbers)
        count = f"{len(numbers)} groups" if len(numbers) > 1 else "1 group"
        raise DataError(f"There are {len(wanted)} splits, but {count} by {by}: {shown}; choose another way.")
    owners = assign(numbered, np.concatenate([*counts.values()], axis=1), np.array(wanted), seed)[numbered]
    names = [name_of(image, base.parent if base.is_file() else base) for image in images]
    parts = {}
    for number, key in enumerate(SPLITS[: len(wanted)]):
        rows = np.flatnonzero(owners == number)
        totals = {task: values[rows].sum(axis=0) for task, values in counts.items()}
        parts[key] = Part(tuple(sorted(names[row] for row in rows)), len(set(numbered[rows].tolist())), totals)
    _write(root, parts, f"# divided by {by} of {name}, seed {seed}")
    return Divided(name, place, given.specs, parts, problems.skipped, notes)


def _checked(fractions: Sequence[float]) -> list[float]:
    """Return the fractions, if they are some.

    Raises:
        DataError: they are not two or three above 0 whose sum is 1.
    """
    given = [float(fraction) for fraction in fractions]
    if len(given) not in (2, 3) or min(given) <= 0 or abs(sum(given) - 1) > 1e-6:
        shown = " ".join(f"{fraction:g}" for fraction in given)
        raise DataError(f"Fractions are {shown}: expected two or three above 0 whose sum is 1, as 0.8 0.1 0.1.")
    return given


def _counted(given: Source, problems: Problems) -> tuple[list[Path], dict[str, np.ndarray]]:
    """Return the images of all splits, each once, and by task what their labels hold, int64 `[N, C]`."""
    images: dict[Path, None] = {}
    rows: dict[str, list[np.ndarray]] = {spec.name: [] for spec in given.specs}
    for its in given.splits.values():
        tally = _Tally({spec.name: kinds.of(spec) for spec in given.specs})
        for row in visit(its, compiled(_labels_alone(its)), given.specs, problems, tally).tolist():
            image = its.original(row).picture or Path(its.name(row))
            if image in images:
                continue  # in two splits before
            images[image] = None
            for task, counts in tally.counts[row].items():
                rows[task].append(counts)
    return list(images), {task: np.stack(counts) for task, counts in rows.items()}


def _labels_alone(its: Split) -> Callable[[tf.Tensor], Tree]:
    """Read samples without their images, so that no picture is decoded."""

    def read(index: tf.Tensor) -> Tree:
        sample = its.read(index)
        return {key: sample[key] for key in ("labels", "weights")}

    return read


class _Tally:
    """Counts the labels of samples as they are read, in any order."""

    def __init__(self, of: Mapping[str, Kind]):
        self.kinds, self.counts = of, dict[int, dict[str, np.ndarray]]()

    def put(self, index: int, sample: Tree) -> None:
        """Count one sample; of a task that does not label it, nothing."""
        self.counts[index] = {
            name: kind.count(sample["labels"][name]).classes * int(sample["weights"][name] > 0)
            for name, kind in self.kinds.items()
        }


def _write(root: Path, parts: Mapping[str, Part], head: str) -> None:
    """Write the lists, all or none."""
    with written_folder(root.absolute().parent) as (partial, called):
        for key, part in parts.items():
            lines = (f"./{name}" if name.startswith("#") else name for name in part.names)
            text = "".join(f"{line}\n" for line in (head, *lines))
            (partial / FILES[key]).write_bytes(text.encode(errors="surrogateescape"))
        called(root.absolute())
