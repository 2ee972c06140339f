"""What a recipe stands for: its optimizer, schedule and weight decay."""

import math
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf
from small_recipe import small

import visionmtl
from visionmtl.errors import UsageError
from visionmtl.step.rates import fraction_of
from visionmtl.tasks import rarity
from visionmtl.training import batches, building, optimizers

pytestmark = pytest.mark.usefixtures("toy_by_name")


@pytest.mark.slow
def test_weight_decay_leaves_biases_norms_and_the_balancer_alone():
    given = small(
        "balancing.method=uncertainty",
        "training.weight_decay=0.5",
        "model.sharing=adapters",
        "training.freeze=[backbone]",
    )
    model = building.model(given, building.data(given).specs, steps=2)
    decayed = {v.name for v in model.trainable_variables if model.optimizer._use_weight_decay(v)}
    kept = {v.name for v in model.trainable_variables if not model.optimizer._use_weight_decay(v)}
    assert all(name.endswith(("kernel", "_down", "_up")) for name in decayed)
    assert {name.rpartition("_")[2] for name in decayed} == {"kernel", "down", "up"}
    outside = [layer for layer in model.layers if layer.name not in model.parts["backbone"]]
    learning = sum(math.prod(v.shape) for layer in outside for v in layer.trainable_variables)
    told = f"Frozen: backbone. Of {model.count_params():,} parameters {learning:,} learn."
    assert building.told(given, model, 2)[:1] == [told]
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


@pytest.mark.parametrize(("rule", "top"), [("none", 1e-3), ("linear", 4e-3), ("sqrt", 2e-3)])
def test_the_learning_rate_is_scaled_with_the_images_of_an_update(rule, top):
    keys = ["learning_rate=1e-3", "warmup_epochs=0", f"scale_learning_rate={rule}", "base_batch_size=8", "accumulate=4"]
    given = small("data.batch_size=8", *(f"training.{key}" for key in keys))
    assert float(optimizers.optimizer(given, steps=50)._learning_rate(0)) == pytest.approx(top)
    line = batches.told(given, replicas=2)
    assert line.startswith(
        f"Batches of 8 images, 4 on each of 2 devices, 4 batches an update; learning rate {top:.4g},"
    )
    assert line.endswith(
        "scaled from 0.001 at 8 an update." if rule == "none" else f"({rule}) from 0.001 at 8 an update."
    )


@pytest.mark.slow
def test_a_power_stands_for_how_rare_classes_are_in_the_training_data():
    given = small("tasks.segmentation.favour=0.5", "tasks.segmentation.class_weights=1")
    data = building.data(given, ["train"])
    learnt = building.model(given, data.specs, steps=2, amounts=data.amounts).tasks
    task = learnt["segmentation"]
    pixels = data.amounts(["segmentation"], 1000)["segmentation"]
    shares = pixels / pixels.sum() * len(task.classes)
    seen = np.where(shares, shares, 1)  # of a class that does not occur nothing is known
    assert list(task.favour.values()) == pytest.approx(seen**-0.5, abs=1e-3)
    assert list(task.class_weights.values()) == pytest.approx(1 / seen, rel=1e-3, abs=1e-3)
    assert rarity.told(given.tasks, learnt)[1].startswith("favour of segmentation, by how rare")
    with pytest.raises(UsageError, match="favour=2: expected a number above 0 and up to 1"):
        building.model(small("tasks.segmentation.favour=2"), data.specs, steps=2, amounts=data.amounts)
    assert building.model(given, data.specs, steps=2).tasks["segmentation"].favour is None  # to be counted alone


