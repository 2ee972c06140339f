"""What is said of detections beside AP: by size and count as pycocotools has it, by confidence, and taken for what."""

import contextlib
import io

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from visionmtl.metrics import CocoAveragePrecision, f1

PRINTED = ["AP", "AP50", "AP75", *(f"further/{name}" for name in ("AP_small", "AP_medium", "AP_large"))]
PRINTED += [f"further/AR_{name}" for name in (1, 10, 100, "small", "medium", "large")]


def measured(images, classes=("cat", "dog")):
    """The metric after some images of (box, class) and (box, class, score)."""
    metric = CocoAveragePrecision(classes)
    for truth, found in images:
        metric.update(
            {
                "labelled": np.array([True]),
                "truth_boxes": np.array([[box for box, _ in truth]], "float32").reshape(1, -1, 4),
                "truth_classes": np.array([[label for _, label in truth]], "int32").reshape(1, -1),
                "boxes": np.array([[box for box, _, _ in found]], "float32").reshape(1, -1, 4),
                "scores": np.array([[score for _, _, score in found]], "float32").reshape(1, -1),
                "classes": np.array([[label for _, label, _ in found]], "int32").reshape(1, -1),
            }
        )
    return metric


def many(seed=0, images=12):
    """Images of objects of all sizes and of guesses around them, more than count, and one of nothing."""
    random = np.random.default_rng(seed)
    made = [([], [])]
    for _ in range(images):
        corners = random.uniform(0, 200, (15, 2)).round(1)
        boxes = np.concatenate([corners, corners + np.exp(random.uniform(1, 5.5, (15, 2)))], axis=1).astype("float32")
        truth = [(box, label) for box, label in zip(boxes, random.integers(0, 2, 15), strict=True)]
        near = [
            (truth[at][0] + random.normal(0, 6, 4), truth[at][1] if random.random() < 0.8 else random.integers(2))
            for at in random.integers(0, 15, 230)
        ]
        found = [(np.concatenate([box[:2], np.maximum(box[2:], box[:2] + 1)]), label) for box, label in near]
        made.append(
            (truth, [(box, label, score) for (box, label), score in zip(found, random.random(230), strict=True)])
        )
    return made


def printed(images):
    """What pycocotools prints of some images, out of files as COCO has them."""
    rows: dict = {"truth": [], "found": []}
    for image, (truth, found) in enumerate(images):
        for name, boxes in (("truth", truth), ("found", found)):
            for box, label, *score in boxes:
                x, y, right, low = np.asarray(box, np.float32).astype(np.float64).tolist()
                sides = [right - x, low - y]
                row = {
                    "image_id": image,
                    "category_id": int(label),
                    "bbox": [x, y, *sides],
                    "area": sides[0] * sides[1],
                }
                row |= {"iscrowd": 0, "id": len(rows[name]) + 1}
                rows[name].append(row | ({"score": float(np.float32(score[0]))} if score else {}))
    coco = COCO()
    coco.dataset = {
        "images": [{"id": image} for image in range(len(images))],
        "categories": [{"id": 0, "name": "cat"}, {"id": 1, "name": "dog"}],
        "annotations": rows["truth"],
    }
    with contextlib.redirect_stdout(io.StringIO()):
        coco.createIndex()
        evaluation = COCOeval(coco, coco.loadRes(rows["found"]), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return dict(zip(PRINTED, evaluation.stats.tolist(), strict=True))


def test_sizes_and_counts_are_those_that_pycocotools_prints():
    images = many()
    result = measured(images).result(details=True)
    expected = printed(images)
    assert len({*expected.values()}) == len(expected)
    assert {name: result[name] for name in PRINTED} == pytest.approx(expected, abs=1e-12)


def test_no_log_of_training_has_them():
    assert measured(many(images=1)).result().keys() == {"AP", "AP50", "AP75"}


def test_curves_are_what_counting_at_each_confidence_gives():
    random = np.random.default_rng(0)
    scores, right = random.random(50).round(2), random.random(50) < 0.6
    confidences = np.linspace(0, 1, 11)
    precision, recall, both = f1.over(confidences, scores, right, 40)
    for place, confidence in enumerate(confidences):
        believed = scores >= confidence
        hits = (believed & right).sum()
        assert recall[place] == hits / 40
        assert both[place] == 2 * hits / (believed.sum() + 40)
        assert precision[place] == (
            pytest.approx(hits / believed.sum()) if believed.any() else pytest.approx(np.nan, nan_ok=True)
        )


BOX, NEAR, FAR = [0, 0, 10, 10], [0, 0, 10, 9], [50, 50, 70, 70]


@pytest.mark.parametrize(
    ("truth", "found", "cells"),
    [
        ([(BOX, 0)], [(BOX, 0, 0.9)], {(0, 0): 1}),
        ([(BOX, 0)], [(BOX, 1, 0.9)], {(0, 1): 1}),
        ([(BOX, 0)], [], {(0, 2): 1}),
        ([], [(BOX, 1, 0.9)], {(2, 1): 1}),
        ([(BOX, 0)], [(FAR, 0, 0.9)], {(0, 2): 1, (2, 0): 1}),  # no match at all: the detection is counted yet
        ([(BOX, 0)], [(BOX, 1, 0.9), (NEAR, 0, 0.6)], {(0, 0): 1, (2, 1): 1}),  # the right class has it
        ([(BOX, 0)], [(BOX, 0, 0.9), (NEAR, 0, 0.8)], {(0, 0): 1, (2, 0): 1}),  # once
        ([(BOX, 0)], [(BOX, 0, 0.4)], {(0, 2): 1}),  # below the confidence
        ([(BOX, -2)], [(BOX, 0, 0.9)], {}),  # of a crowd
    ],
)
def test_what_objects_are_taken_for_is_counted(truth, found, cells):
    metric = measured([(truth, found), ([], [])])
    metric.least = {"cat": 0.5, "dog": 0.5}
    expected = np.zeros((3, 3), int)
    for cell, count in cells.items():
        expected[cell] = count
    np.testing.assert_array_equal(metric.confusion(), expected)


def test_every_object_and_every_detection_that_counts_stands_once_and_curves_agree():
    images = many(seed=1)
    metric = measured(images)
    metric.least = {"cat": 0.5, "dog": 0.8}
    matrix, (precision, recall, _) = metric.confusion(), metric.by_confidence()
    objects = [sum(label == kind for truth, _ in images for _, label in truth) for kind in (0, 1)]
    np.testing.assert_array_equal(matrix.sum(axis=1)[:2], objects)
    for kind, place in ((0, 500), (1, 800)):
        assert recall[place, kind] == pytest.approx(matrix[kind, kind] / objects[kind])
        assert precision[place, kind] == pytest.approx(matrix[kind, kind] / matrix[:, kind].sum())


def test_without_chosen_confidences_those_of_the_best_f1_count_and_nothing_is_no_fault():
    images = many(seed=2)
    metric = measured(images)
    chosen = metric.confidences()
    by_default = metric.confusion()
    metric.least = dict(zip(metric.classes, chosen.tolist(), strict=True))
    np.testing.assert_array_equal(metric.confusion(), by_default)
    np.testing.assert_array_equal(measured([]).confusion(), np.zeros((3, 3)))
    assert np.isnan(measured([]).by_confidence()).all()
