"""The source "packed": the same batches as the source that was packed, and what is said of a pack that is not whole."""

import json
import shutil
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from cases import few
from PIL import Image

import pipelines
from pipelines import sources
from pipelines.contract import Source, Split
from pipelines.kinds.spec import LabelSpec
from pipelines.sources.base import Format, option

SQUARE, BAR = (3, 10, 5, 20, 20), (7, 40, 30, 16, 4)
VARIED = {"flip": True, "scale": [0.6, 4.0], "colour": 0.2}  # so near that some objects are out of the picture


@pytest.fixture
def pack(coco, tmp_path):
    """A function that packs a COCO folder of four images in two shards."""
    coco({f"{i}.png": [SQUARE, BAR][: i % 3] for i in range(4)})

    def pack(**options):
        pipelines.pack("coco", tmp_path / "pack", tmp_path / "data", ["train"], shard_mb=0.0005, **options)
        return tmp_path / "pack"

    return pack


def noise(seed, *shape):
    """A picture no pixel of which is like the next."""
    return np.random.default_rng(seed).integers(0, 256, (*shape, 3), np.uint8)


def polygon(x, y, width, height):
    return {"segmentation": [[x, y, x + width, y, x + width, y + height, x, y + height]]}


def rich_coco(coco, picture, tmp_path):
    """Outlines, a crowd, an image without objects, a turned JPEG, a 16-bit PNG, a GIF, sizes that differ."""
    exif = Image.Exif()
    exif[0x0112] = 6
    rows = {
        "a.jpg": [(*SQUARE, polygon(*SQUARE[1:])), (*BAR, polygon(*BAR[1:]))],
        "b.png": [],
        "c.gif": [(*BAR, polygon(*BAR[1:]))],
        "d.jpg": [(*SQUARE, polygon(*SQUARE[1:])), (3, 0, 0, 40, 30, {"iscrowd": 1, **polygon(0, 0, 40, 30)})],
        "e.png": [(*SQUARE, polygon(*SQUARE[1:])), (3, 30, 5, 9, 9)],  # one without an outline: the mask has weight 0
    }
    coco(rows)
    picture("images/a.jpg", noise(0, 40, 60), quality=60)
    picture("images/d.jpg", noise(1, 60, 40), exif=exif)
    path = tmp_path / "data/images/e.png"
    Image.fromarray(np.arange(2400, dtype=np.uint16).reshape(40, 60) * 27).save(path)
    return {}


def voc(coco, picture, tmp_path):
    """Boxes of which one is difficult, a palette mask, an image without either."""
    for stem in "abc":
        picture(f"JPEGImages/{stem}.jpg", noise(ord(stem), 40, 60))
    for stem, difficult in (("a", 0), ("b", 1)):
        path = tmp_path / f"data/Annotations/{stem}.xml"
        path.parent.mkdir(exist_ok=True)
        box = "<xmin>11</xmin><ymin>6</ymin><xmax>30</xmax><ymax>25</ymax>"
        path.write_text(
            "<annotation><size><width>60</width><height>40</height></size><object><name>car</name>"
            f"<difficult>{difficult}</difficult><bndbox>{box}</bndbox></object></annotation>"
        )
    mask = Image.fromarray(np.tile(np.repeat(np.array([0, 7, 255], np.uint8), 20), (40, 1)), "P")
    mask.putpalette(list(range(256)) * 3)
    (tmp_path / "data/SegmentationClass").mkdir()
    mask.save(tmp_path / "data/SegmentationClass/a.png")
    return {}


def folder(coco, picture, tmp_path):
    """One class an image, masks with another ignored value, some images without one or the other."""
    for name in ("cats/a.jpg", "dogs/b.jpg", "c.jpg"):
        picture(f"images/{name}", noise(len(name), 30, 50))
    picture("masks/cats/a.png", np.tile(np.array([0, 1, 9, 0, 1], np.uint8), (30, 10)))
    (tmp_path / "data/mask_classes.json").write_text(json.dumps({"classes": ["ground", "pet"], "ignore": 9}))
    return {}


def csv(coco, picture, tmp_path):
    """Columns of classes, some of them unknown, beside boxes."""
    for stem in "ab":
        picture(f"images/{stem}.jpg", noise(ord(stem), 40, 60))
    (tmp_path / "data/labels.csv").write_text(
        "image,xmin,ymin,xmax,ymax,label,wet,dry\na.jpg,10.1,5,30,25,dog,1,\nb.jpg,,,,,,0,1\n"
    )
    return {"labels": ["wet", "dry"]}


