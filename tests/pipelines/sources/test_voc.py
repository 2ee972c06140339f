"""Pascal VOC folders: which splits, what labels, and what is said of broken ones."""

import numpy as np
import pytest
from PIL import Image

import pipelines

CAR = ("car", 11, 6, 30, 25)  # pixels 11 to 30 of 1 to 60: 10.0 to 30.0
CAT = ("cat", 41, 31, 56, 34)


def xml(*objects, size=(40, 60), extra=""):
    """An annotation file; an object may end with `difficult`."""
    rows = "".join(
        f"<object><name>{name}</name><difficult>{rest[4] if len(rest) > 4 else 0}</difficult><bndbox><xmin>{rest[0]}"
        f"</xmin><ymin>{rest[1]}</ymin><xmax>{rest[2]}</xmax><ymax>{rest[3]}</ymax></bndbox></object>"
        for name, *rest in objects
    )
    return (
        f"<annotation><filename>other.jpg</filename><size><width>{size[1]}</width><height>{size[0]}</height></size>"
        f"{extra}{rows}</annotation>"
    )


@pytest.fixture
def voc(tmp_path, picture):
    """A function that writes images with their objects, and lists of splits."""

    def write(objects, at="data", **lists):
        for stem, rows in objects.items():
            picture(f"../{at}/JPEGImages/{stem}.jpg")
            path = tmp_path / at / "Annotations" / f"{stem}.xml"
            path.parent.mkdir(exist_ok=True)
            path.write_text(rows if isinstance(rows, str) else xml(*rows), encoding="utf-8")
        for split, stems in lists.items():
            path = tmp_path / at / "ImageSets" / "Main" / f"{split}.txt"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("\n".join(stems), encoding="utf-8")
        return tmp_path / at

    return write


def palette_mask(folder, stem, values):
    mask = Image.fromarray(values.astype(np.uint8)).convert("P")
    mask.putdata(values.ravel().tolist())
    mask.putpalette([value for value in range(256) for _ in "rgb"])
    (folder / "SegmentationClass").mkdir(exist_ok=True)
    mask.save(folder / "SegmentationClass" / f"{stem}.png")


def test_corners_count_from_one_and_difficult_objects_are_ignored_but_present(voc, ask, sample):
    voc({"a": [CAT, CAR, ("dog", 1, 1, 60, 40, 1)]})
    source, _ = ask("voc")
    assert [(s.name, s.kind, s.classes) for s in source.specs] == [
        ("classification", "multi_label", ("car", "cat", "dog")),
        ("detection", "detection", ("car", "cat", "dog")),
    ]
    labels, weights = sample(source)
    assert labels["detection"] == [(0, 10, 5, 30, 25), (1, 40, 30, 56, 34), (-2, 0, 0, 60, 40)]
    assert labels["classification"].tolist() == [1, 1, 1]
    assert weights == {"classification": 1, "detection": 1}


def test_lists_make_the_splits(voc, ask, names):
    voc({stem: [CAR] for stem in "abcd"}, train=["a", "b"], val=["c"], trainval=["a", "b", "c"])
    source, _ = ask("voc", splits=("train", "validation", "test"))
    assert (names(source), names(source, "validation")) == (["a.jpg", "b.jpg"], ["c.jpg"])
    with pytest.raises(pipelines.DataError, match="has no split 'test'; it has: train, validation"):
        ask("voc", splits=("test",))


@pytest.mark.parametrize("line", ["b", "./b", "b 1", '"JPEGImages/b.jpg"'])
def test_without_a_list_train_it_is_trainval_less_val(voc, ask, names, line):
    voc({stem: [CAR] for stem in "abc"}, val=[line], trainval=["a", "b", "c"])
    assert names(ask("voc")[0]) == ["a.jpg", "c.jpg"]


