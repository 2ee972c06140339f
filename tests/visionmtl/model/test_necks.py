"""Feature pyramids: what their coarsest map is told of the rest of the image, and mistakes in their options."""

import keras
import numpy as np
import pytest
import toys

from visionmtl.errors import UsageError
from visionmtl.model import necks


def _far_effect(context):
    """How much a pixel in one corner changes the coarsest map in the other."""
    keras.utils.set_random_seed(0)
    maps = {f"P{level}": keras.Input((2 ** (7 - level),) * 2 + (4,)) for level in (2, 3)}
    neck = keras.Model(maps, necks.pyramid(maps, 8, context))
    changed = {level: np.zeros((1, *x.shape[1:]), "float32") for level, x in maps.items()}
    same = neck.predict(changed, verbose=0)["P3"][0, -1, -1]
    changed["P3"][0, 0, 0] = 100
    return np.abs(neck.predict(changed, verbose=0)["P3"][0, -1, -1] - same).max()


def test_only_a_neck_with_context_sees_the_far_corner():
    assert _far_effect("none") == 0
    assert _far_effect("scene") > 0
    assert _far_effect("pooled") > 0


@pytest.mark.parametrize("size", [32, 96])
def test_a_neck_that_pools_keeps_the_sizes_of_all_maps(size):
    model = toys.model(
        [toys.task("ground")],
        backbone=toys.backbone(size=size),
        image_shape=(size, size, 3),
        neck={"channels": 8, "context": "pooled"},
    )
    assert {level: x.shape[1:3] for level, x in model.features.named().items()} == {
        "P2": (size // 4,) * 2,
        "P3": (size // 8,) * 2,
    }


@pytest.mark.parametrize(
    ("neck", "message"),
    [
        ({"chanels": 8}, "Unknown option of model.neck 'chanels'. Did you mean 'channels'?"),
        ({"channels": "wide"}, "model.neck was given channels='wide': expected a whole number of at least 1"),
        ({"context": "pool"}, "Unknown model.neck.context 'pool'. Did you mean 'pooled'?"),
    ],
)
def test_mistakes_are_told(neck, message):
    with pytest.raises(UsageError, match=message.replace("?", r"\?")):
        toys.model(neck=neck)
