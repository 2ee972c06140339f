"""Boundary IoU against its authors' way, mask by mask, and where nobody knows what is there."""

import numpy as np
import pytest
import tensorflow as tf

from visionmtl.metrics import BoundaryIoU
from visionmtl.metrics.boundary import close_to_edges, reach

SIZE = (60, 80)  # of a diagonal of 100: two pixels are close


def maps(seed, images=2, classes=3, block=9):
    """Class maps of patches, some cut by the end of the picture."""
    coarse = np.random.default_rng(seed).integers(0, classes, (images, 8, 10))
    return np.kron(coarse, np.ones((1, block, block)))[:, : SIZE[0], : SIZE[1]].astype("int32")


def boundary(mask, ratio=0.02):
    """What the authors' `mask_to_boundary` gives: a frame of zeros, then 3 x 3 erosions, beyond which all is one."""
    steps = max(1, round(ratio * np.hypot(*mask.shape)))
    eroded = np.pad(mask, 1)
    for _ in range(steps):
        padded = np.pad(eroded, 1, constant_values=1)
        shifts = [padded[y : y + eroded.shape[0], x : x + eroded.shape[1]] for y in range(3) for x in range(3)]
        eroded = np.min(shifts, axis=0)
    return mask - eroded[1:-1, 1:-1]


def measured(labels, found, weights=(1.0, 1.0)):
    metric = BoundaryIoU(["a", "b", "c"])
    given = tf.constant(labels), {"classes": tf.constant(found)}, tf.constant(weights)
    metric.update({key: value.numpy() for key, value in metric.statistics(*given).items()})
    return metric.result(details=True)


def test_each_class_has_the_iou_that_its_authors_give_masks():
    labels, found = maps(0), np.roll(maps(0), 1, axis=2)
    found[:, 20:30] = maps(1)[:, 20:30]
    result = measured(labels, found)
    expected = []
    for label, name in enumerate("abc"):
        pairs = [(boundary((a == label) * 1), boundary((b == label) * 1)) for a, b in zip(labels, found, strict=True)]
        both, either = (sum(int(of(a, b).sum()) for a, b in pairs) for of in (np.minimum, np.maximum))
        expected.append(both / either)
        assert result[f"boundary_IoU/{name}"] == pytest.approx(both / either, abs=1e-12)
    assert result["further/boundary_mIoU"] == pytest.approx(np.mean(expected), abs=1e-12)
    assert 0.1 < np.mean(expected) < 0.9
    assert BoundaryIoU(["a"]).result() == {}


def test_what_is_ignored_is_no_edge_and_counts_nowhere():
    labels = maps(2)
    labels[:, 25:35, 30:50] = 255
    everywhere, inside = measured(labels, maps(2)), labels.copy()
    inside[labels == 255] = 1
    assert everywhere["further/boundary_mIoU"] == 1  # as the truth is, whatever is predicted where nobody knows
    known = tf.constant(labels != 255)
    near = close_to_edges(tf.constant(labels), known, 2, 3).numpy()
    assert not near[labels == 255].any()
    flat = np.zeros((1, 20, 20), "int32")
    flat[0, 5:10, 5:10] = 255
    near = close_to_edges(tf.constant(flat), tf.constant(flat != 255), 2, 3).numpy()[0]
    assert near[[0, 1, 18, 19]].all()
    assert not near[2:18, 2:18].any()


def test_how_far_close_is_goes_with_the_diagonal():
    assert [reach(*size) for size in ((10, 10), SIZE, (288, 384))] == [1, 2, 10]
