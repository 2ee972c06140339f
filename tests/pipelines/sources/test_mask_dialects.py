"""Masks of every dialect: numbers, colours, 0 and 255, classes that count from 1, and what is neither."""

import json

import numpy as np
import pytest
import tensorflow as tf
from folder_files import CAR, COLOURS, GROUND, ROAD
from PIL import Image

import pipelines
from pipelines.sources.files.masks import palettes

PALETTE = {"road": list(ROAD), "car": list(CAR)}


@pytest.fixture
def masks(picture, tmp_path):
    """A function that writes images a, b, ... and a mask for each."""

    def write(*values, suffix=".png", **options):
        for name, own in zip("abcdefgh", values, strict=False):
            picture(f"images/{name}.jpg")
            picture(f"masks/{name}{suffix}", own, **options)
        return tmp_path / "data"

    return write


def mask_of(sample, source, index=0):
    return sample(source, index=index)[0]["segmentation"][..., 0]


def loaded(folder, **options):
    return pipelines.load("folder", (40, 60), 1, path=folder, splits=["train"], shuffle=False, **options)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_colours_are_classes_by_the_option(masks, ask, sample, mode):
    picture = Image.fromarray(COLOURS)
    picture = picture.quantize(4) if mode == "P" else picture.convert(mode)
    folder = masks(GROUND)
    picture.save(folder / "masks" / "a.png")
    source, _ = ask("folder", mask_colours=PALETTE)
    assert source.specs[0].classes == ("road", "car")
    np.testing.assert_array_equal(mask_of(sample, source), GROUND)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("class_dict.csv", "name,r,g,b\nroad,128,64,128\ncar,64,0,128\n"),
        ("class_dict.csv", "name, r, g, b\r\nroad, 128, 64, 128\r\ncar, 64, 0, 128\r\n"),
        ("classes.csv", "class;red;green;blue\nroad;128;64;128\ncar;64;0;128\n"),
        ("labelmap.txt", "# label:color_rgb:parts:actions\nroad:128,64,128::\ncar:64,0,128::\n"),
        ("label_colors.txt", "128 64 128\troad\n64 0 128\t\tcar\n"),
        ("colormap.txt", "road 128 64 128\ncar 64 0 128\n"),
        ("masks/class_dict.csv", "name,r,g,b\nroad,128,64,128\ncar,64,0,128\n"),
    ],
)
def test_colours_are_classes_by_a_palette_beside_the_masks(masks, tmp_path, name, text):
    folder = masks(COLOURS)
    (folder / name).write_text(text)
    data = loaded(folder)
    assert data.specs[0].classes == ("road", "car")
    ((_, labels, _),) = data.train.as_numpy_iterator()
    np.testing.assert_array_equal(labels["segmentation"][0], GROUND)
    assert not data.accounts[0].balance().lost


def test_a_list_of_pixel_values_names_the_classes(masks, ask, sample):
    folder = masks(GROUND * 3)
    (folder / "_classes.csv").write_text("Pixel Value, Class\n0, background\n3, bird\n")
    source, _ = ask("folder")
    assert source.specs[0].classes == ("background", "bird")
    np.testing.assert_array_equal(mask_of(sample, source), GROUND)


def test_a_palette_is_told_where_it_is_malformed(masks, ask):
    folder = masks(COLOURS)
    (folder / "class_dict.csv").write_text("name,r,g,b\nroad,128,64,128\ncar,64,0\n")
    with pytest.raises(pipelines.DataError, match=r"class_dict.csv': line 3: 'car,64,0' does not have the columns of"):
        ask("folder")
    (folder / "class_dict.csv").write_text("name,r,g,b\nroad,128,64,128\ncar,128,64,128\n")
    with pytest.raises(pipelines.DataError, match=r"gives the colour \(128, 64, 128\) to two classes"):
        ask("folder")
    (folder / "class_dict.csv").write_text("name,r,g,b\nroad,128,64,300\n")
    with pytest.raises(pipelines.DataError, match=r"line 2: a colour is \[128, 64, 300\]: expected numbers from 0 to"):
        ask("folder")


def test_what_is_called_as_a_palette_and_is_none_is_left_to_others(tmp_path):
    (tmp_path / "classes.csv").write_text("filename,cat,dog\na.jpg,1,0\n")
    assert palettes.read(tmp_path / "classes.csv") is None
    (tmp_path / "labels.txt").write_text("cat\ndog\n")
    assert palettes.read(tmp_path / "labels.txt") is None


