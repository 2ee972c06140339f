"""What the numbers of a line mean, told by data.yaml, or by evidence over all lines there are."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pipelines.errors import DataError
from pipelines.sources.yolo.lines import Line

MEANINGS = ("auto", "polygons", "oriented", "keypoints")
BOX = 5  # numbers of a line that is a box
BEYOND = 2.0  # a number that no fraction comes near
LIMIT = 1.01  # the largest that Ultralytics takes for a fraction
SKEW = 0.002  # by which the corners of an oriented box may miss a parallelogram: pixels rounded before they are divided
MANY = 8  # upright rectangles that nobody draws corner by corner
FEW = 4  # lines that are too few to say that all are wrong in one way


@dataclass(frozen=True)
class Form:
    """What lines have beside a class and a box.

    Attributes:
        keypoints: how many keypoints and how many numbers each has; (0, 0) for any; None for none.
        oriented: four corners are an oriented box, of which the upright one around it is used.
        tracks: a number more than expected is the id of a track.
        from_one: the ids of the classes look as if they counted from 1.
    """

    keypoints: tuple[int, int] | None = None
    oriented: bool = False
    tracks: bool = False
    from_one: bool = False

    @property
    def columns(self) -> int | None:
        """How many numbers a line with keypoints has; None for any."""
        count, numbers = self.keypoints or (0, 0)
        return BOX + count * numbers if count else None


def decide(
    read: Sequence[tuple[Path, list[Line]]], classes: int, keypoints: tuple[int, int] | None, meaning: str
) -> Form:
    """Decide what the lines of a data set mean.

    Args:
        read: the lines of each file.
        classes: how many there are.
        keypoints: what data.yaml says of them.
        meaning: one of `MEANINGS`; "auto" decides by evidence.

    Raises:
        DataError: they are no fractions, are predictions, or may mean two things.
    """
    lines = [line for _, own in read for line in own]
    if not lines:
        return Form(keypoints)
    path, first = next((path, own[0]) for path, own in read if own)
    at = f"'{path}': line {first.number}"
    _refuse_pixels(lines, at)
    _refuse_corners(lines, at)
    ids = {line.values[0] for line in lines}
    form = Form(keypoints, from_one=min(ids) == 1 and max(ids) == classes)
    if meaning == "keypoints":
        form = replace(form, keypoints=keypoints or (0, 0))
    elif meaning != "auto":
        form = replace(form, keypoints=None)
    elif keypoints is None:
        form = replace(form, keypoints=_keypoints(lines, at))
    form = replace(form, tracks=_tracks(lines, form, at))
    if form.keypoints is None:
        form = replace(form, oriented=meaning == "oriented" or (meaning == "auto" and _oriented(lines, form)))
    return form


def _refuse_pixels(lines: Sequence[Line], at: str) -> None:
    far = sum(max(line.values[1:BOX], default=0) > BEYOND for line in lines)
    if far >= 0.9 * len(lines):  # a tiny object in a corner has small numbers in pixels too
        raise DataError(
            f"{at} and {far} of all {len(lines)} lines have numbers far above 1: they look like pixels (or percent), "
            "but those of YOLO are fractions. Divide x and width by the picture's width, y and height by its height."
        )


def _refuse_corners(lines: Sequence[Line], at: str) -> None:
    """Refuse boxes that leave their pictures as centres and sizes, and fit as corners, every one."""
    boxes = [line.values[1:] for line in lines if len(line.values) == BOX]
    leave = [max(x + w / 2, y + h / 2) > LIMIT or min(x - w / 2, y - h / 2) < 1 - LIMIT for x, y, w, h in boxes]
    fit = (x < w <= LIMIT and y < h <= LIMIT for x, y, w, h in boxes)
    if len(boxes) >= FEW and 2 * sum(leave) >= len(boxes) and all(fit):
        raise DataError(
            f"{at} and the others look like corners x_min, y_min, x_max, y_max, but those of YOLO are x and y of the "
            "centre, width and height: as such, half of them or more leave their pictures."
        )


def _keypoints(lines: Sequence[Line], at: str) -> tuple[int, int] | None:
    """Tell keypoints without kpt_shape: as many numbers in every line, which fit boxes and no polygons."""
    longer = [line.values for line in lines if len(line.values) > BOX + 1]
    if not longer or len(set(map(len, longer))) > 1 or not all(map(_has_box, longer)):
        return None
    count, rest = divmod(len(longer[0]) - BOX, 3)
    if not rest and all(flag in (0, 1, 2) for values in longer for flag in values[BOX + 2 :: 3]):
        return count, 3
    if len(longer[0]) % 2 and all(map(_holds_points, longer)) and 2 * sum(map(_is_outline, longer)) < len(longer):
        raise DataError(
            f"{at} and the others may be a box with keypoints, or a polygon: write kpt_shape: "
            f"[{(len(longer[0]) - BOX) // 2}, 2] to data.yaml if they are keypoints, or set the option lines=polygons."
        )
    return None


def _has_box(values: Sequence[float]) -> bool:
    x, y, width, height = values[1:BOX]
    return (
        0 < width <= LIMIT
        and 0 < height <= LIMIT
        and min(x - width / 2, y - height / 2) >= 1 - LIMIT
        and max(x + width / 2, y + height / 2) <= LIMIT
    )


def _holds_points(values: Sequence[float]) -> bool:
    """Whether the box that a line begins with holds the points after it, which fill a fair part of it."""
    x, y, width, height = values[1:BOX]
    points = [(a, b) for a, b in zip(values[BOX::2], values[BOX + 1 :: 2], strict=True) if a or b]
    within = all(abs(a - x) <= 0.55 * width and abs(b - y) <= 0.55 * height for a, b in points)
    return within and (len(points) < 2 or _spread(points, 0) > width / 4 or _spread(points, 1) > height / 4)


def _is_outline(values: Sequence[float]) -> bool:
    """Whether the third and fourth number are a point near the others, as they are in a polygon."""
    points = [values[1:3], *zip(values[BOX::2], values[BOX + 1 :: 2], strict=True)]
    return all(
        abs(values[3 + axis] - sum(point[axis] for point in points) / len(points)) <= max(_spread(points, axis), 0.02)
        for axis in (0, 1)
    )


def _spread(points: Sequence[Sequence[float]], axis: int) -> float:
    values = [point[axis] for point in points]
    return max(values) - min(values)


def _tracks(lines: Sequence[Line], form: Form, at: str) -> bool:
    """Whether a number more than boxes, polygons or keypoints have is the id of a track; confidences are refused."""
    expected = form.columns
    extra = [line.values for line in lines if _has_extra(len(line.values), expected)]
    if not extra:
        return False
    if all(values[-1].is_integer() and values[-1] >= 0 for values in extra):
        return True
    if len(extra) == len(lines) and all(0 <= values[-1] <= 1 for values in extra):
        raise DataError(
            f"{at} and all others end in a number more, between 0 and 1: they look like predictions with their "
            "confidence, which are no labels. If these are right, take the last number of each line away."
        )
    return False


def _has_extra(columns: int, expected: int | None) -> bool:
    return columns == expected + 1 if expected else columns > BOX and columns % 2 == 0


def _oriented(lines: Sequence[Line], form: Form) -> bool:
    """Whether all polygons are parallelograms, and some of them turned or so many that nobody drew them."""
    polygons = [line.values for line in lines if len(line.values) > BOX + 1]
    if form.tracks:
        polygons = [values if len(values) % 2 else values[:-1] for values in polygons]
    if not polygons or not all(len(values) == 9 and _is_parallelogram(values) for values in polygons):
        return False
    return len(polygons) >= MANY or not all(map(_is_upright, polygons))


def _is_parallelogram(values: Sequence[float]) -> bool:
    _, ax, ay, bx, by, cx, cy, dx, dy = values
    return abs(ax + cx - bx - dx) <= SKEW and abs(ay + cy - by - dy) <= SKEW


def _is_upright(values: Sequence[float]) -> bool:
    xs, ys = values[1::2], values[2::2]
    return all(min(x - min(xs), max(xs) - x) <= SKEW for x in xs) and all(
        min(y - min(ys), max(ys) - y) <= SKEW for y in ys
    )
