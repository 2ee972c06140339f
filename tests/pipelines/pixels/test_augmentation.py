"""Augmentation: its options, and that image, boxes and masks move together."""

import colorsys

import numpy as np
import pytest
import tensorflow as tf

import pipelines
from pipelines.pixels import geometry
from pipelines.pixels.augmentation import DRAWS, Augmentation, recolour

SQUARE = (3, 12, 6, 24, 20)
STRONG = {"flip": 0.5, "scale": [0.5, 2.0], "colour": 0.3}


def test_everything_is_off_by_default():
    assert Augmentation.check(None) == Augmentation.check({}) == Augmentation(0.0, None, 0.0, 0.0)
    assert Augmentation.check({"flip": True, "scale": [0.5, 2]}) == Augmentation(0.5, (0.5, 2.0), 0.0, 0.0)
    assert Augmentation.check({"flip": False, "scale": None, "colour": None}) == Augmentation()


@pytest.mark.parametrize(
    "options",
    [
        {"flip": 1.5},
        {"flip": "yes"},
        {"scale": 2},
        {"scale": [2, 1]},
        {"scale": [0, 1]},
        {"scale": [1, 2, 3]},
        {"scale": [1, float("nan")]},
        {"rotate": -1},
        {"rotate": 181},
        {"rotate": True},
        {"half_turn": 2},
        {"colour": -0.1},
        {"colour": 1},
        {"colour": True},
        {"hue": 181},
        {"tint": -0.1},
        {"mosaic": True},
        {"until": 0},
        {"visible": 2},
        {"leftovers": "keep"},
    ],
)
def test_a_value_out_of_range_is_refused_by_name(options):
    (key,) = options
    with pytest.raises(pipelines.DataError, match=f"augmentation.{key} is .*: expected"):
        Augmentation.check(options)


def test_an_unknown_key_is_refused_with_the_nearest():
    with pytest.raises(pipelines.DataError, match="Unknown augmentation 'color'. Did you mean 'colour'"):
        Augmentation.check({"color": 0.2})


def test_zooms_are_log_uniform_in_their_range_and_flips_have_their_probability():
    uniform = tf.random.stateless_uniform([4000, DRAWS], [1, 2])
    augmentation = Augmentation(flip=0.2, scale=(0.5, 2.0))
    factors, positions = augmentation.zooms(uniform)
    assert 0.5 <= factors.numpy().min() < 0.51
    assert 1.99 < factors.numpy().max() <= 2.0
    assert abs(np.log(factors).mean()) < 0.03
    assert positions.shape == (4000, 2)
    assert abs(augmentation.flips(uniform).numpy().mean() - 0.2) < 0.02


def test_colour_keeps_grey_grey_and_changes_brightness_contrast_and_saturation_within_its_range():
    augmentation = Augmentation(colour=0.4)
    colours = zip(*augmentation.colours(tf.random.stateless_uniform([50, DRAWS], [1, 2])), strict=True)
    grey = tf.fill([1, 1, 3], tf.constant(128, tf.uint8))
    mapped = np.array([recolour(grey, *colour).numpy().astype(int) for colour in colours])
    assert np.ptp(mapped, axis=-1).max() <= 1
    assert mapped.min() >= 127 - 0.4 * 1.4 * 128 - 1
    assert 170 < mapped.max() <= 128 + 0.4 * 1.4 * 128 + 1


@pytest.mark.parametrize("shape", [(4, 5, 3), (3, 5, 3)])
def test_colours_are_those_of_the_definition(shape):
    picture = np.random.default_rng(0).integers(0, 256, shape)
    uniform = tf.stack([tf.fill([DRAWS], 0.5), tf.constant([0, 0, 0, 0, 0.9, 0.2, 0.1, 0, 0, 0, 0, 0, 0])])
    matrices, lifts = Augmentation(colour=0.4).colours(uniform)
    unchanged, changed = (recolour(tf.constant(picture, tf.uint8), matrices[i], lifts[i]) for i in range(2))
    brightness, contrast, saturation = 1.32, 0.76, 0.68
    grey = (picture * [0.299, 0.587, 0.114]).sum(axis=-1, keepdims=True)
    expected = brightness * (saturation * picture + (1 - saturation) * grey)
    np.testing.assert_allclose(changed, np.clip(contrast * (expected - 127.5) + 127.5, 0, 255), atol=0.51)
    np.testing.assert_array_equal(unchanged, picture)