def test_a_colour_that_is_no_class_is_told_with_its_pixels_and_the_nearest(masks):
    wrong = COLOURS.copy()
    wrong[0, :3] = (128, 64, 120)
    folder = masks(COLOURS, wrong)
    message = (
        r"b.png' has the colour \(128, 64, 120\): expected one of the 2 colours of the option mask_colours, nearest "
        r"\[128, 64, 128\] of 'road' \(3 pixels have it; mend the mask, or name the class of each colour"
    )
    with pytest.raises(pipelines.DataError, match=message):
        loaded(folder, mask_colours=PALETTE)
    data = loaded(folder, mask_colours=PALETTE, on_error="skip")
    assert (data.sizes, len(data.skipped)) == ({"train": 1}, 1)
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"b.png.+has a value that is no class"):
        list(loaded(folder, mask_colours=PALETTE, check="headers", cache=False).train)


def test_smoothed_edges_are_told(masks):
    ramp = np.tile(np.arange(60, dtype=np.uint8) * 4, (40, 1))
    with pytest.raises(pipelines.DataError, match=r"there are \d+ such values, as smoothed edges or JPEG leave them"):
        loaded(masks(ramp), mask_classes=["ground", "thing"])


def test_a_jpeg_is_no_mask(masks):
    with pytest.raises(pipelines.DataError, match="a.png' is a JPEG file, a format that changes values"):
        loaded(masks(GROUND, format="JPEG"), mask_classes=["ground", "thing"])


def test_colours_without_a_palette_are_told_and_greys_stored_as_colours_are_numbers(masks, ask, sample):
    folder = masks(COLOURS)
    with pytest.raises(pipelines.DataError, match=r"a.png' has colours \(\(64, 0, 128\), \(128, 64, 128\)\), and noth"):
        ask("folder", mask_classes=["road", "car"])
    Image.fromarray(np.stack([GROUND] * 3, -1)).save(folder / "masks" / "a.png")
    np.testing.assert_array_equal(mask_of(sample, ask("folder", mask_classes=["road", "car"])[0]), GROUND)


def test_masks_of_numbers_beside_a_palette_are_numbers_and_that_is_told(masks, ask, sample):
    folder = masks(GROUND)
    (folder / "class_dict.csv").write_text("name,r,g,b\nroad,128,64,128\ncar,64,0,128\n")
    with pytest.warns(UserWarning, match="a.png' hold the numbers of classes and not the colours of .*class_dict.csv"):
        source, _ = ask("folder")
    np.testing.assert_array_equal(mask_of(sample, source), GROUND)


def test_a_palette_png_is_read_by_its_colours_where_they_are_classes_and_else_by_its_numbers(masks, ask, sample):
    folder = masks(GROUND)
    for colours in ([*CAR, *ROAD], [0, 0, 0, 9, 9, 9]):
        picture = Image.fromarray(1 - GROUND if colours[0] else GROUND, mode="P")
        picture.putpalette(colours)
        picture.save(folder / "masks" / "a.png")
        (folder / "class_dict.csv").write_text("name,r,g,b\nroad,128,64,128\ncar,64,0,128\n")
        np.testing.assert_array_equal(mask_of(sample, ask("folder")[0]), GROUND)


@pytest.mark.filterwarnings("error")
def test_255_is_the_second_of_two_classes_where_masks_hold_0_and_255_alone(masks, ask, sample):
    masks(GROUND * 255, GROUND * 0)
    with pytest.warns(UserWarning, match="hold 0 and 255 alone: 0 is 'ground' and 255 is 'thing'"):
        source, _ = ask("folder", mask_classes=["ground", "thing"])
    np.testing.assert_array_equal(mask_of(sample, source), GROUND)
    assert mask_of(sample, source, 1).max() == 0


def test_255_is_ignored_where_1_is_in_the_same_mask(masks, ask, sample):
    mask = GROUND.copy()
    mask[0] = 255
    masks(mask)
    source, _ = ask("folder", mask_classes=["ground", "thing"])
    np.testing.assert_array_equal(mask_of(sample, source), mask)


