"""What is told of which keys matter: that on which a value depends, whichever of several objectives it is."""

import numpy as np
import optuna
import pytest

from visionmtl.comparison.tuning import telling
from visionmtl.comparison.tuning.asking import Asked

optuna.logging.set_verbosity(optuna.logging.WARNING)
UNIT = optuna.distributions.FloatDistribution(0.0, 1.0)


def studied(objectives, trials=20):
    """A study whose objective at place n depends on its n-th key alone, none on "idle"; with what it was asked."""
    asked, random = Asked([], objectives), np.random.default_rng(0)
    opened = optuna.create_study(directions=asked.directions)
    keys = [f"key.{place}" for place in range(len(objectives))]
    for _ in range(trials):
        params = dict(zip([*keys, "idle"], random.random(len(keys) + 1), strict=True))
        values = [params[key] for key in keys]
        opened.add_trial(
            optuna.trial.create_trial(params=params, distributions=dict.fromkeys(params, UNIT), values=values)
        )
    return opened, asked


@pytest.mark.parametrize("objectives", [["val_a"], ["min:val_a"], ["val_a", "min:val_b"]])
@pytest.mark.filterwarnings("error")
def test_of_each_objective_the_key_that_it_depends_on_matters_most(objectives):
    found = telling.importance(*studied(objectives))
    assert list(found) == [name.removeprefix("min:") for name in objectives]
    for place, shares in enumerate(found.values()):
        assert next(iter(shares)) == f"key.{place}"
        assert shares[f"key.{place}"] > 0.5


def test_of_few_trials_nothing_is_told():
    assert telling.importance(*studied(["val_a"], trials=19)) == {}
