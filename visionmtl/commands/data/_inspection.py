"""`visionmtl data inspect`: what is in a data set, printed as tables and drawn on a contact sheet."""

from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import pipelines
from pipelines import kinds
from pipelines.accounts import accounting
from pipelines.pixels.likeness import Pair
from pipelines.samples.showing import Example
from pipelines.splits import SPLITS
from pipelines.surveying import Counts, Survey
from visionmtl import drawing, tasks, terminal
from visionmtl.drawing import sheets
from visionmtl.errors import UsageError
from visionmtl.files import write_picture
from visionmtl.report import tables
from visionmtl.tasks.together import share_colours

TILE = (288, 384)  # height and width of a picture on the contact sheet
COLUMNS, ROWS = 4, 5
WIDTH = 10_000  # columns of a list in a file; a terminal has less
PAIRS = 6  # of pictures that are alike, on the contact sheet
SMALL, LARGE = 32**2, 96**2  # COCO's limits of small and large objects, in square pixels


def inspect(
    source: str, path: str | None, options: Mapping[str, Any], split: str | None, out: str | Path | None
) -> Path:
    """Read all of a data set, print what is in it, and draw a contact sheet.

    Args:
        source: the name of a source.
        path: the folder of a source that reads one.
        options: of the source.
        split: one split alone; None for all that are there.
        out: the PNG; None for `<name>-contact.png` here.

    Returns:
        The contact sheet.

    Raises:
        UsageError, pipelines.DataError: the data cannot be read, or the contact sheet not be written.
    """
    if out is not None and Path(out).suffix.lower() != ".png":
        raise UsageError(f"The contact sheet was to be '{out}': name a file that ends in .png.")
    where = f"'{path}', read as {source}" if path else f"{source} (built in)"
    survey = pipelines.survey(source, path, [split] if split else SPLITS, **options)
    print(f"{where}\n\n{report(survey, Path(path) if path else None)}")
    name = Path(path).resolve().stem if path else source
    target = Path(out or f"{name}-contact.png")
    write_picture(target, contact_sheet(survey))
    print(f"\nContact sheet: {target}")
    return target


def report(survey: Survey, folder: Path | None = None) -> str:
    """Return the tables and lists of a survey as text, in lines that a terminal has room for.

    Args:
        survey: what was read.
        folder: where it lies; files are named as they lie in it. None for their whole names.
    """
    called = partial(_called, survey, folder)
    several = len(survey.splits) > 1  # pictures are alike in several splits where several were read
    texts = [tables.printed(*_images(survey)), tables.printed(*_labelled(survey))]
    texts += [tables.printed(*_boxes(survey, spec)) for spec in survey.specs if kinds.of(spec).has_objects]
    texts += [tables.printed(*_classes(survey, spec)) for spec in survey.specs]
    across = [group for group in survey.duplicates if len({split for split, _ in group}) > 1]
    within = [group for group in survey.duplicates if group not in across]
    together = lambda group: " = ".join(called(split, row) for split, row in group)  # noqa: E731
    if several:
        texts.append(tables.listing("Same pixels in several splits", map(together, across)))
    texts.append(tables.listing("Same pixels twice in one split", map(together, within)))
    texts.append(_near(survey, called, several))
    texts.append(tables.listing("Cannot be used", survey.skipped))
    texts += [accounting.text(account.balance()) for account in survey.source.accounts]
    notes = [*(_undrawn(spec) for spec in survey.specs if not _is_drawn(spec)), *survey.notes]
    if notes:
        texts.append(tables.listing("Notes", notes))
    columns = terminal.width(WIDTH)
    lines = [line for text in texts for line in ("", *text.split("\n"))]
    return "\n".join(_fitting(line, columns) for line in lines[1:])


def _fitting(line: str, columns: int) -> str:
    """Return a line of a list in lines of so many columns; one of a table is as wide already as there is room for."""
    indent = line[: len(line) - len(line.lstrip())]
    if len(line) <= columns or not indent:
        return line
    return terminal.wrapped(line.strip(), columns, indent, f"{indent}    ")


def _called(survey: Survey, folder: Path | None, split: str, name: str | int) -> str:
    """Return a picture's split and file, by its file or its place in the split."""
    file = Path(survey.name(split, name) if isinstance(name, int) else name)
    for place in (folder, folder.resolve()) if folder is not None else ():
        if file.is_relative_to(place):
            return f"{split}: {file.relative_to(place)}"
    return f"{split}: {file}"


def contact_sheet(survey: Survey) -> np.ndarray:
    """Draw pictures of all splits with their labels, uint8 `[H, W, 3]`; the classes' colours are explained below.

    Labels of a kind that no task learns are not drawn; `report` says which.
    """
    order = drawing.drawing_order(tasks.from_spec(spec) for spec in survey.specs if _is_drawn(spec))
    share_colours(order)
    examples = list(survey.examples(COLUMNS * ROWS, TILE))
    if not examples:
        raise UsageError("There is no picture to draw: none can be used.")
    pairs = _pairs_to_show(survey)
    columns = min(COLUMNS, max(len(examples), 2 * len(pairs)))

    def drawn(each: Example, mark: str = "") -> tuple[np.ndarray, str, list[str]]:
        picture, words = sheets.labelled(each.image, order, each.labels, each.weights)
        return picture, f"{mark}{each.split}: {Path(each.name).name}", words

    rows = sheets.rows(list(map(drawn, examples)), columns)
    width = rows[0].shape[1]
    keys = [sheets.line(task.legend, width, task.name) for task in order if task.legend]
    if pairs:
        title = "Alike in several splits (= the same pixels, ~ nearly the same), side by side"
        keys.append(sheets.line({}, width, title))
    twins = []
    for pair in pairs:
        sign = "=" if pair in survey.copies else "~"
        for place, mark in ((pair.first, ""), (pair.second, f"{sign} ")):
            example = survey.example(*place, TILE)
            twins.append(drawn(example, mark))
    return np.concatenate([*rows, *keys, *sheets.rows(twins, columns)])