def test_a_turned_hue_is_that_of_yiq_and_keeps_grey_and_luma():
    picture = np.random.default_rng(0).integers(70, 180, (2, 2, 3))
    uniform = tf.concat([tf.fill([1, DRAWS], 0.5)[:, :8], [[1.0, 0.5, 0.5, 0.5, 0.5]]], axis=1)
    turned = recolour(tf.constant(picture, tf.uint8), *(part[0] for part in Augmentation(hue=30).colours(uniform)))
    for before, after in zip(picture.reshape(-1, 3), turned.numpy().reshape(-1, 3), strict=True):
        (y, i, q), (luma, red, blue) = colorsys.rgb_to_yiq(*before), colorsys.rgb_to_yiq(*after)
        assert luma == pytest.approx(y, abs=2.0)
        assert complex(red, blue) == pytest.approx(complex(i, q) * np.exp(1j * np.pi / 6), abs=4.0)
    grey = tf.fill([1, 1, 3], tf.constant(99, tf.uint8))
    colours = Augmentation(hue=180).colours(tf.random.stateless_uniform([20, DRAWS], [1, 2]))
    assert all((recolour(grey, *one) == grey).numpy().all() for one in zip(*colours, strict=True))


def test_a_tint_multiplies_each_channel_by_itself_behind_all_else():
    uniform = tf.concat([tf.fill([1, 8], 0.9), [[0.5, 0.0, 0.5, 1.0, 0.5]]], axis=1)
    picture = tf.constant(np.random.default_rng(0).integers(60, 160, (2, 2, 3)), tf.uint8)
    plain, tinted = (
        recolour(picture, *(part[0] for part in Augmentation(colour=0.1, tint=tint).colours(uniform)))
        for tint in (0.0, 0.2)
    )
    np.testing.assert_allclose(tinted, plain.numpy() * [0.8, 1.0, 1.2], atol=1.1)


def test_what_came_later_draws_nothing_of_what_was_drawn_before():
    seed = tf.constant([3, 4], tf.int64)
    drawn = Augmentation().draw(seed, 5)
    np.testing.assert_array_equal(drawn[:, :8], tf.random.stateless_uniform([5, 8], seed))
    later = tf.random.stateless_uniform([5, 4], tf.random.fold_in(seed, 1))
    np.testing.assert_array_equal(drawn[:, 8:12], later)
    assert drawn.shape == (5, DRAWS)


def extent(pixels):
    """The box around what is set in `[H, W]`, or None."""
    y, x = np.nonzero(pixels)
    return (x.min(), y.min(), x.max() + 1, y.max() + 1) if len(x) else None


@pytest.mark.parametrize(("resize", "cache"), [("stretch", True), ("letterbox", False)])
def test_image_boxes_and_masks_move_together(coco, load, resize, cache):
    folder = coco({f"{i}.png": [SQUARE] for i in range(16)}, masks=True)
    data = load(folder, augmentation=STRONG, resize=resize, cache=cache, image_size=(96, 160), shuffle=True)
    seen = set()
    for images, labels, _ in data.train.as_numpy_iterator():
        image, mask = images[0].astype(int), labels["segmentation"][0]
        boxes, classes = labels["detection"]["boxes"][0], labels["detection"]["classes"][0]
        in_mask, in_image = extent(mask == 1), extent(image[..., 0] - image[..., 1] > 60)
        if classes[0] == -1:
            assert in_mask is None or (mask == 1).mean() < 0.25
            assert labels["classification"][0].tolist() == [0.0, 0.0]
            continue
        seen.add(tuple(boxes[0]))
        assert labels["classification"][0].tolist() == [1.0, 0.0]
        np.testing.assert_allclose(boxes[0], in_mask, atol=1.01)
        np.testing.assert_allclose(boxes[0], in_image, atol=2.01)
        outside = mask == 255
        assert outside.any() == ((image[..., 0] == image[0, 0, 0]) & outside).any()
    assert len(seen) > 10


