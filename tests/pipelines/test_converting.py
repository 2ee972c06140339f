"""Sets written in another format: the same pictures, boxes and masks come back, and the rest is counted."""

import itertools
import json
import os
from pathlib import Path

import folders
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import pipelines
from pipelines import sources, writers
from pipelines.contract import Request
from pipelines.errors import DataError

SIZE = (40, 60)
PARTS = [[10.1, 5.3, 29.9, 5.3, 29.9, 20.7], [33.33, 22.22, 40.1, 22.3, 38.7, 31.9]]
BOX = [10.1, 5.3, 30.0, 26.6]  # the extent of both parts
SQUARE = [[4.5, 24.7, 12.3, 24.7, 12.3, 33.1, 4.5, 33.1]]
CROWD = {"size": [40, 60], "counts": [40 * 45, 40 * 10, 40 * 5]}  # columns 45 to 54


def square(**more):
    return (3, 4.5, 24.7, 7.8, 8.4, {"segmentation": SQUARE, **more})


@pytest.fixture
def outlined(coco, tmp_path):
    """A COCO set of two splits whose objects have outlines; boxes lie between pixels, and one image is empty."""
    coco({"a.png": [(7, *BOX, {"segmentation": PARTS}), square()], "b.jpg": []}, at="data/train")
    coco({"c.jpg": [square()]}, at="data/val")
    return tmp_path / "data"


def known(name, path, **options):
    """All that a set says, by split and picture: the file's bytes, rows of boxes and masks, by names of classes."""
    source = sources.get(name, options).read(Request(Path(path), ("train", "validation", "test"), None, SIZE, 9))
    classes = {spec.name: spec.classes for spec in source.specs}
    found = {}
    for split, its in source.splits.items():
        for row in range(len(its.shapes)):
            sample = tf.nest.map_structure(lambda x: x.numpy(), its.read(tf.constant(row, tf.int64)))
            labels = {task for task, weight in sample["weights"].items() if weight}
            said = {"labelled": labels - {"classification"}, "pixels": sample["image"].tobytes()}
            if "detection" in labels:
                label = sample["labels"]["detection"]
                rows = [
                    (classes["detection"][id_] if id_ >= 0 else "ignored", *box.tolist())
                    for id_, box in zip(label["classes"], label["boxes"], strict=True)
                    if id_ != -1
                ]
                said["boxes"] = sorted(rows)
            if "segmentation" in labels:
                mask = sample["labels"]["segmentation"][..., 0]
                names = dict(enumerate(classes["segmentation"])) | {255: "ignored"}
                said["mask"] = np.vectorize(names.get)(mask).tolist()
            found[split, Path(its.name(row)).stem] = said
    return found


def assert_same(one, other):
    assert one.keys() == other.keys()
    for key, said in one.items():
        assert said.keys() == other[key].keys(), key
        for what, value in said.items():
            if what == "boxes":
                assert [row[0] for row in value] == [row[0] for row in other[key][what]]
                np.testing.assert_allclose(
                    [row[1:] for row in value], [row[1:] for row in other[key][what]], rtol=0, atol=1e-5
                )
            else:
                assert value == other[key][what], (key, what)


@pytest.mark.parametrize(("first", "second"), list(itertools.product(writers.names(), repeat=2)))
def test_boxes_and_masks_come_back_by_way_of_any_two_formats(outlined, tmp_path, first, second):
    before = known("coco", outlined)
    pipelines.convert("coco", first, tmp_path / "one", outlined)
    one = known(first, tmp_path / "one")
    assert_same(before, one)
    pipelines.convert(first, second, tmp_path / "two", tmp_path / "one")
    assert_same(before, known(second, tmp_path / "two"))


@pytest.mark.parametrize("start", ["coco", "voc", "yolo", "folder", "csv", "packed"])
@pytest.mark.parametrize("to", writers.names())
def test_a_set_of_any_source_comes_back_in_any_format(tmp_path, start, to):
    path, options = folders.WRITERS[start](tmp_path / start)
    done = pipelines.convert(start, to, tmp_path / "out", path, **options)
    assert {name: len(own) for name, own in done.splits.items()} == {"train": 3, "validation": 2}
    assert_same(known(start, path, **options), known(to, tmp_path / "out", **done.options))


@pytest.mark.slow
def test_pictures_are_copied_byte_for_byte_or_linked_and_drawn_ones_are_png(outlined, tmp_path):
    pipelines.convert(str(outlined), "voc", tmp_path / "copied")
    pipelines.convert(str(outlined), "voc", tmp_path / "linked", link=True)
    for name in ("a.png", "b.jpg"):
        original = next(outlined.rglob(name))
        copied, linked = (next((tmp_path / each / "JPEGImages").rglob(name)) for each in ("copied", "linked"))
        assert copied.read_bytes() == original.read_bytes()
        assert not copied.is_symlink()
        assert linked.resolve() == original.resolve()
    done = pipelines.convert("garments", "coco", tmp_path / "drawn", train=2, validation=1, test=1)
    assert sorted(path.name for path in (tmp_path / "drawn").rglob("images/*.png")) == ["000000.png"] * 3 + [
        "000001.png"
    ]
    (told,) = done.rules
    assert told.startswith("images labelled for 'classification' (classification): written without")
    assert done.rules[told] == 4


