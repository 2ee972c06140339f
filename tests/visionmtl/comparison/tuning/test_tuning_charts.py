"""The charts of a study: which there are, and what no trial beats."""

import numpy as np
import optuna
import pytest

from visionmtl.comparison.tuning import charts
from visionmtl.comparison.tuning.asking import Asked


def trials(objectives):
    """Three trials of a rate and a method, of which the last lacks the rate."""
    rate = optuna.distributions.FloatDistribution(1e-4, 1e-2, log=True)
    method = optuna.distributions.CategoricalDistribution(["equal", "pcgrad"])
    for number, (params, values) in enumerate(
        [
            ({"a.rate": 1e-3, "b.method": "equal"}, [0.5, 0.2]),
            ({"a.rate": 1e-2, "b.method": "pcgrad"}, [0.3, 0.4]),
            ({"b.method": "pcgrad"}, [0.2, 0.1]),
        ]
    ):
        trial = optuna.create_trial(
            params=params,
            distributions={key: rate if key == "a.rate" else method for key in params},
            values=values[:objectives],
        )
        trial.number = number
        yield trial


@pytest.mark.parametrize(
    ("logs", "titles"),
    [
        (["val_score"], ["val_score", "rate, 70% of the differences", "method"]),
        (
            ["val_a", "min:val_b"],
            ["val_a and val_b", "val_a", "val_b", "rate: val_a", "method: val_a", "rate: val_b", "method: val_b"],
        ),
    ],
)
def test_each_objective_and_each_pair_of_them_has_its_charts(logs, titles):
    drawn = charts.drawn(Asked([], logs), list(trials(len(logs))), {"val_score": {"a.rate": 0.7}})
    assert [chart.title for chart in drawn] == titles


def test_nothing_is_drawn_before_a_trial_has_a_value():
    assert charts.drawn(Asked([], ["val_score"]), [], {}) == []


@pytest.mark.parametrize(
    ("up", "expected"), [([True, True], [1, 1, 0, 0]), ([True, False], [1, 0, 0, 1]), ([False, False], [0, 0, 1, 1])]
)
def test_the_front_is_what_no_other_one_beats(up, expected):
    points = np.array([[3.0, 1.0], [1.0, 3.0], [0.5, 2.0], [2.0, 0.5]])
    assert charts.front(points, up).tolist() == [bool(each) for each in expected]
