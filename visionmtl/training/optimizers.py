"""The optimizer of a recipe, with its schedule."""

from typing import Any

import keras

from visionmtl.recipe.reading import Recipe


def optimizer(recipe: Recipe, steps: int) -> keras.optimizers.Optimizer:
    """Return the optimizer of a recipe with its schedule over `steps` steps an epoch."""
    plan = recipe.training
    total = plan.epochs * steps
    warmup = min(round(plan.warmup_epochs * steps), total // 2)
    rate: Any = plan.learning_rate
    if plan.schedule == "cosine":
        rate = keras.optimizers.schedules.CosineDecay(
            0.0 if warmup else rate, total - warmup, warmup_target=rate if warmup else None, warmup_steps=warmup
        )
    elif warmup:
        rate = keras.optimizers.schedules.PolynomialDecay(0.0, warmup, end_learning_rate=rate)
    common = {"weight_decay": plan.weight_decay, "use_ema": plan.ema is not None, "ema_momentum": plan.ema or 0.99}
    match plan.optimizer:
        case "sgd":
            return keras.optimizers.SGD(rate, momentum=0.9, nesterov=True, **common)
        case "adam":
            return keras.optimizers.Adam(rate, **common)
        case _:
            return keras.optimizers.AdamW(rate, **common)
