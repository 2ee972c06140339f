"""The batches of a training, over all devices and on each, and the learning rate that goes with them, in words."""

from visionmtl.recipe import Recipe


def told(recipe: Recipe, replicas: int = 1) -> str:
    """Return one line on the batches of a training, and at which rate they are learnt from.

    Args:
        recipe: what is trained.
        replicas: how many devices share a batch.

    Example:
        >>> given = ["training.scale_learning_rate=linear", "training.base_batch_size=8", "data.batch_size=32"]
        >>> told(visionmtl.recipe.load("garments", given), replicas=4)
        'Batches of 32 images, 8 on each of 4 devices; learning rate 0.016, scaled (linear) from 0.004 at 8 an update.'
    """
    settings, batch = recipe.training, recipe.data.batch_size
    devices = f", {batch // replicas} on each of {replicas} devices" if replicas > 1 else ""
    update = f", {settings.accumulate} batches an update" if settings.accumulate > 1 else ""
    rate = f"learning rate {settings.learning_rate * recipe.rate_scale:.4g}"
    if settings.base_batch_size is not None:
        how = "not scaled" if settings.scale_learning_rate == "none" else f"scaled ({settings.scale_learning_rate})"
        rate += f", {how} from {settings.learning_rate:.4g} at {settings.base_batch_size} an update"
    return f"Batches of {batch} images{devices}{update}; {rate}."
