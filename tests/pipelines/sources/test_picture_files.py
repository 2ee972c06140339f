"""How the pictures of a source are read, and what is told of them: EXIF orientations, types of numbers, limits."""

import json
import warnings

import numpy as np
import pytest
from PIL import Image

import pipelines
from pipelines.pixels.headers import ORIENTATION

SIZE = (40, 60)
BOX = (10, 5, 30, 25)  # of the black patch, upright
UNDO = {2: [0], 3: [3], 4: [1], 5: [5], 6: [2], 7: [6], 8: [4]}


def scene(size=SIZE):
    pixels = np.full((*size, 3), 200, np.uint8)
    pixels[BOX[1] : BOX[3], BOX[0] : BOX[2]] = 0
    return Image.fromarray(pixels)


def turned(path, orientation, size=SIZE):
    """Save the scene so that it is upright once it is turned by its EXIF orientation."""
    picture, exif = scene(size), Image.Exif()
    for step in UNDO.get(orientation, []):
        picture = picture.transpose(Image.Transpose(step))
    exif[ORIENTATION] = orientation
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path, exif=exif, **({"quality": 98} if path.suffix == ".jpg" else {}))
    return np.asarray(picture)


def write_coco(folder, images, sizes, boxes):
    """Write annotations of one box an image, with sizes (height, width) where they are given."""
    rows = [
        {"id": key, "file_name": name} | ({"height": sizes[name][0], "width": sizes[name][1]} if name in sizes else {})
        for key, name in enumerate(images)
    ]
    objects = [
        {"id": key, "image_id": key, "category_id": 1, "bbox": [x0, y0, x1 - x0, y1 - y0]}
        for key, (x0, y0, x1, y1) in enumerate(boxes)
    ]
    content = {"images": rows, "annotations": objects, "categories": [{"id": 1, "name": "cat"}]}
    (folder / "annotations.json").write_text(json.dumps(content))


def stored_box(pixels):
    y, x = np.nonzero(pixels[..., 0] < 100)
    return tuple(map(int, (x.min(), y.min(), x.max() + 1, y.max() + 1)))


def darkest(found, index):
    """The mean of the image where its first box is, to see whether it is on the patch; and outside of it."""
    sample = found.splits["train"].read(index)
    image = sample["image"].numpy().astype(float)
    x0, y0, x1, y1 = sample["labels"]["detection"]["boxes"][0].numpy().astype(int)
    inside = np.zeros(image.shape[:2], bool)
    inside[y0:y1, x0:x1] = True
    return image[inside].mean(), image[~inside].mean()


def notes_of(ask, source, **options):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found, _ = ask(source, **options)
    return found, [str(each.message) for each in caught if "EXIF" in str(each.message) or "image" in str(each.message)]


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp"])
@pytest.mark.parametrize("way", ["upright", "stored"])
@pytest.mark.parametrize("orientation", [5, 6, 7, 8])
def test_sizes_say_which_way_round_boxes_were_drawn(tmp_path, ask, suffix, way, orientation):
    pixels = turned(tmp_path / "data" / "images" / f"a{suffix}", orientation)
    size, box = (SIZE, BOX) if way == "upright" else (pixels.shape[:2], stored_box(pixels))
    write_coco(tmp_path / "data", [f"a{suffix}"], {f"a{suffix}": size}, [box])
    found, notes = notes_of(ask, "coco")
    inside, outside = darkest(found, 0)
    assert (inside < 30, outside > 180) == (True, True)
    assert found.splits["train"].shapes.tolist() == [list(size)]
    words = "upright" if way == "upright" else "as stored"
    assert notes == [
        f"1 image has an EXIF orientation and is read: 1 {words} by the sizes, boxes or masks of their labels."
    ]


@pytest.mark.parametrize("orientation", [3, 6])
def test_where_nothing_tells_pictures_are_upright_and_that_is_said_once(tmp_path, ask, orientation):
    for name in ("a.jpg", "b.jpg"):
        turned(tmp_path / "data" / "images" / name, orientation, (60, 60))
    write_coco(tmp_path / "data", ["a.jpg", "b.jpg"], {"a.jpg": (60, 60)}, [BOX, BOX])
    found, notes = notes_of(ask, "coco")
    assert all(darkest(found, index)[0] < 30 for index in (0, 1))
    assert len(notes) == 1
    assert "2 images have an EXIF orientation and are read: 2 upright since nothing says otherwise" in notes[0]
    assert "exif=stored" in notes[0]


def test_what_the_others_of_a_set_say_holds_where_nothing_tells(tmp_path, ask):
    pixels = turned(tmp_path / "data" / "images" / "a.jpg", 6)
    square = turned(tmp_path / "data" / "images" / "b.jpg", 6, (60, 60))
    sizes = {"a.jpg": pixels.shape[:2], "b.jpg": (60, 60)}
    write_coco(tmp_path / "data", ["a.jpg", "b.jpg"], sizes, [stored_box(pixels), stored_box(square)])
    found, notes = notes_of(ask, "coco")
    assert all(darkest(found, index)[0] < 30 for index in (0, 1))
    assert (
        "1 as stored by the sizes, boxes or masks of their labels; 1 as stored as the labels of the others" in notes[0]
    )


