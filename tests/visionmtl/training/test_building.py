"""What a recipe stands for: its optimizer, schedule and weight decay."""

import pytest
from small_recipe import small

from visionmtl.training import building, optimizers

pytestmark = pytest.mark.usefixtures("toy_by_name")


def test_weight_decay_leaves_biases_norms_and_the_balancer_alone():
    given = small("balancing.method=uncertainty", "training.weight_decay=0.5")
    model = building.model(given, building.data(given).specs, steps=2)
    decayed = {v.name for v in model.trainable_variables if model.optimizer._use_weight_decay(v)}
    kept = {v.name for v in model.trainable_variables if not model.optimizer._use_weight_decay(v)}
    assert all(name.endswith("kernel") for name in decayed)
    assert {"bias", "gamma", "beta", "log_variance"} <= kept


@pytest.mark.parametrize("schedule", ["cosine", "constant"])
def test_the_learning_rate_warms_up_to_the_top_of_its_schedule(schedule):
    given = small(
        f"training.schedule={schedule}", "training.epochs=10", "training.warmup_epochs=2", "training.learning_rate=1e-3"
    )
    rate = optimizers.optimizer(given, steps=50)._learning_rate
    assert float(rate(0)) == pytest.approx(0)
    assert float(rate(50)) == pytest.approx(0.5e-3, rel=0.02)
    assert float(rate(100)) == pytest.approx(1e-3)
    assert float(rate(500)) == pytest.approx(0 if schedule == "cosine" else 1e-3, abs=1e-8)
