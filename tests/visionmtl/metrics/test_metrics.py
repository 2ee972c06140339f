"""Every metric against values found another way: by hand, or by counting in plain float64 Python."""

import math

import numpy as np
import pytest
import tensorflow as tf

from visionmtl.metrics.boundary import BoundaryIoU
from visionmtl.metrics.classification import Accuracy, MultiLabel, average_precision
from visionmtl.metrics.depth import DepthError
from visionmtl.metrics.detection import CocoAveragePrecision
from visionmtl.metrics.segmentation import MeanIoU

RNG = np.random.default_rng(7)


def statistics(metric, labels, predictions, weights):
    """Run the graph half, compiled, and return NumPy arrays."""
    result = tf.function(metric.statistics)(
        tf.nest.map_structure(tf.constant, labels),
        tf.nest.map_structure(tf.constant, predictions),
        tf.constant(weights, tf.float32),
    )
    return {key: value.numpy() for key, value in result.items()}


def evaluate(metric, labels, predictions, weights=None, details=False):
    weights = np.ones(len(tf.nest.flatten(labels)[0]), np.float32) if weights is None else weights
    metric.update(statistics(metric, labels, predictions, weights))
    return metric.result(details)


def classification_batch(size=24, classes=7):
    return RNG.integers(0, classes, size).astype(np.int32), {"probabilities": RNG.random((size, classes), np.float32)}


def multi_label_batch(size=24, classes=3):
    labels = RNG.integers(-1, 2, (size, classes)).astype(np.float32)
    return labels, {"probabilities": RNG.random((size, classes), np.float32).round(1)}


def segmentation_batch(size=24, classes=4):
    labels = RNG.choice([0, 1, 2, 3, 255], (size, 6, 5)).astype(np.int32)
    return labels, {"classes": RNG.integers(0, classes, (size, 6, 5)).astype(np.int32)}


def detection_batch(size=24, classes=3):
    corners = RNG.uniform(0, 50, (size, 6, 2))
    boxes = np.concatenate([corners, corners + RNG.uniform(8, 40, (size, 6, 2))], axis=-1).astype(np.float32)
    kinds = np.sort(RNG.integers(-1, classes, (size, 6)))[:, ::-1].astype(np.int32)
    predictions = {
        "boxes": boxes + RNG.normal(0, 2, boxes.shape).astype(np.float32),
        "scores": RNG.random((size, 6), np.float32),
        "classes": kinds,
    }
    return {"boxes": boxes, "classes": kinds}, predictions


def depth_batch(size=24):
    labels, found = RNG.uniform(1, 9, (2, size, 6, 5)).astype(np.float32)
    labels[:, 0, :2] = [0, np.nan]
    return labels, {"depth": found}


CASES = [
    (Accuracy, 7, classification_batch),
    (MultiLabel, 3, multi_label_batch),
    (CocoAveragePrecision, 3, detection_batch),
    (MeanIoU, 4, segmentation_batch),
    (BoundaryIoU, 4, segmentation_batch),
    (DepthError, 0, depth_batch),
]


@pytest.fixture(params=CASES, ids=lambda case: case[0].__name__)
def case(request):
    metric, count, batch = request.param
    return metric([f"class {index}" for index in range(count)]), *batch()


def rows(tree, chosen):
    return tf.nest.map_structure(lambda array: array[chosen], tree)


def test_nothing_seen_gives_nan(case):
    metric, _, _ = case
    assert all(math.isnan(value) for value in metric.result(details=True).values())


def test_only_missing_labels_give_nan(case):
    metric, labels, predictions = case
    result = evaluate(metric, labels, predictions, np.zeros(24, np.float32), details=True)
    assert all(math.isnan(value) for value in result.values())


def test_images_of_weight_zero_do_not_count(case):
    metric, labels, predictions = case
    weights = (np.arange(24) % 3 > 0).astype(np.float32)
    masked = evaluate(metric, labels, predictions, weights, details=True)
    metric.reset()
    alone = evaluate(metric, rows(labels, weights > 0), rows(predictions, weights > 0), details=True)
    assert masked == pytest.approx(alone, nan_ok=True)


def test_batches_and_replicas_give_the_result_of_one_batch(case):
    metric, labels, predictions = case
    once = evaluate(metric, labels, predictions, details=True)
    metric.reset()
    ones = np.ones(24, np.float32)
    parts = [
        statistics(metric, rows(labels, part), rows(predictions, part), ones[part])
        for part in (slice(0, 8), slice(8, 10), slice(10, 24))
    ]
    metric.update({key: np.concatenate([parts[0][key], parts[1][key]]) for key in parts[0]})
    metric.update(parts[2])
    assert metric.result(details=True) == pytest.approx(once, nan_ok=True)


