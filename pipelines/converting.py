"""`convert`: a set of labelled images written in another format, whole or not at all."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipelines import writers
from pipelines.accounts.account import Account
from pipelines.contract import Request, Source
from pipelines.errors import ON_ERROR, DataError, Problems, noted, one_of
from pipelines.files import refuse_taken, refuse_within, written_folder
from pipelines.joining.opening import opened
from pipelines.kinds.spec import LabelSpec
from pipelines.recognising import find
from pipelines.samples.reading import compiled, visit
from pipelines.splits import SPLITS, in_order
from pipelines.writers.base import HELD, Content, Picture, Writer
from pipelines.writers.keeping import Keeper, Tasks, told_objects
from pipelines.writers.naming import stems


@dataclass(frozen=True)
class Converted:
    """What was written.

    Attributes:
        format: its name, which is that of the source that reads it.
        splits: by name, what was written of each.
        rules: what could not be written as it was: how many, by what was done about it.
        skipped: a sentence for each image or box that is broken.
        notes: warnings of the source.
        options: those by which the source reads it, where its defaults would not do.
    """

    format: str
    splits: Mapping[str, Sequence[Picture]]
    rules: Mapping[str, int]
    skipped: Sequence[str] = ()
    notes: Sequence[str] = ()
    options: Mapping[str, Any] = field(default_factory=dict)


def convert(
    source: str,
    to: str,
    out: str | Path,
    path: str | Path | None = None,
    splits: Iterable[str] = SPLITS,
    tasks: Iterable[str] | None = None,
    *,
    link: bool = False,
    on_error: str = "stop",
    **options: Any,
) -> Converted:
    """Write a set in another format; what the format has no place for is counted in `rules`.

    Pictures that are files are copied byte for byte and keep their suffixes; those that are drawn, or of a kind that
    the format's tools do not read, become PNG. Boxes and masks come back as they were.

    Args:
        source: one of `pipelines.names()`, or a folder whose format is recognised.
        to: "coco", "voc" or "yolo".
        out: the folder to write, which is new or empty.
        path: the folder (or CSV file), of a source that reads one.
        splits: which of "train", "validation" and "test"; data without splits is divided if there are several.
        tasks: names of the tasks whose labels to write; None for all that the format has a place for.
        link: whether pictures are symbolic links to those of the source, in place of copies.
        on_error: "stop" raises at the first broken image or box; "skip" leaves them out and lists them.
        **options: of the source; `visionmtl list sources` has them.

    Raises:
        DataError: the source cannot be read, or the folder not be written, or the format has no place for the labels.

    Example:
        >>> done = convert("data/camvid", "yolo", "data/camvid-yolo")  # doctest: +SKIP
        >>> data = pipelines.load("yolo", path="data/camvid-yolo")  # doctest: +SKIP
    """
    kind, root = writers.get(to), Path(out)
    name, place = find(source, None if path is None else str(path))
    folder = None if place is None else Path(place)
    problems = Problems(one_of(on_error, ON_ERROR, "on_error"))
    refuse_within(root, folder)
    refuse_taken(root)
    names = None if tasks is None else tuple(tasks)
    with noted() as notes:
        given = opened(name, Request(folder, in_order(splits), names, account=Account(problems)), options)
    boxes, masks = (_only(given.specs, kind_, kind.title) for kind_ in HELD)
    if boxes is None and masks is None:
        there = ", ".join(f"'{spec.name}' ({spec.kind})" for spec in given.specs)
        raise DataError(
            f"{kind.title} has a place for boxes and masks alone, not for {there}; a CSV file or a folder per class "
            "has one for classes of images."
        )
    with written_folder(root.absolute().parent) as (partial, called):
        parts = Tasks(boxes, masks, tuple(spec for spec in given.specs if spec not in (boxes, masks)))
        work = _Work(kind(partial, _content(given, boxes, masks)), given, parts, problems, link)
        written = work.run()
        called(root.absolute())
    rules = {rule: count for rule, count in work.writer.rules.items() if count}
    return Converted(to, written, rules, problems.skipped, notes, work.writer.options)


def _only(specs: Sequence[LabelSpec], kind: str, title: str) -> LabelSpec | None:
    """Return the task of a kind, if there is one."""
    found = [spec for spec in specs if spec.kind == kind]
    if len(found) > 1:
        names = ", ".join(f"'{spec.name}'" for spec in found)
        raise DataError(
            f"{title} has a place for one task of {HELD[kind]}, and there are {names}: choose one by tasks."
        )
    return found[0] if found else None


def _content(given: Source, boxes: LabelSpec | None, masks: LabelSpec | None) -> Content:
    """Put together what is known before any picture is read."""
    objects, outlines = [], False
    for split in given.splits.values() if boxes else ():
        for row, shape in enumerate(map(tuple, split.shapes.tolist())):
            original = split.original(row)
            objects.append((shape, told_objects(original, masks)))
            outlines |= masks is not None and original.painted
    return Content(boxes.classes if boxes else None, masks.classes if masks else None, outlines, objects)


class _Work:
    """The pictures, masks and labels of one call of `convert`, split by split."""

    def __init__(self, writer: Writer, given: Source, tasks: Tasks, problems: Problems, link: bool):
        self.writer, self.given, self.tasks, self.problems, self.link = writer, given, tasks, problems, link

    def run(self) -> dict[str, list[Picture]]:
        """Write all splits."""
        names, renamed = stems(self.given.splits, self.writer.one_folder)
        self.writer.rules["pictures given another name, as two had one"] += renamed
        written = {}
        for key, split in self.given.splits.items():
            keeper = Keeper(self.writer, key, split, names[key], self.tasks, self.link)
            rows = visit(split, compiled(split.read), self.given.specs, self.problems, keeper)
            pictures = [picture for row in rows.tolist() if (picture := keeper.kept[row])]
            self.writer.rules.update(keeper.rules())
            if pictures:
                self.writer.write(key, [self._with_known_regions(picture, key) for picture in pictures])
                written[key] = pictures
            elif not len(rows):  # else nobody labelled them, as a test set, which the rules tell
                raise DataError(f"Split '{key}' has no image that can be used.{self.problems.first}")
        if not written:
            told = "; ".join(f"{count} {rule}" for rule, count in self.writer.rules.items() if count)
            raise DataError(f"There is no image that can be written as {self.writer.title}: {told}.")
        self.writer.finish(written)
        return written

    def _with_known_regions(self, picture: Picture, split: str) -> Picture:
        """Leave out regions to ignore whose class nobody knows, as packs do not keep it."""
        known = [each for each in picture.objects or () if each.category or not self.writer.regions]
        if picture.objects is None or len(known) == len(picture.objects):
            return picture
        count, where = len(picture.objects) - len(known), f"'{picture.name}' of split {split}"
        self.problems.report(
            f"{where} has {count} regions to ignore whose class is not kept here, and {self.writer.title} needs one: "
            "convert the set that this one was made from."
        )
        return Picture(picture.name, picture.shape, known, picture.masked)
