"""Every metric against independent sources: scikit-learn, pycocotools on a JSON file, and the literature's formulas.

The metrics see batches, weights and replicas as in an evaluation; the sources see only what counts, at once.
"""

import contextlib
import io
import json
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from sklearn import metrics as sklearn_metrics

from visionmtl.metrics import Accuracy, CocoAveragePrecision, DepthError, MeanIoU, MultiLabel
from visionmtl.metrics.detection import CROWD
from visionmtl.model.evaluation import Evaluation, Seen, evaluation_step

CLASSES = 7
NAMES = [f"class {index}" for index in range(CLASSES)]
KINDS = {
    "classification": Accuracy,
    "multi_label": MultiLabel,
    "detection": CocoAveragePrecision,
    "segmentation": MeanIoU,
    "depth": DepthError,
}
SPLITS = {  # images, the sizes of batches, and what is special
    "plain": (10, (10,), {}),
    "two batches of unequal size": (10, (7, 3), {}),
    "one image": (1, (1,), {}),
    "a class absent from the truth": (10, (7, 3), {"absent": 2}),
    "a class absent from truth and predictions": (10, (7, 3), {"absent": 2, "unseen": True}),
    "images of weight 0": (10, (7, 3), {"unlabelled": (0, 8, 9)}),
    "what is ignored": (10, (7, 3), {"ignored": True}),
    "all of it": (10, (7, 3), {"absent": 2, "unlabelled": (4, 8), "ignored": True}),
}


def split_of(images, absent=None, unseen=False, unlabelled=(), ignored=False):
    """Labels, predictions and weights of every kind of task, by its name."""
    random = np.random.default_rng(5)
    others = [index for index in range(CLASSES) if index != absent]
    seen = others if unseen else range(CLASSES)
    unsure = random.random((images, CLASSES)).astype(np.float32)
    if unseen:
        unsure[:, absent] = 0
    truth = random.choice(others, images).astype(np.int32)
    present = (random.random((images, CLASSES)) < 0.4).astype(np.float32)
    masks = random.choice(others, (images, 6, 5)).astype(np.int32)
    depths = random.uniform(1, 9, (images, 6, 5)).astype(np.float32)
    corners = random.uniform(0, 50, (images, 6, 2))
    boxes = np.concatenate([corners, corners + random.uniform(8, 40, (images, 6, 2))], axis=-1).astype(np.float32)
    kinds = random.choice(others, (images, 6)).astype(np.int32)
    kinds[:, 4:] = -1
    guesses = np.where(random.random((images, 6)) < 0.7, kinds, random.choice(seen, (images, 6))).astype(np.int32)
    if absent is not None:
        present[:, absent] = 0
    if ignored:
        truth[1], present[2:5, 1], masks[:, 2] = -1, -1, 255
        depths[0, 0, :3], kinds[3, 0], kinds[5, 1] = [0, np.nan, np.inf], CROWD, CROWD
    guessed = random.choice(seen, masks.shape)
    painted = np.where(random.random(masks.shape) < 0.6, masks % 255, guessed).astype(np.int32)
    labels = {
        "classification": truth,
        "multi_label": present,
        "detection": {"boxes": boxes, "classes": kinds},
        "segmentation": masks,
        "depth": depths,
    }
    predictions = {
        "classification": {"probabilities": unsure},
        "multi_label": {"probabilities": unsure.round(1)},  # with equal scores
        "detection": {
            "boxes": boxes + random.normal(0, 3, boxes.shape).astype(np.float32),
            "scores": random.uniform(0.1, 1, (images, 6)).astype(np.float32),
            "classes": guesses,
        },
        "segmentation": {"classes": painted},
        "depth": {"depth": random.uniform(1, 9, depths.shape).astype(np.float32)},
    }
    weights = np.ones(images, np.float32)
    weights[list(unlabelled)] = 0
    return labels, predictions, dict.fromkeys(KINDS, weights)


def measured(split, sizes, devices=None):
    """What the metrics come to, over batches of such sizes."""
    tasks = {
        name: SimpleNamespace(metrics=lambda kind=kind: [kind(() if kind is DepthError else NAMES)], primary="")
        for name, kind in KINDS.items()
    }
    strategy = tf.distribute.get_strategy() if devices is None else tf.distribute.MirroredStrategy(devices)
    evaluation, start, batches = Evaluation(tasks), 0, []
    for size in sizes:
        batches.append(tf.nest.map_structure(lambda each, at=start, to=start + size: each[at:to], split))
        start += size

    def replica_step(data):
        return Seen({"loss": tf.constant(0.0)}, evaluation.statistics(*data), {})

    if devices is None:
        step = evaluation_step(strategy, evaluation, replica_step, len(sizes), eager=True)
        step(iter(tf.nest.map_structure(tf.constant, batches)))
    else:
        for batch in batches:
            pairs = tf.data.Dataset.from_tensor_slices(batch).batch(len(batch[2]["depth"]))
            step = evaluation_step(strategy, evaluation, replica_step, 1, eager=False)
            step(iter(strategy.experimental_distribute_dataset(pairs)))
    return evaluation.results()


