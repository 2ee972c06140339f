"""The garments recipe, cut down to what a test has time for."""

from visionmtl import recipe

SMALL = (
    "data.image_size=[64, 64]",
    "data.batch_size=4",
    "data.options={train: 8, validation: 4, test: 4}",
    "model.backbone=toy",
    "model.weights=null",
    "balancing.method=equal",
    "model.neck.channels=8",
    "training.epochs=2",
    "training.verbose=0",
)
QUICK = ("balancing.watch=null", "training.validate_every=2", "training.log=[]")  # where weights alone are looked at


def small(*overrides):
    """The garments recipe, cut down to two epochs of two steps."""
    return recipe.load("garments", [*SMALL, *overrides])