def test_a_step_is_compiled_of_batches_whose_shapes_are_known_and_of_one_device():
    given = small("training.jit=true")
    data = building.data(given, ["train"])
    batches.check(given, data)
    with pytest.raises(UsageError, match="those in the loss of detection are not: XLA would compile nearly every"):
        building.model(given, data.specs, steps=2)
    assert "training.patience_nan does not end the training" in batches.told(given)
    free = tf.TensorSpec((4, None, 4))
    labels = {"detection": {"boxes": free, "classes": tf.TensorSpec((4, None))}}
    spec = SimpleNamespace(element_spec=(tf.TensorSpec((4, 64, 64, 3)), labels, {}))
    datasets = SimpleNamespace(splits={"train": spec})
    with pytest.raises(UsageError, match="those of labels/detection/boxes, labels/detection/classes are not"):
        batches.check(given, datasets)
    batches.check(small(), datasets)
    with pytest.raises(UsageError, match="cannot sum over the 2"):
        batches.check(given, datasets, replicas=2)


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_half_batches_accumulated_by_two_train_as_whole_ones(optimizer):
    random = np.random.default_rng(0)
    images, labels = random.normal(size=(16, 5)).astype("float32"), {"one": random.normal(size=16), "two": np.ones(16)}
    settings = ["schedule=constant", "warmup_epochs=0", "weight_decay=0.1", "ema=null", f"optimizer={optimizer}"]
    weights = []
    for batch, accumulate in ((8, 1), (4, 2)):
        given = small(f"training.accumulate={accumulate}", *(f"training.{setting}" for setting in settings))
        keras.utils.set_random_seed(0)
        image = keras.Input((5,))
        model = visionmtl.BalancedModel(image, {name: keras.layers.Dense(1)(image) for name in labels})
        model.compile(optimizers.optimizer(given, 16 // batch), {"one": "mse", "two": "mse"}, clip_norm=0.5)
        model.fit(images, labels, batch, 2, shuffle=False, verbose=0)
        weights.append(model.get_weights())
    for whole, halves in zip(*weights, strict=True):
        np.testing.assert_allclose(whole, halves, atol=1e-6)


def test_averages_do_not_reach_back_over_more_than_a_ninth_of_a_training():
    given = small("training.epochs=20", "training.ema=0.995")
    assert optimizers.optimizer(given, steps=20).ema_momentum == pytest.approx(401 / 410)
    (said,) = optimizers.told(given, steps=20)
    assert said.startswith("training.ema is 0.978 in place of 0.995, which reaches back over 200 updates and is")
    assert optimizers.optimizer(given, steps=200).ema_momentum == 0.995
    assert optimizers.told(given, steps=200) == []


def test_a_schedule_ends_with_the_last_step_and_averages_go_as_far_back_however_many_make_an_update():
    given = small("training.epochs=10", "training.learning_rate=1e-3", "training.accumulate=5", "training.ema=0.9")
    optimizer = optimizers.optimizer(given, steps=50)
    optimizer.build([])
    rates = []
    for step in (250, 500):
        optimizer._iterations.assign(step)  # which a schedule is asked by, in Keras
        rates.append(float(optimizer.learning_rate))
    assert rates[0] > 0.4e-3
    assert rates[1] == pytest.approx(0, abs=1e-8)
    assert optimizer.ema_momentum**5 == pytest.approx(0.9)


@pytest.mark.slow
@pytest.mark.parametrize("sharing", ["hard", "soft"])
def test_stages_learn_at_a_fraction_of_the_next_ones_rate_in_every_backbone(sharing):
    given = small("training.layer_decay=0.5", "training.backbone_rate=0.1", f"model.sharing={sharing}")
    model = building.model(given, building.data(given).specs, steps=2)
    found = {layer.name: fractions(model, layer) for layer in model.layers if layer.trainable_weights}
    stages = {name: found[name] for name in found if name in model.parts["backbone"]}
    assert len(stages) == (4 if sharing == "hard" else 12)
    for name, fraction in stages.items():
        assert fraction == pytest.approx(0.1 * 0.5 ** (6 - int(name[-1])))
    assert all(fraction == 1.0 for name, fraction in found.items() if name not in stages)


def fractions(model, layer) -> float:
    (only,) = {fraction_of(model.optimizer, variable) for variable in layer.trainable_weights}
    return only


@pytest.mark.slow
def test_a_rate_of_a_backbone_that_is_frozen_is_refused():
    given = small("training.freeze=[backbone]", "training.layer_decay=0.5")
    with pytest.raises(UsageError, match=r"layer_decay is 0.5, but training.freeze"):
        building.model(given, building.data(given).specs, steps=2)
