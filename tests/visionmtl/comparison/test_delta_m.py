"""What sharing gained over a model for each task alone, counted by hand."""

import math

import pytest

from visionmtl.comparison.delta_m import delta_m, gains


def test_delta_m_is_the_mean_over_metrics_within_a_task_and_then_over_tasks():
    single = {"cars": {"AP": 0.2, "AP50": 0.5, "AP/van": 0.1}, "depth": {"RMSE": 2.0}, "ground": {"mIoU": 0.8}}
    joint = {"cars": {"AP": 0.3, "AP50": 0.4, "AP/van": 0.9}, "depth": {"RMSE": 1.0}, "ground": {"mIoU": 0.6}}
    assert gains(joint, single, lower=["RMSE"]) == pytest.approx({"cars": 0.15, "depth": 0.5, "ground": -0.25})
    assert delta_m(joint, single, lower=["RMSE"]) == pytest.approx(0.4 / 3)
    assert delta_m(single, single) == 0


def test_delta_m_passes_over_what_cannot_be_compared():
    single = {"cars": {"AP": 0.0, "AP50": 0.5}, "ground": {"mIoU": math.nan}}
    joint = {"cars": {"AP": 0.1, "AP50": 0.6}, "ground": {"mIoU": 0.5}, "scene": {"accuracy": 0.9}}
    assert delta_m(joint, single) == pytest.approx(0.2)
    assert math.isnan(delta_m({"scene": {"accuracy": 0.9}}, single))