def test_a_pack_gives_back_the_files_that_it_was_made_from(tmp_path):
    path, _ = folders.voc(tmp_path / "voc")
    pipelines.pack("voc", tmp_path / "pack", path)
    pipelines.convert("packed", "coco", tmp_path / "out", tmp_path / "pack")
    for name in "abc":
        written = tmp_path / f"out/train/images/{name}.jpg"
        assert written.read_bytes() == (path / f"JPEGImages/{name}.jpg").read_bytes()


def test_crowds_stay_where_a_format_has_them_and_are_counted_where_not(coco, tmp_path):
    crowd = (7, 45, 0, 10, 40, {"iscrowd": 1, "segmentation": CROWD})
    path = coco({"a.png": [square(), crowd]}, at="data/train")
    before = known("coco", path.parent)
    for to in ("voc", "coco"):
        pipelines.convert("coco", to, tmp_path / to, path.parent)
        assert_same(before, known(to, tmp_path / to))
    done = pipelines.convert("coco", "yolo", tmp_path / "yolo", path.parent)
    assert done.rules["regions to ignore (crowds, difficult objects): left out, as YOLO has no place for them"] == 1
    after = known("yolo", tmp_path / "yolo")["train", "a"]
    assert [row[0] for row in after["boxes"]] == ["square"]
    assert after["mask"] == before["train", "a"]["mask"], "masks beside hold what is ignored"


def test_regions_whose_class_a_pack_does_not_keep_stop_or_are_left_out(coco, tmp_path):
    path = coco({"a.png": [square(), (7, 45, 0, 10, 40, {"iscrowd": 1})]}, at="data/train")
    pipelines.pack("coco", tmp_path / "pack", path.parent)
    with pytest.raises(DataError, match="'a.png' of split train has 1 regions to ignore whose class is not kept here"):
        pipelines.convert("packed", "coco", tmp_path / "out", tmp_path / "pack")
    assert not (tmp_path / "out").exists()
    done = pipelines.convert("packed", "coco", tmp_path / "out", tmp_path / "pack", on_error="skip")
    assert len(done.skipped) == 1
    assert len(done.splits["train"][0].objects) == 2
    content = json.loads((tmp_path / "out/train/annotations.json").read_text())
    assert [row["iscrowd"] for row in content["annotations"]] == [0]


def test_images_that_nobody_labelled_are_never_written_as_empty(picture, tmp_path):
    path, _ = folders.voc(tmp_path / "voc")
    (path / "Annotations/b.xml").unlink()
    for to in ("coco", "yolo"):
        done = pipelines.convert("voc", to, tmp_path / to, path)
        told = f"images not labelled for 'detection': left out, as {to.upper()} takes them for empty"
        assert done.rules[told] == 1
        assert {Path(each.name).stem for each in done.splits["train"]} == {"a", "c"}
    pipelines.convert("voc", "voc", tmp_path / "again", path)
    assert known("voc", tmp_path / "again")["train", "b"]["labelled"] == {"segmentation"}


def test_a_split_that_nobody_labelled_is_left_out_and_one_of_them_alone_is_refused(tmp_path):
    path, _ = folders.voc(tmp_path / "voc")
    for name in "de":
        (path / f"Annotations/{name}.xml").unlink()
    done = pipelines.convert("voc", "coco", tmp_path / "coco", path)
    assert set(done.splits) == {"train"}
    assert done.rules["images not labelled for 'detection': left out, as COCO takes them for empty"] == 2
    pipelines.pack("voc", tmp_path / "pack", path)
    with pytest.raises(DataError, match="no image that can be written as COCO: 2 images not labelled"):
        pipelines.convert("packed", "coco", tmp_path / "alone", tmp_path / "pack", ["validation"])
    assert not (tmp_path / "alone").exists()


def test_an_image_without_a_mask_is_all_ignored_in_coco_and_unlabelled_elsewhere(tmp_path):
    path, _ = folders.voc(tmp_path / "voc")
    (path / "SegmentationClass/b.png").unlink()
    done = pipelines.convert("voc", "coco", tmp_path / "coco", path)
    assert done.rules["images without a mask: given one whose pixels are all ignored"] == 1
    assert np.unique(known("coco", tmp_path / "coco")["train", "b"]["mask"]).tolist() == ["ignored"]
    pipelines.convert("voc", "yolo", tmp_path / "yolo", path)
    assert "mask" not in known("yolo", tmp_path / "yolo")["train", "b"]


def test_names_that_two_splits_share_are_kept_apart_where_one_folder_has_all(coco, tmp_path):
    coco({"a.jpg": [square()], "a.png": [square()]}, at="data/train")
    coco({"a.jpg": [square()]}, at="data/val")
    assert _names(tmp_path, "voc") == {"train": ["a.jpg", "a_train.png"], "validation": ["a_val.jpg"]}
    assert _names(tmp_path, "yolo") == {"train": ["a.jpg", "a_1.png"], "validation": ["a.jpg"]}