def depth(coco, picture, tmp_path):
    """Pictures that are no files, with a depth that is unknown here and there."""
    metres = np.random.default_rng(0).random((3, 40, 60, 1), np.float32)
    metres[:, :5], metres[:, 5] = 0.0, np.nan
    images = np.stack([noise(i, 40, 60) for i in range(3)])
    (tmp_path / "data").mkdir()
    return {"images": tf.constant(images), "metres": tf.constant(metres)}


@dataclass(frozen=True)
class Arrays(Format):
    """Pictures and depths in memory."""

    images: Any = option(None, "uint8 [N, 40, 60, 3]")
    metres: Any = option(None, "float32 [N, 40, 60, 1]")

    def read(self, request):
        def read(index):
            sample = {"image": tf.ensure_shape(self.images[index], [40, 60, 3])}
            return {**sample, "labels": {"depth": self.metres[index]}, "weights": {"depth": tf.constant(1.0)}}

        return Source((LabelSpec("depth", "depth"),), {"train": Split(np.array([[40, 60]] * 3, np.int32), read)})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("make", "tasks"),
    few(
        [
            (rich_coco, {"classification", "detection", "segmentation"}),
            (voc, {"classification", "detection", "segmentation"}),
            (folder, {"classification", "segmentation"}),
            (csv, {"classification", "detection"}),
            (depth, {"depth"}),
        ],
        keep=[(rich_coco, {"classification", "detection", "segmentation"}), (depth, {"depth"})],
    ),
)
def test_batches_are_those_of_the_source_bit_for_bit(coco, picture, tmp_path, monkeypatch, make, tasks):
    monkeypatch.setitem(sources.SOURCES, "depth", Arrays)
    options, name = make(coco, picture, tmp_path), {"rich_coco": "coco"}.get(make.__name__, make.__name__)
    pipelines.pack(name, tmp_path / "pack", tmp_path / "data", ["train"], shard_mb=0.004, **options)
    assert {path.suffix for path in (tmp_path / "pack").iterdir()} == {".tfrecord", ".json", ".npz"}
    cases = [(VARIED, False), (None, True)] if make is rich_coco else [(VARIED, False)]
    for augmentation, kept in cases:
        common = {"splits": ["train"], "augmentation": augmentation, "seed": 3, "max_boxes": 2}
        first = pipelines.load(name, (48, 56), 2, path=tmp_path / "data", **common, **options)
        second = pipelines.load("packed", (48, 56), 2, path=tmp_path / "pack", cache=kept, **common)
        assert first.specs == second.specs
        assert {spec.name for spec in second.specs} == tasks
        for one, other in zip(first.train.repeat(2), second.train.repeat(2), strict=True):
            tf.nest.map_structure(lambda a, b: np.testing.assert_array_equal(a, b, strict=True), one, other)


def test_a_pack_stands_alone_and_may_be_moved(pack, tmp_path, load):
    folder = pack()
    before = list(load(folder, source="packed").train.as_numpy_iterator())
    shutil.rmtree(tmp_path / "data")
    folder.rename(tmp_path / "moved")
    assert pipelines.recognise(tmp_path / "moved") == "packed"
    after = list(load(tmp_path / "moved", source="packed").train.as_numpy_iterator())
    assert len(after) == 4
    for one, other in zip(before, after, strict=True):
        tf.nest.map_structure(np.testing.assert_array_equal, one, other)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda data: (data / "images/0.png").write_bytes(b"x"), r"'images/0.png' has changed\)"),
        (lambda data: (data / "images/new.png").touch(), r"'images/new.png' is new\)"),
        (lambda data: (data / "images/1.png").unlink(), r"'images/1.png' is gone\)"),
        (lambda data: shutil.rmtree(data / "images"), r"'images/0.png' is gone, and 3 more files\)"),
    ],
)
def test_a_source_that_changed_is_told(pack, tmp_path, ask, change, sentence):
    pack()
    (tmp_path / "data/images/.hidden").touch()
    ask("packed", at="pack")
    change(tmp_path / "data")
    with pytest.raises(pipelines.DataError, match=rf"data' has changed since '.*pack' was packed from it \({sentence}"):
        ask("packed", at="pack")
    assert len(ask("packed", at="pack", changed="ignore")[0].splits["train"].shapes) == 4


