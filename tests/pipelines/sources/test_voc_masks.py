"""Masks in Pascal VOC's folders: CVAT's colours by labelmap.txt, VOC's own numbers and border."""

import io

import numpy as np
import pytest
from PIL import Image
from voc_files import clutter, put

import pipelines
from pipelines.sources.voc.labelmap import read_labelmap, voc_colour

LABELMAP = "# label:color_rgb:parts:actions\nroad:128,64,128::\nbackground:0,0,0::\ncar:0,0,142:wheel:drive,park\n"
COLOURS = {0: (0, 0, 0), 1: (128, 64, 128), 2: (0, 0, 142), 255: (224, 224, 192)}
IDS = np.zeros((40, 60), np.uint8)
IDS[5:25, 10:30], IDS[30:34], IDS[4, 10:30] = 1, 2, 255


def png(pixels, palette=None):
    """Return a PNG of colours, or of numbers with a palette."""
    picture = Image.fromarray(pixels.astype(np.uint8))
    if palette:
        picture = picture.convert("P")
        picture.putdata(pixels.ravel().tolist())
        picture.putpalette([c for i in range(256) for c in palette.get(i, (0, 0, 0))])
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def coloured(ids):
    return np.select([(ids == i)[..., None] for i in COLOURS], [np.array(c)[None, None] for c in COLOURS.values()])


def export(**more):
    """The files of CVAT's export "Segmentation mask 1.1"."""
    files = {f"JPEGImages/{name}.jpg": None for name in "ab"} | {"labelmap.txt": LABELMAP}
    files |= {f"SegmentationClass/{name}.png": png(coloured(IDS)) for name in "ab"}
    files |= {f"SegmentationObject/{name}.png": png(coloured(IDS)) for name in "ab"}
    return {**files, "ImageSets/Segmentation/default.txt": "a\nb\n", **more}


def read(root, **options):
    assert pipelines.recognise(root) == "voc"
    survey = pipelines.survey("voc", root, splits=["train"], **options)
    (first, *_) = survey.examples(1, (40, 60))
    return first.labels["segmentation"][0], survey


@pytest.mark.parametrize("palette", [None, {9: (0, 0, 0), 3: (128, 64, 128), 7: (0, 0, 142), 1: (224, 224, 192)}])
def test_masks_of_cvat_are_read_by_the_colours_of_labelmap_txt(tmp_path, palette):
    numbers = np.select([i == IDS for i in (0, 1, 2, 255)], [9, 3, 7, 1])
    more = {f"SegmentationClass/{name}.png": png(numbers, palette) for name in "ab"} if palette else {}
    root = clutter(put(tmp_path, **export(**more)))
    mask, survey = read(root)
    assert [(s.name, s.classes) for s in survey.specs] == [("segmentation", ("background", "road", "car"))]
    np.testing.assert_array_equal(mask, IDS)
    balance = survey.source.accounts[0].balance()
    assert not balance.lost
    assert balance.used["mask of train"] == 2
    assert len(balance.aside["a mask of instances, not read"]) == 2
    assert not survey.skipped
    assert pipelines.load(str(root), (40, 60), 1, splits=["train"]).sizes == {"train": 2}


def test_masks_of_numbers_beside_a_labelmap_are_told(tmp_path):
    more = {f"SegmentationClass/{name}.png": png(IDS) for name in "ab"}
    mask, survey = read(put(tmp_path, **export(**more)))
    np.testing.assert_array_equal(mask, IDS)
    assert any("hold the numbers of classes and not the colours" in note for note in survey.notes)


def test_a_colour_that_is_no_class_stops_with_the_file_and_the_nearest(tmp_path):
    wrong = coloured(IDS)
    wrong[0, 0] = (129, 64, 128)
    put(tmp_path, **export(**{"SegmentationClass/b.png": png(wrong)}))
    with pytest.raises(pipelines.DataError, match=r"b.png' has .*129, 64, 128.*nearest \[128, 64, 128\] of 'road'"):
        pipelines.load("voc", path=tmp_path, splits=["train"])


def test_a_value_that_is_no_class_stops_with_the_file(tmp_path):
    files = {"JPEGImages/a.jpg": None, "SegmentationClass/a.png": png(np.where(IDS == 1, 31, IDS), {31: (1, 2, 3)})}
    with pytest.raises(pipelines.DataError, match=r"a.png' has the value 31: expected 0 to 20, or 255"):
        pipelines.load("voc", path=put(tmp_path, **files), splits=["train"])


def test_colours_may_be_given_by_an_option(tmp_path):
    files = {"JPEGImages/a.jpg": None, "SegmentationClass/a.png": png(coloured(np.where(IDS == 255, 0, IDS)))}
    colours = {"ground": [0, 0, 0], "car": [0, 0, 142], "road": [128, 64, 128]}
    mask, survey = read(put(tmp_path, **files), mask_colours=colours, ignore="car")
    assert survey.specs[0].classes == ("ground", "road")
    assert (mask[5:25, 10:30] == 1).all()
    assert (mask[30:34] == 255).all()


@pytest.mark.parametrize(
    ("content", "colours"),
    [
        ("car:64,0,128::\n", {"background": (0, 0, 0), "car": (64, 0, 128)}),
        ("car:64,0,128::\nsky:0,0,0::\n", {"sky": (0, 0, 0), "car": (64, 0, 128)}),
        ("car:::\ntruck:::\n", {"background": (0, 0, 0), "car": (128, 0, 0), "truck": (0, 128, 0)}),
        ("a:b:1,2,3::\n", {"background": (0, 0, 0), "a:b": (1, 2, 3)}),
        ("\ufeffbackground:10,10,10::\r\ncar: 1, 2, 3 ::\r\n", {"background": (10, 10, 10), "car": (1, 2, 3)}),
    ],
)
def test_a_labelmap_has_the_background_first_and_a_colour_for_each(tmp_path, content, colours):
    (tmp_path / "labelmap.txt").write_text(content, encoding="utf-8")
    labelmap = read_labelmap(tmp_path / "labelmap.txt")
    assert list(labelmap.colours.items()) == list(colours.items())
    assert labelmap.classes == tuple(colours)[1:]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("car\n", r"line 1: 'car' is not name:red,green,blue:parts:actions"),
        ("car:1,2::\n", r"line 1: colour '1,2' of 'car' is not three numbers"),
        ("car:1,2,300::\n", "is not three numbers from 0 to 255"),
        ("car:1,2,3::\ncar:1,2,4::\n", "line 2: class 'car' is given twice"),
        ("car:1,2,3::\nbus:1,2,3::\n", r"classes 'car' and 'bus' have the same colour \(1, 2, 3\)"),
        ("car:1,2,3::\nbus:::\n", "class 'bus' has no colour, though others have one"),
    ],
)
def test_a_malformed_labelmap_is_told(tmp_path, content, message):
    (tmp_path / "labelmap.txt").write_text(content)
    with pytest.raises(pipelines.DataError, match=message):
        read_labelmap(tmp_path / "labelmap.txt")


def test_the_colours_of_numbers_are_those_of_vocs_palette():
    assert [voc_colour(i) for i in (1, 2, 20, 255)] == [(128, 0, 0), (0, 128, 0), (0, 64, 128), (224, 224, 192)]


def test_masks_in_the_folders_of_cvats_frames_are_recognised(tmp_path):
    files = {name.replace("/a.", "/day/a.").replace("/b.", "/day/b."): content for name, content in export().items()}
    root = put(tmp_path, **files | {"ImageSets/Segmentation/default.txt": "day/a\nday/b\n"})
    mask, _ = read(root)
    np.testing.assert_array_equal(mask, IDS)