def test_a_folder_without_lists_is_divided_and_one_of_folders_is_not(voc, ask, names, tmp_path):
    voc({f"Straße {i}": [CAR] for i in range(40)}, at="flat")
    source, _ = ask("voc", at="flat", splits=("train", "validation", "test"))
    counts = [len(names(source, split)) for split in source.splits]
    assert sum(counts) == 40
    assert counts[0] > 25
    voc({"a": [CAR]}, at="data/train")
    voc({"b": [CAR], "c": []}, at="data/valid")
    source, _ = ask("voc", splits=("train", "validation"))
    assert (names(source), names(source, "validation")) == (["a.jpg"], ["b.jpg", "c.jpg"])


def test_masks_are_palette_places_and_an_image_without_a_label_has_no_weight(voc, ask, sample, picture):
    folder = voc({"a": [CAR, CAT], "b": [CAR]})
    picture("JPEGImages/c.jpg")
    values = np.zeros((40, 60))
    values[5:25, 10:30], values[4, 10:30], values[30:34, 40:56] = 7, 255, 8  # car and cat are 7 and 8 of the twenty
    palette_mask(folder, "a", values)
    source, _ = ask("voc")
    assert source.specs[2].classes[:3] == ("background", "aeroplane", "bicycle")
    assert len(source.specs[2].classes) == 21
    labels, weights = sample(source)
    np.testing.assert_array_equal(labels["segmentation"][..., 0], values)
    assert weights == {"classification": 1, "detection": 1, "segmentation": 1}
    assert sample(source, index=1)[1] == {"classification": 1, "detection": 1, "segmentation": 0}
    labels, weights = sample(source, index=2)
    assert weights == {"classification": 0, "detection": 0, "segmentation": 0}
    assert (labels["segmentation"] == 255).all()
    assert labels["detection"] == []


def test_masks_of_other_classes_are_numbered_as_those(voc, ask):
    folder = voc({"a": [("wheel", 1, 1, 9, 9), CAR]})
    palette_mask(folder, "a", np.zeros((40, 60)))
    assert ask("voc")[0].specs[2].classes == ("background", "car", "wheel")
    assert ask("voc", classes=["wheel", "car"])[0].specs[2].classes == ("background", "wheel", "car")
    (folder / "mask_classes.json").write_text('{"classes": ["sky", "road"], "ignore": 9}')
    assert ask("voc")[0].specs[2].classes == ("sky", "road")


def test_a_size_of_zero_is_not_known_and_boxes_are_checked_against_the_file(voc, ask, sample):
    voc({"a": xml(CAR, size=(0, 0))})
    assert sample(ask("voc")[0])[0]["detection"] == [(0, 10, 5, 30, 25)]
    voc({"a": xml(("car", 50, 5, 70, 25), size=(0, 0))})
    with pytest.raises(pipelines.DataError, match=r"a.xml': object 1: box .* lies outside its image of 60 x 40"):
        ask("voc")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("car", "nan", 6, 30, 25)], r"object 1: bndbox of 'car' is nan, 6, 30, 25: box .* is not finite"),
        ([CAR, ("car", 61, 6, 70, 25)], r"object 2: bndbox of 'car' is 61, 6, 70, 25: .* lies outside"),
        ([("car", 50, 5, 70, 25)], r"object 1: .* lies outside its image of 60 x 40"),
        ([("car", "wide", 5, 70, 25)], r"object 1: bndbox/xmin is 'wide', expected a number"),
        ([("", 11, 6, 30, 25)], r"object 1: name is missing"),
        ([(*CAR, "maybe")], r"object 1: difficult is 'maybe', expected 0 or 1"),
    ],
)
def test_a_broken_object_is_told_with_its_number_or_skipped_alone(voc, ask, sample, rows, message):
    voc({"a": [*rows, CAT]})
    with pytest.raises(pipelines.DataError, match="Annotations/a.xml': " + message):
        ask("voc")
    source, skipped = ask("voc", on_error="skip")
    assert len(skipped) == 1
    assert len(sample(source)[0]["detection"]) == len(rows)