@pytest.mark.parametrize("options", [{"rotate": 30}, {"rotate": 180, "flip": True, "scale": [0.6, 1.6]}])
def test_a_turn_takes_image_boxes_and_masks_to_one_place(coco, load, options):
    folder = coco({f"{i}.png": [SQUARE] for i in range(16)}, masks=True)
    data = load(folder, augmentation=options, image_size=(120, 180), shuffle=True)
    sides, differences = [], []
    for images, labels, _ in data.train.as_numpy_iterator():
        image, mask = images[0].astype(int), labels["segmentation"][0]
        box = labels["detection"]["boxes"][0, 0]
        if labels["detection"]["classes"][0, 0] == -1:
            continue
        painted = image[..., 0] - image[..., 1] > 60
        assert (painted != (mask == 1)).mean() < 0.02  # edges, which are mixed
        inside = extent(mask == 1)
        clipped = min(box[0], box[1], 180 - box[2], 120 - box[3]) < 0.5
        if not clipped:
            np.testing.assert_allclose(box, inside, atol=2.01)
        sides.append(box[2] - box[0])
        differences.append(len(np.unique(np.nonzero(painted)[1])))
    assert len(sides) > 8
    assert np.ptp(sides) > 8  # they were turned: the box around a turned box is wider


def test_half_a_turn_shows_the_picture_upside_down_and_its_boxes_and_masks(coco, load):
    folder = coco({f"{i}.png": [SQUARE] for i in range(8)}, masks=True)
    plain, turned = (
        next(load(folder, augmentation=options, image_size=(120, 180), batch_size=8).train.as_numpy_iterator())
        for options in (None, {"half_turn": 1.0})
    )
    difference = plain[0][:, ::-1, ::-1].astype(int) - turned[0]
    assert abs(difference)[:, 2:-2, 2:-2].max() <= 1  # at the edges what is turned mixes with grey
    before, after = plain[1]["detection"]["boxes"][:, 0], turned[1]["detection"]["boxes"][:, 0]
    np.testing.assert_allclose(after, [180, 120, 180, 120] - before[:, [2, 3, 0, 1]], atol=1e-3)
    masks = [labels["segmentation"] for _, labels, _ in (plain, turned)]
    np.testing.assert_array_equal(masks[0][:, ::-1, ::-1], masks[1])
    half = Augmentation(half_turn=0.25).turns(tf.random.stateless_uniform([4000, DRAWS], [1, 2])).numpy()
    assert set(np.unique(half)) == {np.float32(0), np.float32(np.pi)}
    assert abs((half > 0).mean() - 0.25) < 0.02


def test_without_an_angle_the_warp_is_the_resize():
    picture = tf.constant(np.random.default_rng(0).integers(0, 256, (40, 60, 3)), tf.uint8)
    placement = geometry.whole(tf.constant([40, 60]), (80, 90), "letterbox")
    one = geometry.sample_image(picture, placement, (80, 90)).numpy().astype(int)
    other = geometry.warp(picture, placement, (80, 90), geometry.GREY, smooth=True).numpy().astype(int)
    assert np.abs(one - other)[12:-12, 2:-2].max() <= 1
    mask = picture[..., :1]
    one, other = (
        geometry.sample_map(mask, placement, (80, 90), 255),
        geometry.warp(mask, placement, (80, 90), 255, False),
    )
    assert (one.numpy() != other.numpy()).mean() < 0.02  # a place midway between two pixels may go either way


def test_evaluation_is_never_augmented(coco, tmp_path):
    for split in ("train", "val"):
        coco({f"{i}.png": [SQUARE] for i in range(4)}, at=f"data/{split}", masks=True)
    data = pipelines.load("coco", (40, 60), 2, path=tmp_path / "data", augmentation=STRONG)
    for images, labels, _ in data.validation.as_numpy_iterator():
        assert np.ptp(images, axis=0).max() == 0
        assert labels["detection"]["boxes"][:, 0].tolist() == [[12.0, 6.0, 36.0, 26.0]] * 2


def test_presence_follows_the_boxes_that_are_left_and_stays_for_crowds(coco, load):
    crowd = (7, 0, 0, 4, 4, {"iscrowd": 1})
    folder = coco({f"{i}.png": [(3, 0, 0, 30, 20), crowd] for i in range(16)})
    data = load(folder, augmentation={"scale": [2.0, 3.0]})
    presence = np.concatenate([labels["classification"] for _, labels, _ in data.train.as_numpy_iterator()])
    assert set(presence[:, 0]) == {0.0, 1.0}
    assert set(presence[:, 1]) == {1.0}
