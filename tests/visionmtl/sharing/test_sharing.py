"""A sharing scheme of one's own, what is refused, and how the copies of a backbone start."""

import dataclasses

import keras
import numpy as np
import pytest
import toys

import visionmtl
from visionmtl import sharing
from visionmtl.errors import UsageError


@keras.saving.register_keras_serializable("tests")
@dataclasses.dataclass(frozen=True)
class Scaled(sharing.Scheme):
    """A scheme of one's own: each task's maps are multiplied by a number."""

    start: float = 1.0

    name = "scaled"

    def mix(self, maps, tasks):
        mixed = {}
        for task, levels in maps.items():
            scale = keras.layers.Rescaling(self.start, name=f"scaled_{task}")
            mixed[task] = {level: scale(x) for level, x in levels.items()}
        return sharing.Made(mixed)


@pytest.mark.slow
def test_a_scheme_of_ones_own_is_used_and_saved_with_its_options(tmp_path):
    model, (images, _, _) = toys.model(sharing=Scaled(start=0.5)), toys.batch()
    assert {"scaled_scene", "scaled_ground", "scaled_objects"} == set(model.parts["sharing"])
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.sharing == Scaled(start=0.5)
    for key, tensor in model(images).items():
        np.testing.assert_array_equal(loaded(images)[key], tensor)


class Dictionary(sharing.Scheme):
    """A scheme that returns what steps hold, and no value."""

    name = "dictionary"

    def mix(self, maps, tasks):
        return maps


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (Dictionary(), r"'dictionary' returned dict from mix\(\): expected a sharing.Made"),
        ("crossstitch_", "Unknown sharing scheme 'crossstitch_'"),
        ({"name": "hard", "untill": "P3"}, "no option 'untill'. Did you mean 'until'"),
        ({"name": "hard", "until": "P9"}, "Unknown level to share until 'P9'"),
    ],
)
def test_what_a_scheme_cannot_be_is_refused_when_the_model_is_built(given, message):
    with pytest.raises(UsageError, match=message):
        toys.model(toys.tasks("scene", "ground"), sharing=given)


def test_the_copies_of_a_backbone_start_alike(toy_by_name):
    model = visionmtl.MultiTaskModel(toys.tasks("scene", "ground"), "toy", (32, 32, 3), {"name": "hard", "until": "P4"})
    scene, ground = (model.get_layer(f"{task}_toy_P5").get_weights() for task in ("scene", "ground"))
    for a, b in zip(scene, ground, strict=True):
        np.testing.assert_array_equal(a, b)
