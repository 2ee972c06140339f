"""Errors of depth against the evaluations of their authors in float64: cap, crop, all pixels and image by image."""

import numpy as np
import pytest
import tensorflow as tf

from visionmtl.errors import UsageError
from visionmtl.metrics import DepthError
from visionmtl.tasks import Depth

CROPPED = {
    "garg": lambda h, w: (
        slice(int(0.40810811 * h), int(0.99189189 * h)),
        slice(int(0.03594771 * w), int(0.96405229 * w)),
    ),
    "eigen": lambda h, w: (
        slice(int(0.3324324 * h), int(0.91351351 * h)),
        slice(int(0.0359477 * w), int(0.96405229 * w)),
    ),
    "nyu": lambda h, w: (slice(45, 471), slice(41, 601)),
    None: lambda h, w: (slice(None), slice(None)),
}


def errors(truth, found):
    """What the scripts of monodepth2 and BTS compute of the pixels of one image, or of all."""
    factor = np.maximum(truth / found, found / truth)
    logs = np.log(found) - np.log(truth)
    return {
        "RMSE": np.sqrt(((truth - found) ** 2).mean()),
        "RMSE_log": np.sqrt((logs**2).mean()),
        "abs_rel": (np.abs(truth - found) / truth).mean(),
        "sq_rel": ((truth - found) ** 2 / truth).mean(),
        "log10": np.abs(np.log10(found) - np.log10(truth)).mean(),
        "silog": np.sqrt((logs**2).mean() - logs.mean() ** 2) * 100,
        **{f"d{power}": (factor < 1.25**power).mean() for power in (1, 2, 3)},
    }


def depths(size, images=3):
    """Truths with holes, one image without any, and predictions, some beyond every cap."""
    random = np.random.default_rng(0)
    truth = random.uniform(0.5, 100, (images, *size)).astype("float32")
    truth[random.random(truth.shape) < 0.3] = 0
    truth[-1] = np.nan
    found = (np.where(truth > 0, truth, 1) * np.exp(random.normal(0, 0.4, truth.shape))).astype("float32")
    return truth, found


@pytest.mark.slow
@pytest.mark.parametrize(
    ("size", "cap", "crop"),
    [
        ((37, 122), (1e-3, 80), "garg"),
        ((37, 122), (1e-3, 80), "eigen"),
        ((480, 640), (1e-3, 10), "nyu"),
        ((9, 7), None, None),
    ],
)
def test_errors_are_those_of_the_authors_evaluations(size, cap, crop):
    truth, found = depths(size)
    metric = Depth("d", cap=cap, crop=crop).metrics()[0]
    statistics = metric.statistics(tf.constant(truth), {"depth": tf.constant(found)}, tf.ones(len(truth)))
    metric.update({key: value.numpy() for key, value in statistics.items()})
    low, high = cap or (0, np.inf)
    images = []
    for a, b in zip(truth.astype("float64"), found.astype("float64"), strict=True):
        rows, columns = CROPPED[crop](*size)
        a, b = a[rows, columns], np.clip(b, low, high)[rows, columns]
        counted = (a > low) & (a < high)
        images.append((a[counted], b[counted]))
    pooled = errors(*(np.concatenate(each) for each in zip(*images, strict=True)))
    own = [errors(*image) for image in images if len(image[0])]
    result = metric.result(details=True)
    for name, value in pooled.items():
        assert result.get(name, result.get(f"further/{name}")) == pytest.approx(value, rel=1e-10), name
        by_image = np.mean([each[name] for each in own])
        assert result[f"further/{name}_by_image"] == pytest.approx(by_image, rel=1e-10), name
    assert len(own) == 2
    assert metric.result().keys() == {"RMSE", "abs_rel", "d1", "d2", "d3"}


def test_what_a_cap_and_a_crop_leave_out_is_kept_with_the_task():
    task = Depth("d", cap=(0.001, 80), crop="garg")
    config = task.get_config()
    assert (config["cap"], config["crop"]) == ([0.001, 80.0], "garg")
    again = Depth.from_config(config).metrics()[0]
    assert (again.cap, again.crop) == ([0.001, 80.0], "garg")
    assert DepthError().cap is None


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"cap": 80}, "the least and the most metres, as"),
        ({"cap": [80, 1]}, "the smaller depth comes first"),
        ({"cap": ["a", 1]}, "expected a number of at least 0"),
        ({"crop": "grag"}, "crop of task 'd'.*garg"),
    ],
)
def test_a_cap_or_a_crop_that_means_nothing_is_refused(options, why):
    with pytest.raises(UsageError, match=why):
        Depth("d", **options)
