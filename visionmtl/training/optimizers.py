"""The optimizer of a recipe, with its schedule, and the rates of its layers."""

from typing import Any

import keras

from visionmtl.balancing.hyperparameters import is_level
from visionmtl.errors import UsageError
from visionmtl.model import MultiTaskModel
from visionmtl.recipe import Recipe


def optimizer(recipe: Recipe, steps: int) -> keras.optimizers.Optimizer:
    """Return the optimizer of a recipe with its schedule over `steps` steps an epoch.

    Keras counts the steps for a schedule and for averaged weights, also where several make an update.
    """
    settings = recipe.training
    total = settings.epochs * steps
    warmup = min(round(settings.warmup_epochs * steps), total // 2)
    rate: Any = settings.learning_rate * recipe.rate_scale
    if settings.schedule == "cosine":
        rate = keras.optimizers.schedules.CosineDecay(
            0.0 if warmup else rate, total - warmup, warmup_target=rate if warmup else None, warmup_steps=warmup
        )
    elif warmup:
        rate = keras.optimizers.schedules.PolynomialDecay(0.0, warmup, end_learning_rate=rate)
    common = {
        "weight_decay": settings.weight_decay,
        "use_ema": settings.ema is not None,
        "ema_momentum": (momentum(recipe, steps) or 0.99) ** (1 / settings.accumulate),
        "gradient_accumulation_steps": settings.accumulate if settings.accumulate > 1 else None,
    }
    if settings.optimizer == "sgd":
        return keras.optimizers.SGD(rate, momentum=0.9, nesterov=True, **common)
    adaptive = {"adam": keras.optimizers.Adam, "adamw": keras.optimizers.AdamW}
    return adaptive[settings.optimizer](rate, **common)


def momentum(recipe: Recipe, steps: int) -> float | None:
    """Return the momentum of averaged weights, which never reach back over more than about a ninth of all updates.

    One that does has half-trained weights in its mean to the end: at 0.995, 400 updates lost a fifth of mIoU (see
    "Averages that reach too far back" in benchmarks/RESULTS.md). The bound is (1 + n) / (10 + n) of n updates, which
    TensorFlow's `ExponentialMovingAverage` comes to.

    Args:
        recipe: of which `training.ema` is taken as far as the bound.
        steps: of an epoch.
    """
    updates = _updates(recipe, steps)
    return None if recipe.training.ema is None else min(recipe.training.ema, (1 + updates) / (10 + updates))


def told(recipe: Recipe, steps: int) -> list[str]:
    """Return a sentence on a momentum that was not taken as it was given; else none."""
    given, taken = recipe.training.ema, momentum(recipe, steps)
    if given is None or taken == given:
        return []
    return [
        f"training.ema is {taken:.4g} in place of {given:g}, which reaches back over {1 / (1 - given):.0f} updates and"
        f" is for trainings of more than {_updates(recipe, steps)}."
    ]


def _updates(recipe: Recipe, steps: int) -> int:
    """Return how many updates a training makes."""
    return recipe.training.epochs * steps // recipe.training.accumulate


def rates(recipe: Recipe, model: MultiTaskModel) -> dict[str, float] | None:
    """Return by which fraction of the learning rate the parts of a model learn, as `compile` takes them; None for 1.

    What is not of the backbone (heads, neck, what a sharing scheme adds) learns at the full rate. Every task's own
    stages learn as those that are shared.

    Raises:
        UsageError: a rate is given of what is frozen.

    Reference: Bao et al. 2022, BEiT, and Liu et al. 2022, A ConvNet for the 2020s (ConvNeXt), appendix A: layer-wise
        learning rate decay, of which a stage is a layer here.
    """
    settings = recipe.training
    learning = [part for part, names in model.parts.items() if any(model.get_layer(n).trainable_weights for n in names)]
    levels = sorted(filter(is_level, model.parts), key=lambda level: int(level[1:]), reverse=True)
    decays = {level: settings.layer_decay**place for place, level in enumerate(levels, 1) if level in learning}
    given: dict[str, float] = {}
    for key, parts in (("backbone_rate", {"backbone": settings.backbone_rate}), ("layer_decay", decays)):
        if getattr(settings, key) != 1.0:
            if not any(part in learning for part in parts):
                value = getattr(settings, key)
                raise UsageError(f"training.{key} is {value}, but training.freeze freezes the backbone: leave one out.")
            given |= parts
    return given or None