def _pairs_to_show(survey: Survey) -> list[Pair]:
    """Choose pairs of several splits for the contact sheet, the most alike first, and each picture in one of them."""
    chosen: list[Pair] = []
    shown: set[tuple[str, int]] = set()
    for pair in (*survey.copies, *survey.near.pairs):
        if len(chosen) < PAIRS and not shown & {pair.first, pair.second}:
            chosen.append(pair)
            shown |= {pair.first, pair.second}
    return chosen


def _is_drawn(spec: pipelines.LabelSpec) -> bool:
    return spec.kind in tasks.names()


def _undrawn(spec: pipelines.LabelSpec) -> str:
    return f"'{spec.name}' is counted but not drawn: no task learns labels of kind '{spec.kind}'."


def _images(survey: Survey) -> tuple[list[str], list[list[Any]]]:
    header = ["split", "images", "sizes", "smallest", "commonest", "largest"]
    rows: list[list[Any]] = []
    for name, split in survey.splits.items():
        sizes = sorted(map(tuple, split.shapes[:, ::-1].tolist()), key=lambda size: size[0] * size[1])
        shown = [f"{w} x {h}" for w, h in sizes]
        common = Counter(shown).most_common(1)
        row = [name, split.images, len(set(shown)), *(shown and [shown[0], common[0][0], shown[-1]])]
        rows.append(row + [""] * (len(header) - len(row)))
    return header, rows


def _labelled(survey: Survey) -> tuple[list[str], list[list[Any]]]:
    def labelled(task: str, split: str) -> str:
        counts, images = survey.splits[split].counts[task], survey.splits[split].images
        return f"{counts.labelled:,} ({counts.labelled / max(images, 1):.0%})"

    rows = [
        [s.name, s.kind, len(s.classes), *(labelled(s.name, split) for split in survey.splits)] for s in survey.specs
    ]
    return ["task", "kind", "classes", *(f"labelled in {split}" for split in survey.splits)], rows


def _boxes(survey: Survey, spec: pipelines.LabelSpec) -> tuple[list[str], list[list[Any]]]:
    title = f"{spec.name} boxes"
    header = [title, "objects", "ignored", "most in one", "smallest", "median", "largest", "small", "medium", "large"]
    rows: list[list[Any]] = []
    for name, split in survey.splits.items():
        counts = split.counts[spec.name]
        areas = counts.sizes.prod(axis=1)
        row: list[Any] = [name, len(areas), counts.ignored, counts.most]
        if len(areas):
            ordered = counts.sizes[np.argsort(areas, kind="stable")]
            sizes = [f"{width:.0f} x {height:.0f}" for width, height in ordered[[0, len(ordered) // 2, -1]]]
            fractions = [(areas < SMALL).mean(), ((areas >= SMALL) & (areas <= LARGE)).mean(), (areas > LARGE).mean()]
            row += [*sizes, *(f"{fraction:.0%}" for fraction in fractions)]
        rows.append(row + [""] * (len(header) - len(row)))
    return header, rows


def _classes(survey: Survey, spec: pipelines.LabelSpec) -> tuple[list[str], list[list[Any]]]:
    """Counts of each class; of many classes the commonest and the rarest."""
    counts = np.stack([split.counts[spec.name].classes for split in survey.splits.values()], axis=1)
    rows: list[list[Any]] = [[name, *row] for name, row in zip(spec.classes, counts.tolist(), strict=True)]
    if len(rows) > tables.LISTED:
        rows.sort(key=lambda row: -sum(row[1:]))
        left = len(rows) - tables.LISTED
        rest = np.array([row[1:] for row in rows[tables.LISTED // 2 : -(tables.LISTED // 2)]]).sum(axis=0)
        rows[tables.LISTED // 2 : -(tables.LISTED // 2)] = [[f"({left} more)", *rest.tolist()]]
    if kinds.of(spec).unit == "pixels" and spec.classes:
        counted = [split.counts[spec.name] for split in survey.splits.values()]
        rows.append(["(ignored)", *(each.ignored for each in counted)])
        rows.append(["(ignored, of all)", *map(_ignored, counted)])
    return [spec.name, *(f"{kinds.of(spec).unit} in {split}" for split in survey.splits)], rows


def _ignored(counts: Counts) -> str:
    """Return what share of all pixels is ignored."""
    return f"{counts.ignored / max(counts.ignored + int(counts.classes.sum()), 1):.1%}"


def _near(survey: Survey, called: Callable[[str, int], str], several: bool) -> str:
    """Say which pictures are nearly the same: of several splits pair by pair, of one split how many pairs there are."""
    near = survey.near
    lines = [f"Nearly the same in several splits: {near.across or 'none'}"] if several else []
    if near.across:
        images = [
            f"{count} of {survey.splits[name].images} images in {name}" for name, count in near.images.items() if count
        ]
        lines.append(f"  what is measured on them flatters: {', '.join(images)}")
    for first, second, likeness in near.pairs[: tables.LISTED]:
        lines.append(f"  {called(*first)} ~ {called(*second)} ({likeness:.2f})")
    if near.across > tables.LISTED:
        lines.append(f"  and {near.across - tables.LISTED} more")
    counts = ", ".join(f"{count} in {name}" for name, count in near.within.items() if count)
    lines.append(f"Nearly the same within a split, in pairs: {counts or 'none'}")
    if near.flat:
        lines.append(f"Too plain to be compared (of almost one shade): {near.flat}")
    return "\n".join(lines)