def test_accuracy_top5_and_macro_f1_by_hand():
    metric = Accuracy("abcdefg")
    probabilities = np.tile(np.linspace(0.7, 0.1, 7, dtype=np.float32), (4, 1))  # a first, then b, ... g last
    result = evaluate(metric, np.array([0, 1, 4, 5], np.int32), {"probabilities": probabilities}, details=True)
    assert result["accuracy"] == 0.25
    assert result["top5"] == 0.75
    # a: 1 of 4 predictions right, its one truth found: F1 = 2 / (1 + 4); b, e, f: 0; the others never occur.
    assert result["F1/a"] == pytest.approx(0.4)
    assert math.isnan(result["F1/g"])
    assert result["macro_F1"] == pytest.approx(0.1)


def test_equal_probabilities_are_no_top5_hit_for_the_sixth_class():
    result = evaluate(Accuracy("abcdef"), np.array([5], np.int32), {"probabilities": np.ones((1, 6), np.float32)})
    assert result["top5"] == 0


def test_top5_needs_more_than_five_classes():
    labels, predictions = classification_batch(classes=5)
    assert set(evaluate(Accuracy("abcde"), labels, predictions)) == {"accuracy", "macro_F1"}


def test_average_precision_by_hand():
    # Right at ranks 1 and 3 of 4: (1/1 + 2/3) / 2.
    assert average_precision(np.array([1, 0, 1, 0], bool), np.array([0.9, 0.8, 0.7, 0.1])) == pytest.approx(5 / 6)
    # One threshold for the tie: both positives enter at precision 2/3, whatever their order in the array.
    assert average_precision(np.array([0, 1, 1], bool), np.array([0.5, 0.5, 0.5])) == pytest.approx(2 / 3)
    assert math.isnan(average_precision(np.zeros(3, bool), np.arange(3.0)))


def test_average_precision_equals_counting_at_every_threshold():
    positive, scores = RNG.random(200) < 0.3, RNG.integers(0, 20, 200) / 20
    area, last_recall = 0.0, 0.0
    for threshold in sorted(set(scores.tolist()), reverse=True):
        taken = [bool(p) for p, s in zip(positive, scores, strict=True) if s >= threshold]
        recall, precision = sum(taken) / int(positive.sum()), sum(taken) / len(taken)
        area, last_recall = area + (recall - last_recall) * precision, recall
    assert average_precision(positive, scores) == pytest.approx(area, abs=1e-12)


def test_multi_label_by_hand_with_unknown_labels():
    labels = np.array([[1, 0, 0], [0, 0, -1], [1, 0, -1], [-1, 0, -1]], np.float32)
    probabilities = np.array([[0.9, 0.2, 0.1], [0.8, 0.3, 0.9], [0.4, 0.1, 0.9], [0.9, 0.6, 0.9]], np.float32)
    result = evaluate(MultiLabel("abc"), labels, {"probabilities": probabilities}, details=True)
    assert result["AP/a"] == pytest.approx(5 / 6)  # the unknown fourth does not count
    assert math.isnan(result["AP/b"])  # no positive
    assert result["mAP"] == pytest.approx(5 / 6)
    # a: 1 hit, 2 truths, 2 predictions: 1/2. b: predicted once, never true: 0. c: neither.
    assert result["macro_F1"] == pytest.approx(0.25)
    assert result["accuracy"] == pytest.approx((1 + 3 + 1) / (3 + 4 + 1))
    metric = MultiLabel("abc")
    statistics = metric.statistics(labels, {"probabilities": probabilities}, tf.ones(4))
    metric.update({name: value.numpy() for name, value in statistics.items()})
    assert metric.outcomes.tolist() == [[1, 1, 1, 0], [0, 1, 0, 3], [0, 0, 0, 1]]


def test_mean_iou_by_hand():
    truth = np.array([[[0, 0, 1], [1, 255, 2]]], np.int32)
    predicted = np.array([[[0, 1, 1], [1, 3, 0]]], np.int32)
    result = evaluate(MeanIoU(["a", "b", "c", "d"]), truth, {"classes": predicted}, details=True)
    assert result["IoU/a"] == pytest.approx(1 / 3)
    assert result["IoU/b"] == pytest.approx(2 / 3)
    assert result["IoU/c"] == 0
    assert math.isnan(result["IoU/d"])  # predicted only where the truth is 255
    assert result["mIoU"] == pytest.approx(1 / 3)
    assert result["pixel_accuracy"] == pytest.approx(3 / 5)


def test_confusion_counts_survive_beyond_32_bits():
    metric = MeanIoU("ab")
    for _ in range(3):
        metric.update({"confusion": np.array([[[2**31, 0], [0, 2**31]]])})
    assert metric.confusion.tolist() == [[3 * 2**31, 0], [0, 3 * 2**31]]
    assert metric.result()["mIoU"] == 1.0


