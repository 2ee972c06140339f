"""From a line of numbers to an object, every number checked."""

from collections import Counter
from math import isfinite

from pipelines.sources.files.entries import Annotation, corners
from pipelines.sources.files.outlines import around
from pipelines.sources.yolo.forms import BOX, Form
from pipelines.sources.yolo.lines import Line

KEYPOINTS, TRACKS = "keypoints", "track ids"


def read_objects(
    lines: list[Line], classes: tuple[str, ...], form: Form
) -> tuple[list[Annotation], list[str], Counter]:
    """Turn the lines of one file into objects, as fractions of the image.

    Returns:
        The objects; of each line that is wrong, a sentence without its full stop; and how many keypoints and ids of
        tracks were set aside.
    """
    objects, wrong, aside = [], [], Counter[str]()
    for line in lines:
        try:
            objects.append(_object(line, classes, form, aside))
        except ValueError as error:
            wrong.append(f"line {line.number}: {error}")
    return objects, wrong, aside


def _object(line: Line, classes: tuple[str, ...], form: Form, aside: Counter[str]) -> Annotation:
    key, *values = line.values
    tracked = form.tracks and _is_tracked(len(line.values), form)
    if tracked:
        del values[-1]
    columns = len(values) + 1
    box = columns == BOX or (form.keypoints is not None and columns == (form.columns or columns) and columns > BOX)
    if not box and (form.keypoints is not None or columns < 7 or not columns % 2):
        raise ValueError(f"it has {len(line.values)} numbers: expected {_expected(form)}")
    if not key.is_integer() or not 0 <= key < len(classes):
        hint = "; ids count from 0, these look as if they counted from 1" if form.from_one else ""
        raise ValueError(
            f"class {key:g} is unknown: expected 0 to {len(classes) - 1}, the classes that have names{hint}"
        )
    name = classes[int(key)]
    if not box and not all(map(isfinite, values)):
        raise ValueError("its polygon is not finite")
    aside[TRACKS] += tracked
    if box:
        x, y, width, height = values[:4]
        if form.keypoints is not None and columns > BOX:
            aside[KEYPOINTS] += form.keypoints[0] or 1
        edges = corners((x - width / 2, y - height / 2, x + width / 2, y + height / 2))
        return Annotation(edges, name, number=line.number)
    edges = corners(around([values]))
    oriented = form.oriented and columns == 9
    return Annotation(edges, name, segmentation=None if oriented else [values], number=line.number)


def _is_tracked(columns: int, form: Form) -> bool:
    if columns == BOX + 1:
        return True
    return columns == form.columns + 1 if form.columns else form.keypoints is None and columns % 2 == 0


def _expected(form: Form) -> str:
    box = "class, x, y, width, height"
    if form.keypoints is None:
        return f"{box}, or class and a polygon"
    return f"{box}, or these and keypoints" + (f", {form.columns} in all" if form.columns else "")
