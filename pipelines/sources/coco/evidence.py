"""What all boxes of a COCO file together say of the numbers that they are given in."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pipelines.errors import DataError
from pipelines.sources.coco.images import Images
from pipelines.sources.coco.values import key, number
from pipelines.sources.files.entries import HAIR, OVERHANG

ENOUGH = 10  # boxes of which one alone that lies outside speaks, if all are sound as corners


def are_fractions(rows: Sequence[dict[str, Any]], corners: bool) -> bool:
    """Whether all boxes are fractions of their images: they lie within 1 x 1, which no picture's pixels do."""
    found = 0
    for box, _ in _boxes(rows):
        x, y, third, fourth = box
        right, bottom = (third, fourth) if corners else (x + third, y + fourth)
        if not (min(x, y) >= -HAIR and max(right, bottom) <= 1 + HAIR):
            return False
        found += right > x and bottom > y
    return found > 0


def check_corners(path: Path, rows: Sequence[dict[str, Any]], images: Images) -> None:
    """Refuse a file whose boxes are x_min, y_min, x_max, y_max: as x, y, width, height they leave their images.

    Raises:
        DataError: all boxes are sound as corners, and many (of more than a few, one) are not as COCO has them.
    """
    total = outside = 0
    for (x, y, third, fourth), place in _boxes(rows):
        image = images.known.get(key(place) or 0)
        if image is None or image.size is None:
            continue
        height, width = image.size
        if not (x < third <= width + OVERHANG and y < fourth <= height + OVERHANG):
            return
        total += 1
        outside += x + third > width + OVERHANG or y + fourth > height + OVERHANG
    if total > 1 and outside and (outside * 2 >= total or total >= ENOUGH):
        raise DataError(
            f"'{path}': annotations: as [x, y, width, height] {outside:,} of {total:,} boxes leave their image, but "
            "all are sound as [x_min, y_min, x_max, y_max]: mend the file, or set data.options.bbox=corners."
        )


def _boxes(rows: Sequence[dict[str, Any]]) -> Iterator[tuple[tuple[float, float, float, float], Any]]:
    """Yield the boxes that can be read, and ids of their images."""
    for row in rows:
        box = row.get("bbox")
        if isinstance(box, list) and len(box) == 4:
            x, y, third, fourth = map(number, box)
            if x is not None and y is not None and third is not None and fourth is not None:
                yield (x, y, third, fourth), row.get("image_id")