def detections(truth, found, crowds=(), padding=2):
    """Build one image's labels and predictions from `(class, x, y, width, height[, score])` rows."""

    def padded(rows, width):
        array = np.zeros((1, len(rows) + padding, width), np.float32)
        array[..., 0] = -1
        for index, row in enumerate(rows):
            array[0, index, : len(row)] = row
        boxes = np.concatenate([array[..., 1:3], array[..., 1:3] + array[..., 3:5]], axis=-1)
        return boxes, array[..., 0].astype(np.int32), array[..., 5:6].squeeze(-1)

    truth_boxes, truth_classes, _ = padded([*truth, *((-2, *crowd) for crowd in crowds)], 6)
    boxes, classes, scores = padded(found, 6)
    return {"boxes": truth_boxes, "classes": truth_classes}, {"boxes": boxes, "classes": classes, "scores": scores}


def test_coco_precision_by_hand():
    truth = [(0, 0, 0, 10, 10), (0, 50, 50, 20, 20)]
    found = [(0, 0, 0, 10, 10, 0.9), (0, 20, 20, 10, 10, 0.8), (0, 50, 50, 20, 20, 0.7)]
    result = evaluate(CocoAveragePrecision("ab"), *detections(truth, found), details=True)
    # Precision 1 at the 51 recalls up to 0.5, then 2/3 at the other 50, for every IoU threshold.
    expected = (51 + 50 * 2 / 3) / 101
    assert [result[name] for name in ("AP", "AP50", "AP75", "AP/a")] == pytest.approx([expected] * 4)
    assert math.isnan(result["AP/b"])


def test_coco_counts_a_loose_box_at_loose_thresholds_only():
    result = evaluate(CocoAveragePrecision("a"), *detections([(0, 0, 0, 10, 10)], [(0, 0, 0, 10, 6.2, 0.9)]))
    assert result == pytest.approx({"AP": 0.3, "AP50": 1.0, "AP75": 0.0})  # IoU 0.62: right at 0.50, 0.55 and 0.60


def test_coco_classes_are_apart_and_averaged():
    truth = [(0, 0, 0, 10, 10), (1, 40, 40, 10, 10)]
    result = evaluate(
        CocoAveragePrecision("ab"), *detections(truth, [(0, 0, 0, 10, 10, 0.5), (0, 40, 40, 10, 10, 0.4)])
    )
    assert result["AP"] == pytest.approx(0.5)


def test_coco_no_detection_is_zero_and_no_truth_is_nan():
    assert evaluate(CocoAveragePrecision("a"), *detections([(0, 0, 0, 10, 10)], []))["AP"] == 0
    assert math.isnan(evaluate(CocoAveragePrecision("a"), *detections([], [(0, 0, 0, 10, 10, 0.9)]))["AP"])


@pytest.mark.parametrize("kind", [0, 1])
def test_coco_detections_in_a_crowd_are_neither_right_nor_wrong(kind):
    truth = [(0, 0, 0, 10, 10), (1, 80, 0, 10, 10)]
    found = [(0, 0, 0, 10, 10, 0.3), (1, 80, 0, 10, 10, 0.3), (kind, 42, 42, 8, 8, 0.9)]
    assert evaluate(CocoAveragePrecision("ab"), *detections(truth, found))["AP"] == pytest.approx(0.75)
    crowded = detections(truth, found, crowds=[(40, 40, 30, 30)])
    assert evaluate(CocoAveragePrecision("ab"), *crowded)["AP"] == pytest.approx(1.0)


def test_coco_counts_objects_of_every_size_and_prints_nothing(capsys):
    truth = [(0, 0, 0, 2, 2), (0, 10, 0, 2000, 2000)]
    found = [(*row, 0.9) for row in truth]
    assert evaluate(CocoAveragePrecision("a"), *detections(truth, found))["AP"] == pytest.approx(1.0)
    assert capsys.readouterr().out == ""


def test_coco_confidences_are_chosen_at_an_iou_of_half_and_pass_over_crowds():
    truth = [(0, 0, 0, 10, 10), (0, 50, 50, 20, 20)]
    found = [(0, 0, 0, 10, 6.2, 0.6), (0, 50, 50, 20, 20, 0.5), (0, 20, 20, 10, 10, 0.2), (1, 20, 20, 10, 10, 0.9)]
    inside = [(0, 80, 80, 10, 10, 0.9)] * 3
    metric = CocoAveragePrecision("abc")
    evaluate(metric, *detections(truth, [*found, *inside], crowds=[(80, 80, 10, 10)]))
    np.testing.assert_allclose(metric.confidences(), [0.35, np.nan, np.nan])
    metric.reset()
    assert np.isnan(metric.confidences()).all()