def test_255_in_some_masks_and_1_in_others_stops(masks, ask):
    masks(GROUND * 255, GROUND)
    with pytest.raises(pipelines.DataError, match=r"a.png' marks with 255 and mask '.*b.png' with 1, never both"):
        ask("folder", mask_classes=["ground", "thing"])
    assert ask("folder", mask_classes=["ground", "thing"], ignore=255)[0]


def test_what_is_ignored_everywhere_stops(masks, ask, tmp_path):
    folder = masks(GROUND * 255)
    (folder / "mask_classes.json").write_text(json.dumps({"classes": ["ground", "thing"], "ignore": 255}))
    message = r"masks of train hold no class but 'ground', and 17% of their pixels are ignored, as in '.*a.png'"
    with pytest.raises(pipelines.DataError, match=message):
        ask("folder")


def test_classes_that_count_from_1_are_known_where_none_is_0(masks, ask, sample):
    masks(GROUND + 1)
    with pytest.warns(UserWarning, match="values of the masks are 1 to 2, and none is 0: 1 is 'ground'"):
        source, _ = ask("folder", mask_classes=["ground", "thing"])
    np.testing.assert_array_equal(mask_of(sample, source), GROUND)


def test_an_offset_ignores_lower_values_and_0_beside_it_is_refused_unless_it_is_given(masks, ask, sample):
    mask = GROUND + 1
    mask[0] = 0
    folder = masks(mask)
    with pytest.raises(pipelines.DataError, match="a.png' has the value 2: expected 0 to 1, or 255"):
        loaded(folder, mask_classes=["ground", "thing"])
    source, _ = ask("folder", mask_classes=["ground", "thing"], mask_offset=1)
    expected = GROUND.copy()
    expected[0] = 255
    np.testing.assert_array_equal(mask_of(sample, source), expected)


def test_grey_values_that_are_no_ids_are_named_by_the_option(masks, ask, sample):
    masks(GROUND * 128)
    source, _ = ask("folder", mask_colours={"ground": 0, "thing": 128})
    np.testing.assert_array_equal(mask_of(sample, source), GROUND)


@pytest.mark.parametrize("ignored", ["void", [0, 0, 0]])
def test_a_colour_can_be_ignored(masks, ask, sample, ignored):
    colours = COLOURS.copy()
    colours[0] = 0
    masks(colours)
    source, _ = ask("folder", mask_colours={"void": [0, 0, 0], **PALETTE}, ignore=ignored)
    assert source.specs[0].classes == ("road", "car")
    expected = GROUND.copy()
    expected[0] = 255
    np.testing.assert_array_equal(mask_of(sample, source), expected)


def test_a_class_without_a_pixel_is_told(masks, ask):
    masks(GROUND)
    with pytest.warns(UserWarning, match="No pixel of the masks of train is of class 'moon': what is never seen"):
        ask("folder", mask_classes=["ground", "thing", "moon"])


def test_where_another_value_than_255_is_ignored_255_is_no_class(masks):
    mask = GROUND.copy()
    mask[0], mask[1] = 255, 9
    with pytest.raises(pipelines.DataError, match=r"has the value 255: expected 0 to 1, or 9 \(60 pixels have it"):
        loaded(masks(mask), mask_classes=["ground", "thing"], ignore=9)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mask_colours": ["road"]}, r"mask_colours is \['road'\]: expected {name: \[red, green, blue\]}"),
        ({"mask_colours": {"road": [1, 2]}}, r"mask_colours: road is \[1, 2\]: expected \[red, green, blue\]"),
        ({"mask_colours": {"road": [1, 2, 256]}}, "each from 0 to 255"),
        ({"mask_classes": ["a", "b"], "mask_offset": 1.5}, "mask_offset is 1.5: expected a whole number"),
        ({"mask_classes": ["a", "b"], "ignore": 256}, "ignore is 256: expected a whole number from 0 to 255"),
        ({"mask_colours": PALETTE, "ignore": "rod"}, "class to ignore 'rod'. Did you mean 'road'"),
        ({"mask_colours": PALETTE, "mask_classes": ["road"]}, "mask_colours names road, car, but the classes of the"),
    ],
)
def test_options_that_are_none_are_told(masks, ask, options, message):
    masks(COLOURS)
    with pytest.raises(pipelines.DataError, match=message):
        ask("folder", **options)