def test_boxes_tell_where_sizes_are_not_given(tmp_path, ask):
    (tmp_path / "data" / "images").mkdir(parents=True)
    pixels = turned(tmp_path / "data" / "images" / "a.jpg", 6, (30, 90))  # stored 90 high, 30 wide
    x0, y0, x1, y1 = stored_box(pixels)
    rows = ["image,xmin,ymin,xmax,ymax,label", f"a.jpg,{x0},{y0},{x1},{y1},cat", "a.jpg,2,60,9,88,cat"]
    (tmp_path / "data" / "labels.csv").write_text("\n".join(rows))
    found, notes = notes_of(ask, "csv")
    assert darkest(found, 0)[0] < 30
    assert "1 as stored by the sizes, boxes or masks" in notes[0]


def test_masks_tell_too(tmp_path, ask):
    pixels = turned(tmp_path / "data" / "images" / "a.jpg", 8)
    (tmp_path / "data" / "masks").mkdir()
    mask = (pixels[..., 0] < 100).astype(np.uint8)
    Image.fromarray(mask).save(tmp_path / "data" / "masks" / "a.png")
    found, notes = notes_of(ask, "folder", mask_classes=["ground", "cat"])
    sample = found.splits["train"].read(0)
    np.testing.assert_array_equal(sample["labels"]["segmentation"][..., 0], mask)
    assert sample["image"].numpy()[mask == 1].mean() < 30
    assert "1 as stored by" in notes[0]


@pytest.mark.parametrize("way", ["upright", "stored"])
def test_an_option_says_which_way_round_they_were_drawn(tmp_path, ask, way):
    pixels = turned(tmp_path / "data" / "images" / "a.jpg", 3)
    box = BOX if way == "upright" else stored_box(pixels)
    write_coco(tmp_path / "data", ["a.jpg"], {"a.jpg": SIZE}, [box])
    found, notes = notes_of(ask, "coco", exif=way)
    assert darkest(found, 0)[0] < 30
    assert "by the option exif" in notes[0]


def test_an_option_that_sizes_contradict_is_told(tmp_path, ask):
    turned(tmp_path / "data" / "images" / "a.jpg", 6)
    write_coco(tmp_path / "data", ["a.jpg"], {"a.jpg": SIZE}, [BOX])
    with pytest.raises(
        pipelines.DataError, match=r"is 40 x 60, but .* width 60 and height 40 \(the option exif is stored"
    ):
        ask("coco", exif="stored")


def test_what_is_left_out_of_pictures_is_told_once(tmp_path, ask):
    folder = tmp_path / "data" / "cat"
    folder.mkdir(parents=True)
    scene().save(folder / "plain.jpg")
    for name in ("a.gif", "b.gif"):
        scene().convert("P").save(folder / name, save_all=True, append_images=[Image.new("P", (60, 40), 7)])
    scene().save(folder / "pages.tif", save_all=True, append_images=[Image.new("RGB", (60, 40))])
    scene().convert("RGBA").save(folder / "alpha.png")
    Image.fromarray(np.full(SIZE, 30_000, np.uint16)).save(folder / "deep.png")
    found, notes = notes_of(ask, "folder")
    assert len(notes) == 3
    assert "3 images have several frames or pages, of which the first is read (the first: '" in notes[0]
    assert "1 image has an alpha channel or a transparent colour, which is left out" in notes[1]
    assert "1 image has more than 8 bits a channel" in notes[2]
    assert found.splits["train"].read(0)["image"].numpy().max() > 150


def test_levels_reach_the_pictures_and_the_sentence_that_asks_for_them(tmp_path, ask):
    folder = tmp_path / "data" / "cat"
    folder.mkdir(parents=True)
    Image.fromarray(np.full(SIZE, 2000, np.int32)).save(folder / "a.tif")
    found, notes = notes_of(ask, "folder", levels=[0, 4000])
    assert found.splits["train"].read(0)["image"].numpy()[0, 0].tolist() == [128, 128, 128]
    assert notes == []
    found, _ = notes_of(ask, "folder")
    assert "nothing says which is white" in found.splits["train"].diagnose(0)


def test_a_limit_on_pixels_is_raised_by_the_option_that_the_error_names(tmp_path, ask, names, monkeypatch):
    folder = tmp_path / "data" / "cat"
    folder.mkdir(parents=True)
    scene().save(folder / "a.jpg")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(pipelines.DataError, match=r"more than 2,000 pixels.* max_pixels"):
        ask("folder")
    found, _ = ask("folder", max_pixels=1e6)
    assert names(found) == ["a.jpg"]
    assert found.splits["train"].read(0)["image"].shape == (*SIZE, 3)


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("levels", [0], r"Option levels is \[0\]: expected two numbers"),
        ("levels", "white", "Option levels is 'white': expected two numbers"),
        ("levels", [5, 5], "expected two numbers"),
        ("max_pixels", 0, "Option max_pixels is 0: expected a whole number above 0"),
        ("max_pixels", True, "expected a whole number"),
        ("exif", "left", "Unknown exif 'left'"),
    ],
)
def test_options_of_another_kind_are_refused(tmp_path, ask, option, value, expected):
    with pytest.raises(pipelines.DataError, match=expected):
        ask("folder", **{option: value})


def test_wrong_suffixes_are_no_matter(tmp_path, ask, names):
    folder = tmp_path / "data" / "cat"
    folder.mkdir(parents=True)
    for name, kind in (("a.png", "JPEG"), ("b.jpg", "PNG"), ("c.jpg", "WEBP"), ("D.JPG", "GIF"), ("e.jpeg", "BMP")):
        scene().save(folder / name, kind)
    found, _ = ask("folder")
    assert len(names(found)) == 5
    for index in range(5):
        assert np.abs(found.splits["train"].read(index)["image"].numpy().astype(int) - np.asarray(scene())).mean() < 8