def _names(tmp_path, to):
    done = pipelines.convert("coco", to, tmp_path / to, tmp_path / "data", tasks=["detection"])
    renamed = done.rules["pictures given another name, as two had one"]
    assert renamed == sum("_" in each.name for own in done.splits.values() for each in own)
    return {split: [each.name for each in own] for split, own in done.splits.items()}


def test_a_picture_that_lies_turned_is_labelled_as_it_is_seen_in_every_format(coco, tmp_path):
    path = coco({"a.jpg": [square()], "b.jpg": [square()]}, at="data/train")
    exif = Image.Exif()
    exif[0x0112] = 6
    for name in "ab":
        with Image.open(path / f"images/{name}.jpg") as image:
            image.save(path / f"images/{name}.jpg", exif=exif)
    content = json.loads((path / "annotations.json").read_text())
    content["images"][1] |= {"height": 60, "width": 40}  # b is labelled as it is shown, a as it is stored
    (path / "annotations.json").write_text(json.dumps(content))
    before = known("coco", path.parent, check="full")
    for to in writers.names():
        done = pipelines.convert("coco", to, tmp_path / to, path.parent)
        assert_same(before, known(to, tmp_path / to))
        assert [Path(each.name).suffix for each in done.splits["train"]] == [".png" if to == "yolo" else ".jpg", ".jpg"]
    told = "pictures written as PNG: they lie turned (EXIF), are labelled so, and YOLO does not tell"
    assert pipelines.convert("coco", "yolo", tmp_path / "x", path.parent).rules[told] == 1


def test_pictures_that_ultralytics_does_not_read_become_png(picture, tmp_path):
    rows = ["image,xmin,ymin,xmax,ymax,label", "a.gif,1,2,30,20,cat", "b.bmp,1,2,30,20,cat"]
    picture("a.gif"), picture("b.bmp")
    (tmp_path / "data/labels.csv").write_text("\n".join(rows))
    done = pipelines.convert("csv", "yolo", tmp_path / "out", tmp_path / "data", splits=["train"])
    assert {each.name for each in done.splits["train"]} == {"a.png", "b.bmp"}
    assert done.rules["pictures written as PNG: YOLO's tools read no .gif"] == 1
    assert done.rules["split that is missing: Ultralytics wants `val` in data.yaml, name a folder there"] == 1


def test_what_has_no_place_at_all_is_refused_and_nothing_is_written(picture, tmp_path):
    picture("train/cats/a.jpg")
    with pytest.raises(DataError, match="COCO has a place for boxes and masks alone, not for 'classification'"):
        pipelines.convert("folder", "coco", tmp_path / "out", tmp_path / "data")
    with pytest.raises(DataError, match="Unknown format to write 'yol'. Did you mean 'yolo'?"):
        pipelines.convert("folder", "yol", tmp_path / "out", tmp_path / "data")
    assert not (tmp_path / "out").exists()


def test_a_broken_picture_leaves_nothing_behind_or_is_listed(outlined, tmp_path):
    path = outlined / "train/images/b.jpg"
    path.write_bytes(path.read_bytes()[:300])
    before = sorted(os.listdir(tmp_path))
    with pytest.raises(DataError, match="b.jpg"):
        pipelines.convert("coco", "yolo", tmp_path / "out", outlined)
    assert sorted(os.listdir(tmp_path)) == before
    done = pipelines.convert("coco", "yolo", tmp_path / "out", outlined, on_error="skip")
    assert len(done.skipped) == 1
    assert [each.name for each in done.splits["train"]] == ["a.png"]


def test_a_folder_that_is_not_empty_or_lies_within_the_data_is_refused(outlined, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full/notes.txt").write_text("mine")
    with pytest.raises(DataError, match="'.*full' is there already: choose a folder that is empty or new."):
        pipelines.convert("coco", "voc", tmp_path / "full", outlined)
    with pytest.raises(DataError, match="lies within the data itself"):
        pipelines.convert("coco", "voc", outlined / "voc", outlined)
    (tmp_path / "empty").mkdir()
    pipelines.convert("coco", "voc", tmp_path / "empty", outlined)
    assert (tmp_path / "empty/JPEGImages/a.png").is_file()


def test_one_task_alone_is_written_without_the_others_labels(outlined, tmp_path):
    pipelines.convert("coco", "coco", tmp_path / "boxes", outlined, tasks=["detection"])
    content = json.loads((tmp_path / "boxes/train/annotations.json").read_text())
    assert all(row["segmentation"] == [] for row in content["annotations"])
    pipelines.convert("coco", "yolo", tmp_path / "masks", outlined, tasks=["segmentation"])
    assert not (tmp_path / "masks/labels").exists()
    after = known("yolo", tmp_path / "masks")
    before = known("coco", outlined)
    assert {key: said["mask"] for key, said in after.items()} == {key: said["mask"] for key, said in before.items()}
