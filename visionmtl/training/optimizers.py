"""The optimizer of a recipe, with its schedule."""

from typing import Any

import keras

from visionmtl.recipe import Recipe


def optimizer(recipe: Recipe, steps: int) -> keras.optimizers.Optimizer:
    """Return the optimizer of a recipe with its schedule over `steps` steps an epoch.

    Keras counts the steps for a schedule and for averaged weights, also where several make an update.
    """
    settings = recipe.training
    total = settings.epochs * steps
    warmup = min(round(settings.warmup_epochs * steps), total // 2)
    rate: Any = settings.learning_rate
    if settings.schedule == "cosine":
        rate = keras.optimizers.schedules.CosineDecay(
            0.0 if warmup else rate, total - warmup, warmup_target=rate if warmup else None, warmup_steps=warmup
        )
    elif warmup:
        rate = keras.optimizers.schedules.PolynomialDecay(0.0, warmup, end_learning_rate=rate)
    common = {
        "weight_decay": settings.weight_decay,
        "use_ema": settings.ema is not None,
        "ema_momentum": (settings.ema or 0.99) ** (1 / settings.accumulate),
        "gradient_accumulation_steps": settings.accumulate if settings.accumulate > 1 else None,
    }
    if settings.optimizer == "sgd":
        return keras.optimizers.SGD(rate, momentum=0.9, nesterov=True, **common)
    adaptive = {"adam": keras.optimizers.Adam, "adamw": keras.optimizers.AdamW}
    return adaptive[settings.optimizer](rate, **common)