def cut(folder):
    path = folder / "Annotations" / "a.xml"
    path.write_text(path.read_text()[:-30])


@pytest.mark.parametrize(
    ("breaking", "message", "left"),
    [
        (cut, r"a.xml' is not valid XML, it may be cut off", 1),
        (lambda f: (f / "Annotations/a.xml").write_bytes(b""), r"a.xml' is not valid XML", 1),
        (lambda f: (f / "Annotations/a.xml").write_text(xml(size=(-1, 5))), r"a.xml': size has height -1", 1),
        (lambda f: (f / "Annotations/a.xml").write_text(xml(size=(40, 50))), r"is 60 x 40, but .*a.xml' gives", 1),
        (lambda f: (f / "JPEGImages/a.jpg").unlink(), r"a.xml' has no image of its name", 1),
        (lambda f: palette_mask(f, "z", np.zeros((40, 60))), r"SegmentationClass/z.png' has no image of its name", 2),
        (lambda f: Image.new("L", (9, 9)).save(f / "JPEGImages/a.png"), r"a.png' has the name of 'a.jpg'", 2),
        (lambda f: palette_mask(f, "a", np.zeros((30, 60))), r"Mask '.*a.png' is 60 x 30, but image", 1),
    ],
)
def test_a_broken_image_stops_the_loading_or_is_skipped(voc, ask, names, breaking, message, left):
    breaking(voc({"a": [CAR], "b": [CAR]}))
    with pytest.raises(pipelines.DataError, match=message):
        ask("voc")
    source, skipped = ask("voc", on_error="skip")
    assert len(skipped) == 1
    assert len(names(source)) == left


def test_what_no_list_names_need_not_be_whole(voc, ask, names):
    folder = voc({"a": [CAR], "b": [CAR]}, train=["a"])
    (folder / "JPEGImages" / "b.jpg").unlink()
    assert names(ask("voc")[0]) == ["a.jpg"]


@pytest.mark.parametrize(
    ("stem", "message"),
    [
        ("../a", r"train.txt': line 2: image '../a' leads out"),
        ("b", r"line 2: image 'b' is given twice"),
        ("z", r"line 2: image 'z' is missing"),
    ],
)
def test_a_broken_line_of_a_list_is_told_with_its_number(voc, ask, names, stem, message):
    voc({"a": [CAR], "b": [CAR]}, train=["b", stem])
    with pytest.raises(pipelines.DataError, match=message):
        ask("voc")
    source, skipped = ask("voc", on_error="skip")
    assert (names(source), len(skipped)) == (["b.jpg"], 1)


def test_a_class_that_only_a_later_split_has_is_told_with_its_file_and_object(voc, ask, sample):
    voc({"a": [CAR], "b": [CAR, ("cart", 1, 1, 9, 9)]}, train=["a"], val=["b"])
    message = r"b.xml': object 2: Unknown validation class 'cart'. Did you mean 'car'\?.*in the option classes \(set"
    with pytest.raises(pipelines.DataError, match=message):
        ask("voc", splits=("train", "validation"))
    source, skipped = ask("voc", splits=("train", "validation"), on_error="skip")
    assert sample(source, "validation")[0]["detection"] == [(0, 10, 5, 30, 25)]
    assert len(skipped) == 1
    with pytest.raises(pipelines.DataError, match=r"Option classes is 3: expected a list of names"):
        ask("voc", classes=3)


def test_folders_of_another_layout_are_refused(tmp_path, ask):
    (tmp_path / "data").mkdir()
    with pytest.raises(pipelines.DataError, match="is no Pascal VOC data set"):
        ask("voc")
    (tmp_path / "data" / "Annotations").mkdir()
    with pytest.raises(pipelines.DataError, match="lacks its images"):
        ask("voc")
    with pytest.raises(pipelines.DataError, match="does not exist"):
        ask("voc", at="nowhere")