def expected(split, folder):
    """What the independent sources come to, over the images that count."""
    known = split[2]["depth"] > 0
    labels, predictions = (tf.nest.map_structure(lambda each: each[known], tree) for tree in split[:2])
    return {
        "classification": classification(labels["classification"], predictions["classification"]["probabilities"]),
        "multi_label": multi_label(labels["multi_label"], predictions["multi_label"]["probabilities"]),
        "detection": detection(labels["detection"], predictions["detection"], folder),
        "segmentation": segmentation(labels["segmentation"], predictions["segmentation"]["classes"]),
        "depth": depth(labels["depth"], predictions["depth"]["depth"]),
    }


def classification(truth, probabilities):
    probabilities, truth = probabilities[truth >= 0], truth[truth >= 0]
    best = probabilities.argmax(axis=1)
    return {
        "accuracy": sklearn_metrics.accuracy_score(truth, best),
        "macro_F1": sklearn_metrics.f1_score(truth, best, average="macro"),
        "top5": sklearn_metrics.top_k_accuracy_score(truth, probabilities, k=5, labels=range(CLASSES)),
    }


def multi_label(truth, scores):
    known = [truth[:, index] >= 0 for index in range(CLASSES)]
    by_class = [(truth[of, index], scores[of, index]) for index, of in enumerate(known)]
    found = [(of, score >= 0.5) for of, score in by_class]
    return {
        "mAP": np.mean([sklearn_metrics.average_precision_score(*each) for each in by_class if each[0].any()]),
        "macro_F1": np.mean([sklearn_metrics.f1_score(*each) for each in found if each[0].any() or each[1].any()]),
        "accuracy": sklearn_metrics.accuracy_score(*map(np.concatenate, zip(*found, strict=True))),
    }


def segmentation(truth, classes):
    classes, truth = classes[truth != 255], truth[truth != 255]
    confusion = sklearn_metrics.confusion_matrix(truth, classes)
    return {
        "mIoU": sklearn_metrics.jaccard_score(truth, classes, average="macro"),
        "pixel_accuracy": np.trace(confusion) / confusion.sum(),
    }


def depth(truth, found):
    """The formulas of Eigen et al. 2014, section 3."""
    known = np.isfinite(truth) & (truth > 0)
    truth, found = truth[known].astype(np.float64), found[known].astype(np.float64)
    factor = np.maximum(truth / found, found / truth)
    return {
        "RMSE": np.sqrt(np.mean((found - truth) ** 2)),
        "abs_rel": np.mean(np.abs(found - truth) / truth),
        "d1": np.mean(factor < 1.25),
        "d2": np.mean(factor < 1.25**2),
        "d3": np.mean(factor < 1.25**3),
    }


def detection(labels, predictions, folder):
    """COCO's own evaluation of two JSON files; a crowd is one of each class."""
    entries, found = [], []
    for image, (boxes, classes) in enumerate(zip(labels["boxes"], labels["classes"], strict=True), start=1):
        for (left, top, right, bottom), kind in zip(boxes.astype(float), classes, strict=True):
            box = [left, top, right - left, bottom - top]
            for each in range(CLASSES) if kind == CROWD else [kind] * int(kind >= 0):
                about = {"id": len(entries) + 1, "image_id": image, "category_id": int(each) + 1, "bbox": box}
                entries.append(about | {"area": box[2] * box[3], "iscrowd": int(kind == CROWD)})
    detected = zip(*(predictions[key] for key in ("boxes", "scores", "classes")), strict=True)
    for image, rows in enumerate(detected, start=1):
        for (left, top, right, bottom), score, kind in zip(*rows, strict=True):
            if kind >= 0:
                box = [float(left), float(top), float(right) - float(left), float(bottom) - float(top)]
                found.append({"image_id": image, "category_id": int(kind) + 1, "bbox": box, "score": float(score)})
    truth = {
        "images": [{"id": image, "width": 100, "height": 100} for image in range(1, len(labels["classes"]) + 1)],
        "categories": [{"id": index + 1, "name": name} for index, name in enumerate(NAMES)],
        "annotations": entries,
    }
    (folder / "truth.json").write_text(json.dumps(truth))
    (folder / "found.json").write_text(json.dumps(found))
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO(str(folder / "truth.json"))
        evaluation = COCOeval(coco, coco.loadRes(str(folder / "found.json")), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return dict(zip(("AP", "AP50", "AP75"), evaluation.stats[:3], strict=True))


def flat(results):
    """Every value by `<task>/<metric>`."""
    return {f"{task}/{name}": value for task, values in results.items() for name, value in values.items()}


@pytest.mark.parametrize("split", SPLITS)
def test_metrics_agree_with_independent_sources(split, tmp_path):
    images, sizes, special = SPLITS[split]
    data = split_of(images, **special)
    assert flat(measured(data, sizes)) == pytest.approx(flat(expected(data, tmp_path)), abs=1e-6)


@pytest.mark.slow
def test_two_replicas_agree_with_independent_sources(two_devices, tmp_path):
    images, sizes, special = SPLITS["all of it"]
    data = split_of(images, **special)
    assert flat(measured(data, sizes, two_devices)) == pytest.approx(flat(expected(data, tmp_path)), abs=1e-6)
