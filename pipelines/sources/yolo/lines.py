"""One text file of YOLO labels, every number checked."""

from math import isfinite
from pathlib import Path

from pipelines.sources.files.entries import Annotation, corners


def read_lines(path: Path, classes: tuple[str, ...]) -> tuple[list[Annotation], list[str]]:
    """Read the objects of one image.

    Returns:
        The objects, as fractions of the image; and of each line that is wrong, a sentence without its full stop.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        return [], [f"it is no text in UTF-8: {error}"]
    objects, wrong = [], []
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                objects.append(_object(line.split(), classes, number))
            except ValueError as error:
                wrong.append(f"line {number}: {error}")
    return objects, wrong


def _object(cells: list[str], classes: tuple[str, ...], number: int) -> Annotation:
    try:
        key, *values = (float(cell) for cell in cells)
    except ValueError:
        raise ValueError(f"'{' '.join(cells)[:60]}' is not all numbers") from None
    if len(values) != 4 and (len(values) < 6 or len(values) % 2):
        raise ValueError(f"it has {len(cells)} numbers: expected class, x, y, width, height, or class and a polygon")
    if not key.is_integer() or not 0 <= key < len(classes):
        raise ValueError(f"class {cells[0]} is unknown: expected 0 to {len(classes) - 1}")
    name = classes[int(key)]
    if len(values) == 4:
        x, y, width, height = values
        return Annotation(corners((x - width / 2, y - height / 2, x + width / 2, y + height / 2)), name, number=number)
    if not all(map(isfinite, values)):
        raise ValueError("its polygon is not finite")
    xs, ys = values[::2], values[1::2]
    return Annotation(corners((min(xs), min(ys), max(xs), max(ys))), name, segmentation=[values], number=number)
