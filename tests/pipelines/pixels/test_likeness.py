"""Which pictures are told to be nearly the same, and which not."""

import io

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from pipelines.contract import Request
from pipelines.pixels import likeness
from pipelines.sources.garments.source import Garments

BEFORE, AFTER = ("train", 0), ("validation", 0)


@pytest.fixture(scope="module")
def scenes():
    """Twelve drawn scenes of garments, 256 x 320 pixels."""
    source = Garments(train=12).read(Request(None, ("train",), None, (256, 320), 10))
    return [Image.fromarray(source.splits["train"].read(np.int64(row))["image"].numpy()) for row in range(12)]


def compared(*pictures, same=None):
    """Compare pictures, the first of training and the others of validation."""
    thumbnails = np.stack([likeness.thumbnail(np.asarray(picture.convert("RGB"))) for picture in pictures])
    places = [BEFORE, *(("validation", row) for row in range(len(pictures) - 1))]
    return likeness.near(thumbnails, places, np.arange(len(pictures)) if same is None else np.array(same))


def encoded(picture):
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=40)
    return Image.open(file)


@pytest.mark.parametrize(
    "change",
    [
        encoded,
        lambda picture: picture.resize((160, 128)),
        lambda picture: picture.resize((700, 500)),
        lambda picture: ImageEnhance.Brightness(picture).enhance(1.15),
        lambda picture: ImageEnhance.Contrast(picture).enhance(0.7),
        lambda picture: picture.convert("L"),
        lambda picture: picture.crop((5, 4, 320, 256)),
    ],
    ids=["encoded again", "smaller", "larger", "brighter", "paler", "grey", "cut"],
)
def test_a_picture_that_was_changed_is_near_to_what_it_was(scenes, change):
    for scene in scenes[:4]:
        near = compared(scene, change(scene))
        assert [(pair.first, pair.second) for pair in near.pairs] == [(BEFORE, AFTER)]
        assert near.across == 1
        assert near.images == {"train": 1, "validation": 1}


def test_other_scenes_are_not_near(scenes):
    near = compared(*scenes)
    assert (near.across, near.within, near.flat) == (0, {"train": 0, "validation": 0}, 0)


def test_pictures_of_one_shade_are_near_to_none(scenes):
    noise = np.random.default_rng(0).integers(118, 123, (64, 64, 3), np.uint8)
    near = compared(
        scenes[0], *(Image.new("RGB", (64, 48), (shade,) * 3) for shade in (0, 90, 90)), Image.fromarray(noise)
    )
    assert (near.across, near.within["validation"], near.flat) == (0, 0, 4)


def test_the_same_pixels_are_left_to_others_and_one_split_is_counted_alone(scenes):
    near = compared(scenes[0], scenes[0], encoded(scenes[0]), scenes[1], same=[7, 7, 8, 9])
    assert [(pair.first, pair.second) for pair in near.pairs] == [(BEFORE, ("validation", 1))]
    assert near.within == {"train": 0, "validation": 1}


def test_pairs_are_found_block_by_block_and_all_counted(scenes, monkeypatch):
    monkeypatch.setattr(likeness, "BLOCK", 10)
    monkeypatch.setattr(likeness, "KEPT", 2)
    few = [encoded(scenes[0]) for _ in range(4)]
    near = compared(scenes[0], *few, *scenes[1:])
    assert (near.across, len(near.pairs), near.within["validation"]) == (4, 2, 6)
    assert near.images == {"train": 1, "validation": 4}