def test_of_a_csv_file_its_own_images_alone_may_not_change(tmp_path, picture, ask):
    for name in ("a.jpg", "b.jpg"):
        picture(f"images/{name}")
    table = tmp_path / "data/labels.csv"
    table.write_text("image,label\na.jpg,cat\n")
    pipelines.pack("csv", tmp_path / "pack", table, ["train"])
    picture("images/b.jpg", noise(0, 40, 60))
    ask("packed", at="pack")
    picture("images/a.jpg", noise(0, 40, 60))
    with pytest.raises(pipelines.DataError, match=r"'images/a.jpg' has changed\)"):
        ask("packed", at="pack")


def flip(path):
    """Change one bit in the middle of a file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("harm", "sentence"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:-5]), "is truncated, [0-9,]+ bytes instead of"),
        (lambda path: path.write_bytes(path.read_bytes() * 2), "is longer than it was"),
        (lambda path: path.unlink(), "is missing: copy the pack anew, or delete it and pack again"),
        (flip, "is damaged: its checksum is not that of pack.json"),
    ],
)
def test_a_shard_that_is_not_whole_is_named(pack, ask, harm, sentence):
    harm(pack() / "train-00001-of-00002.tfrecord")
    with pytest.raises(pipelines.DataError, match=f"Shard '.*/train-00001-of-00002.tfrecord' {sentence}"):
        ask("packed", at="pack")


def test_by_sizes_alone_a_damaged_record_is_found_when_it_is_read(pack, load, ask):
    folder = pack()
    flip(folder / "train-00001-of-00002.tfrecord")
    ask("packed", at="pack", verify="size")
    with pytest.raises(
        pipelines.DataError, match=r"Shard '.*/train-00001-of-.*' is damaged: it has no sample 'images/"
    ):
        load(folder, source="packed", verify="size")


@pytest.mark.parametrize(
    ("harm", "sentence"),
    [
        (lambda pack: (pack / "pack.json").unlink(), r"pack' is no pack: it has no pack.json"),
        (lambda pack: (pack / "pack.json").write_text("{}"), r"pack.json' is no list of a pack's contents"),
        (lambda pack: (pack / "pack.json").write_text('{"format": 99}'), r"pack.json' is of format 99, not 1"),
        (lambda pack: (pack / "index.npz").unlink(), r"index.npz' is missing: copy the pack anew"),
        (lambda pack: flip(pack / "index.npz"), r"index.npz' is damaged"),
    ],
)
def test_a_pack_whose_contents_cannot_be_told_is_refused(pack, ask, harm, sentence):
    harm(pack())
    with pytest.raises(pipelines.DataError, match=sentence):
        ask("packed", at="pack")


def test_tasks_splits_and_options_are_chosen_as_of_any_source(pack, ask, sample):
    pack()
    source, _ = ask("packed", at="pack", tasks=("detection",), splits=("train", "validation"))
    assert ([spec.name for spec in source.specs], list(source.splits)) == (["detection"], ["train"])
    assert source.splits["train"].follow is None  # there is no presence to follow from the boxes
    assert sample(source, index=2) == ({"detection": [(0, 10, 5, 30, 25), (1, 40, 30, 56, 34)]}, {"detection": 1})
    for options, sentence in (
        ({"splits": ("test",)}, "has no split 'test'; it has: train"),
        ({"tasks": ("depth",)}, "Task 'depth' has no labels in '.*pack'"),
        ({"verify": "ful"}, "Unknown verify 'ful'. Did you mean 'full'"),
        ({"changed": "ignored"}, "Unknown changed 'ignored'. Did you mean 'ignore'"),
        ({"at": "nowhere"}, "Folder '.*nowhere' does not exist"),
    ):
        with pytest.raises(pipelines.DataError, match=sentence):
            ask("packed", **{"at": "pack", **options})


def test_of_more_objects_than_rows_the_largest_are_kept_and_a_warning_says_so(pack, ask, sample):
    pack()
    with pytest.warns(UserWarning, match="1 of 4 images have more objects than max_boxes=1: the largest are kept"):
        source, _ = ask("packed", at="pack", max_boxes=1)
    assert sample(source, index=2)[0]["detection"] == [(0, 10, 5, 30, 25)]
