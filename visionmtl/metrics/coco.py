"""pycocotools run on boxes as they are in memory: its index, its evaluation, without files and without its printing."""

import contextlib
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

SMALL, LARGE = 32.0**2, 96.0**2  # square pixels: smaller than the one is small, larger than the other is large
SIZES = {"all": (0.0, np.inf), "small": (0.0, SMALL), "medium": (SMALL, LARGE), "large": (LARGE, np.inf)}
COUNTS = (1, 10, 100)  # of detections of a class in an image, the best ones


def annotations(image: int, boxes: np.ndarray, classes: np.ndarray, scores: np.ndarray | None) -> list[dict]:
    """Describe the boxes of one image as COCO does: x, y, width, height, and area."""
    corners = boxes.astype(np.float64)
    sizes = corners[:, 2:] - corners[:, :2]
    scores = np.ones(len(classes)) if scores is None else scores
    return [
        {"image_id": image, "category_id": c, "bbox": box, "area": area, "score": score, "iscrowd": 0}
        for c, box, area, score in zip(
            classes.tolist(),
            np.concatenate([corners[:, :2], sizes], axis=1).tolist(),
            sizes.prod(axis=1).tolist(),
            scores.tolist(),
            strict=True,
        )
    ]


def evaluated(
    truth: list[dict],
    detections: list[dict],
    images: int,
    classes: Sequence[str],
    sizes: Sequence[str] = ("all",),
    counts: Sequence[int] = COUNTS[-1:],
) -> Any:
    """Return pycocotools' evaluation of boxes, accumulated.

    Args:
        truth: as `annotations` gives it, `category_id` from 0.
        detections: likewise.
        images: how many there are, numbered from 0.
        classes: their names.
        sizes: names in `SIZES`.
        counts: how many detections of a class in an image count, ascending.
    """
    with contextlib.redirect_stdout(io.StringIO()):
        evaluation = COCOeval(_index(truth, images, classes), _index(detections, images, classes), "bbox")
        evaluation.params.areaRng, evaluation.params.areaRngLbl = [list(SIZES[size]) for size in sizes], list(sizes)
        evaluation.params.maxDets = list(counts)
        evaluation.evaluate()
        evaluation.accumulate()
    return evaluation


def known(values: np.ndarray) -> np.ndarray:
    """Return what pycocotools accumulated with NaN, not -1, where there is no truth."""
    return np.where(values < 0, np.nan, values)


def _index(rows: list[dict], images: int, classes: Sequence[str]) -> COCO:
    """Build pycocotools' index straight from the annotations, without a detour over JSON."""
    coco = COCO()
    coco.dataset = {
        "images": [{"id": image} for image in range(images)],
        "categories": [{"id": index, "name": name} for index, name in enumerate(classes)],
        # Ids start at 1: COCOeval takes a match with id 0 for no match.
        "annotations": [each | {"id": index} for index, each in enumerate(rows, start=1)],
    }
    coco.createIndex()
    return coco
