"""What objects were taken for: the matches of COCO's evaluation at IoU 0.5, and what is left between classes."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

HALF = 0.5  # IoU from which on a detection has found an object


def at_half(matched: Sequence[Mapping[str, Any]]) -> tuple[np.ndarray, np.ndarray, int]:
    """Return what pycocotools matched of a class at IoU 0.5: scores `[N]`, whether right `[N]`, how many objects."""
    counted = [~each["dtIgnore"][0].astype(bool) for each in matched]
    pairs = list(zip(matched, counted, strict=True))
    scores = [np.asarray(each["dtScores"], np.float64)[counts] for each, counts in pairs]
    right = [each["dtMatches"][0][counts] > 0 for each, counts in pairs]
    objects = sum(int((~each["gtIgnore"].astype(bool)).sum()) for each in matched)
    return np.concatenate([np.empty(0), *scores]), np.concatenate([np.empty(0, bool), *right]), objects


def confusion(
    matched: Sequence[Mapping[str, Any] | None],
    truth: Mapping[int, Sequence[float]],
    found: Mapping[int, Sequence[float]],
    least: np.ndarray,
) -> np.ndarray:
    """Return how often objects of each class were taken for each, at IoU 0.5: counts `[C + 1, C + 1]`.

    First each detection that counts has the object of its own class that COCO's evaluation gave it, so that the
    diagonal has the objects that were found and a detection of another class on the same object takes none away; then
    of what is left pairs are made, the largest IoU first, each object and each detection once. Objects without a
    detection were taken for the background, and detections without an object were made of it. Objects of a crowd, and
    what lies in one, count nowhere.

    Args:
        matched: `evalImgs` of pycocotools, of all sizes and 0.5 as the first IoU.
        truth: the boxes of its `gtIds`, as x, y, width and height.
        found: those of its `dtIds`.
        least: the score `[C]` from which on detections of a class count.

    Returns:
        int64, rows the truth and columns what it was taken for, the last of both the background.

    Reference: the form is that of Ultralytics and of supervision, whose matches by the IoU alone let a detection of a
    wrong class take the object of a right one (roboflow/supervision#1853), and of which the former did not count
    detections on the background in pictures without a match (ultralytics/yolov5#9040).
    """
    count = len(least)
    matrix = np.zeros((count + 1, count + 1), np.int64)
    left: dict[int, tuple[list, list]] = {}  # by image, the objects and detections that have no match, with classes
    for each in filter(None, matched):
        label = each["category_id"]
        believed = (np.asarray(each["dtScores"], np.float64) >= least[label]) & ~each["dtIgnore"][0].astype(bool)
        taken = {int(number) for number in each["dtMatches"][0][believed] if number > 0}
        matrix[label, label] += len(taken)
        real = [number for number, aside in zip(each["gtIds"], each["gtIgnore"], strict=True) if not aside]
        objects, detections = left.setdefault(each["image_id"], ([], []))
        objects += [(label, truth[number]) for number in real if number not in taken]
        lone = believed & ~(each["dtMatches"][0] > 0)
        detections += [(label, found[number]) for number, is_lone in zip(each["dtIds"], lone, strict=True) if is_lone]
    for objects, detections in left.values():
        pairs = _pairs([box for _, box in objects], [box for _, box in detections])
        for row, column in pairs:
            matrix[objects[row][0], detections[column][0]] += 1
        rows, columns = {row for row, _ in pairs}, {column for _, column in pairs}
        for place, (label, _) in enumerate(objects):
            matrix[label, count] += place not in rows
        for place, (label, _) in enumerate(detections):
            matrix[count, label] += place not in columns
    return matrix


def _pairs(truth: Sequence[Sequence[float]], found: Sequence[Sequence[float]]) -> list[tuple[int, int]]:
    """Return pairs of boxes that overlap by half or more, the best first and each box once."""
    if not truth or not found:
        return []
    first, second = (np.asarray(boxes, np.float64) for boxes in (truth, found))
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum((first[:, :2] + first[:, 2:])[:, None], (second[:, :2] + second[:, 2:])[None])
    shared = np.clip(high - low, 0, None).prod(axis=-1)
    union = first[:, 2:].prod(axis=1)[:, None] + second[:, 2:].prod(axis=1)[None] - shared
    overlap = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    pairs: list[tuple[int, int]] = []
    for place in np.argsort(-overlap, axis=None, kind="stable"):
        row, column = divmod(int(place), len(found))
        if overlap[row, column] < HALF:
            break
        if all(row != known[0] and column != known[1] for known in pairs):
            pairs.append((row, column))
    return pairs
