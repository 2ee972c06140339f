"""Feature pyramids: what their coarsest map is told of the rest of the image, and mistakes in their options."""

import keras
import numpy as np
import pytest
import toys

from visionmtl.errors import UsageError
from visionmtl.layers import WeightedSum
from visionmtl.model import necks


def _neck(**options):
    """A neck of three levels and its inputs."""
    keras.utils.set_random_seed(0)
    maps = {f"P{level}": keras.Input((2 ** (7 - level),) * 2 + (4,)) for level in (2, 3, 4)}
    return keras.Model(maps, necks.pyramid(maps, 8, **options)), maps


def _far_effect(context):
    """How much a pixel in one corner changes the coarsest map in the other."""
    neck, maps = _neck(context=context)
    changed = {level: np.zeros((1, *x.shape[1:]), "float32") for level, x in maps.items()}
    same = neck.predict(changed, verbose=0)["P4"][0, -1, -1]
    changed["P4"][0, 0, 0] = 100
    return np.abs(neck.predict(changed, verbose=0)["P4"][0, -1, -1] - same).max()


@pytest.mark.slow
def test_only_a_neck_with_context_sees_the_far_corner():
    assert _far_effect("none") == 0
    assert _far_effect("scene") > 0
    assert _far_effect("pooled") > 0


def test_weighted_fusion_starts_as_the_sum_and_adds_what_the_middle_levels_were_at_first():
    neck, _ = _neck(fusion="weighted")
    layers = [layer for layer in neck.layers if isinstance(layer, WeightedSum)]
    assert {layer.name: len(layer.input) for layer in layers} == {
        "neck_down_add_P3": 2,
        "neck_down_add_P2": 2,
        "neck_up_add_P3": 3,
        "neck_up_add_P4": 2,
    }
    maps = [np.full((1, 2, 2, 3), value, "float32") for value in (1, 2, 4)]
    layer = WeightedSum()
    np.testing.assert_allclose(layer(maps), maps[0] * 7, rtol=1e-4)
    layer.share.assign([1, -5, 3])
    np.testing.assert_allclose(layer(maps), maps[0] * 3 * (1 + 3 * 4) / 4, rtol=1e-4)


def test_repeats_take_both_paths_again_with_convolutions_of_their_own():
    models = [_neck(repeats=repeats)[0] for repeats in (1, 2)]
    once, twice = ({layer.name for layer in model.layers if layer.name.startswith("neck")} for model in models)
    assert once < twice
    assert {name for name in twice - once if "merge" in name} == {"neck_2_up_P3_merge", "neck_2_up_P4_merge"}


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
        ({"repeats": 0}, "model.neck was given repeats=0: expected a whole number of at least 1"),
        ({"fusion": "add"}, "Unknown model.neck.fusion 'add'"),
        ({"context": "pool"}, "Unknown model.neck.context 'pool'. Did you mean 'pooled'?"),
    ],
)
def test_mistakes_are_told(neck, message):
    with pytest.raises(UsageError, match=message.replace("?", r"\?")):
        toys.model(neck=neck)
