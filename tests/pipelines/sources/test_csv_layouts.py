"""Folders with tables as tools and collections have them, amid what else lies there: known, read, accounted for."""

import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import pipelines
from pipelines.accounts.tree import Tree
from pipelines.sources.csv.images import Pictures

CLUTTER = {
    "README.md": "read me",
    "docs/notes.html": "notes",
    "__MACOSX/._a.jpg": "x",
    ".DS_Store": "x",
    "Thumbs.db": "x",
    "runs/a-1/recipe.yaml": "x",
    "runs/a-1/history.csv": "image,label\n",
}
BOXES = "filename,width,height,class,xmin,ymin,xmax,ymax\n"


@pytest.fixture
def folder(tmp_path):
    """A function that writes texts and pictures, of 60 x 40, to a folder, and clutter beside."""

    def write(texts: dict[str, str], pictures: list[str], clutter: bool = True) -> Path:
        root = tmp_path / "data"
        for name, text in {**texts, **(CLUTTER if clutter else {})}.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        for name in pictures:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.full((40, 60, 3), 90, np.uint8)).save(root / name)
        return root

    return write


def load(root, splits=("train", "validation"), **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pipelines.load(str(root), (40, 60), 1, splits=splits, shuffle=False, **options)


def classes(data, split="train"):
    return [labels["classification"].numpy()[0].tolist() for _, labels, _ in data.splits[split]]


def boxes(data, split="train"):
    found = []
    for _, labels, _ in data.splits[split]:
        rows = zip(labels["detection"]["boxes"][0].numpy(), labels["detection"]["classes"][0], strict=True)
        found.append([tuple(box.tolist()) for box, known in rows if known >= 0])
    return found


def lost(data):
    return data.accounts[0].balance().lost


def test_roboflow_has_a_table_of_boxes_in_each_split(folder):
    root = folder(
        {
            "train/_annotations.csv": BOXES + "a.JPG,60,40,cat,10,5,30,25\na.JPG,60,40,dog,1,1,9,9\n",
            "valid/_annotations.csv": BOXES + "b.jpg,60,40,dog,0,0,60,40\n",
            "test/_annotations.csv": BOXES + "c.jpg,60,40,dog,0,0,60,40\n",
        },
        ["train/a.JPG", "train/stray.jpg", "valid/b.jpg", "test/c.jpg"],
    )
    assert pipelines.recognise(root) == "csv"
    data = load(root)
    assert boxes(data) == [[(10, 5, 30, 25), (1, 1, 9, 9)]]
    assert boxes(data, "validation") == [[(0, 0, 60, 40)]]
    assert lost(data) == {"train/stray.jpg": "no row of _annotations.csv, _annotations.csv names it"}
    aside = data.accounts[0].balance().aside
    assert aside["of split test, not asked for"] == ["test/_annotations.csv", "test/c.jpg"]


def test_roboflow_has_columns_of_classes_with_spaces_before_their_names(folder):
    root = folder({"train/_classes.csv": "filename, cat, dog\na.jpg, 1, 0\n"}, ["train/a.jpg"])
    assert pipelines.recognise(root) == "csv"
    data = load(root, ["train"])
    assert data.specs[0].classes == ("cat", "dog")
    assert classes(data) == [[1, 0]]


def test_vott_quotes_all_and_has_one_table(folder):
    text = '"image","xmin","ymin","xmax","ymax","label"\n"a.jpg",10.5,5,30,25,"cat"\n'
    root = folder({"Project-export.csv": text}, ["a.jpg"])
    assert boxes(load(root, ["train"])) == [[(10.5, 5, 30, 25)]]


def test_open_images_has_fractions_ids_and_a_folder_for_each_split(folder):
    head = "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,"
    head += "IsOccluded,IsTruncated,IsGroupOf,IsDepiction,IsInside\n"
    root = folder(
        {
            "train-annotations-bbox.csv": head + "0a,xclick,/m/01yrx,1,0.5,1,0,0.5,0,0,0,0,0\n",
            "validation-annotations-bbox.csv": head + "0b,xclick,/m/01yrx,1,0,0.5,0,0.5,0,0,0,0,0\n",
            "class-descriptions-boxable.csv": "/m/01yrx,Cat\n/m/0bt9lr,Dog\n",
        },
        ["train/0a.jpg", "validation/0b.jpg"],
    )
    assert pipelines.recognise(root) == "csv"
    data = load(root)
    assert data.specs[-1].classes == ("Cat",)
    assert boxes(data) == [[(30, 0, 60, 20)]]
    assert boxes(data, "validation") == [[(0, 0, 30, 20)]]
    assert not lost(data)


def test_kaggle_has_a_table_to_train_and_a_sample_of_answers(folder):
    wheat = 'image_id,width,height,bbox,source\na1,60,40,"[10.0, 5.0, 20.0, 20.0]",x\na1,60,40,"[40, 30, 9, 9]",x\n'
    root = folder(
        {"train.csv": wheat, "sample_submission.csv": "image_id,PredictionString\nt1,1.0 0 0 50 50\n"},
        ["train/a1.jpg", "test/t1.jpg"],
    )
    assert pipelines.recognise(root) == "csv"
    data = load(root, ["train"], classes=["wheat"])
    assert boxes(data) == [[(10, 5, 30, 25), (40, 30, 49, 39)]]
    assert lost(data) == {"test/t1.jpg": "no row of train.csv names it"}


def test_ham10000_keeps_its_pictures_in_parts_and_names_them_without_suffix(folder):
    text = "lesion_id,image_id,dx,dx_type,age,sex,localization\nH1,ISIC_1,bkl,histo,80.0,male,scalp\n"
    text += "H2,ISIC_2,nv,histo,,female,face\n"
    root = folder(
        {"HAM10000_metadata.csv": text}, ["HAM10000_images_part_1/ISIC_1.jpg", "HAM10000_images_part_2/ISIC_2.jpg"]
    )
    assert pipelines.recognise(root) == "csv"
    data = load(root, ["train"])
    assert data.specs[0].classes == ("bkl", "nv")
    assert classes(data) == [0, 1]
    assert not lost(data)


def test_several_tables_of_the_same_pictures_are_told(folder):
    texts = {
        "list_attr.csv": "image_id,Bald\na.jpg,-1\nb.jpg,1\n",
        "list_bbox.csv": "image_id,x_1,y_1,width,height\na.jpg,1,1,9,9\n",
    }
    root = folder(texts, ["img/a.jpg", "img/b.jpg"])
    with pytest.raises(
        pipelines.DataError, match=r"it has: list_attr.csv, list_bbox.csv. Give one of them as the path"
    ):
        load(root)
    assert classes(load(root / "list_attr.csv", ["train"])) == [[0], [1]]
    assert boxes(load(root / "list_bbox.csv", ["train"])) == [[(1, 1, 10, 10)]]


def test_a_table_of_no_split_beside_those_of_splits_is_told_by_its_name(folder):
    texts = {f"{name}.csv": f"Path,ClassId\n{name}/a.jpg,1\n" for name in ("Meta", "Test", "Train")}  # as GTSRB
    root = folder(texts, ["Meta/a.jpg", "Test/a.jpg", "Train/a.jpg"])
    with pytest.raises(pipelines.DataError, match=r"has Meta.csv, Test.csv, Train.csv, and the name of Meta.csv says"):
        pipelines.load("csv", path=root)
    (root / "Meta.csv").unlink()
    assert classes(load(root, ["train"])) == [0]


def test_paths_of_another_machine_are_found_by_their_ends(folder):
    text = "path,label\n/home/me/set/train/cats/a.jpg,cat\n/home/me/set/train/dogs/a.jpg,dog\nC:\\set\\c.jpg,dog\n"
    root = folder({"labels.csv": text}, ["train/cats/a.jpg", "train/dogs/a.jpg", "c.jpg"])
    data = pipelines.load("csv", (40, 60), 1, path=root, splits=["train"], shuffle=False)
    assert classes(data) == [0, 1, 1]


def test_a_column_of_ids_under_any_name_is_known_by_the_pictures_that_are_here(folder):
    files = [f"train_images/{stem}.png" for stem in ("000c", "001f")]
    root = folder({"train.csv": "id_code,diagnosis\n000c,0\n001f,4\n", "test.csv": "id_code\nffff\n"}, files)
    assert pipelines.recognise(root) == "csv"
    assert classes(load(root, ["train"])) == [0, 1]


def test_whole_paths_that_lead_here_are_no_news(folder, tmp_path, recwarn):
    names = [f"{tmp_path}/data/{name}/a.jpg" for name in ("cats", "dogs")]
    root = folder({"labels.csv": f"path,label\n{names[0]},cat\n{names[1]},dog\n"}, ["cats/a.jpg", "dogs/a.jpg"])
    data = pipelines.load("csv", (40, 60), 1, path=root, splits=["train"], shuffle=False)
    assert classes(data) == [0, 1]
    assert not [note for note in recwarn if "is not here" in str(note.message)]


def test_images_that_two_splits_share_are_told(folder):
    row, more = "image,label\na.jpg,cat\n", "b.jpg,dog\n"
    root = folder({"train.csv": row + more, "val.csv": row}, ["a.jpg", "b.jpg"])
    with pytest.warns(UserWarning, match=r"1 image is in several splits, as '.*a.jpg' in 'train' and 'validation'"):
        pipelines.load(str(root), (40, 60), 1)


def found(root, names, table="labels.csv"):
    pictures = Pictures.of(Tree.of(root), root / table)
    result = pictures.find(names)
    return {name: path.relative_to(root).as_posix() for name, path in result.files.items()}, result


def test_pictures_are_found_where_they_are_and_never_elsewhere(folder):
    files = ["images/a.jpg", "img/b.JPG", "more/deep/c.jpg", "x/d.jpg", "y/d.jpg", "birds/e.jpg"]
    root = folder({}, files, clutter=False)
    names = ["a.jpg", "a", "images\\a.jpg", "./images/a.jpg", "A.JPG", "b.jpg", "c", "deep/c.jpg", "x/d"]
    expected = ["images/a.jpg"] * 5 + ["img/b.JPG", "more/deep/c.jpg", "more/deep/c.jpg", "x/d.jpg"]
    assert found(root, names)[0] == dict(zip(names, expected, strict=True))
    _, result = found(root, ["d.jpg", "cats/e.jpg", "a.png", "http://site/a.jpg", "../a.jpg"])
    assert not result.files
    assert result.missing == {
        "d.jpg": "'d.jpg' may be 'x/d.jpg' or 'y/d.jpg': name their folder by option images",
        "cats/e.jpg": "picture 'cats/e.jpg' is missing; there is 'birds/e.jpg', which may be another",
        "a.png": "picture 'a.png' is missing; there is 'images/a.jpg'",
        "http://site/a.jpg": "'http://site/a.jpg' is a web address: download the picture and give its file",
        "../a.jpg": "image '../a.jpg' leads out of the image folder",
    }


def test_a_table_whose_pictures_are_nowhere_is_told_once(folder):
    root = folder({"labels.csv": "image,label\n" + "".join(f"p{k}.jpg,cat\n" for k in range(1000))}, ["images/a.jpg"])
    with pytest.raises(
        pipelines.DataError, match=r"line 2: none of its 1000 pictures is here; the first, 'p0.jpg', was"
    ):
        pipelines.load("csv", path=root, on_error="skip")
    with pytest.raises(pipelines.DataError, match="is like no data set that is known"):
        pipelines.recognise(root)


def test_a_workbook_is_told_as_what_it_is(folder):
    root = folder({"labels.xlsx": "PK\x03\x04"}, ["a.jpg"], clutter=False)
    with pytest.raises(pipelines.DataError, match="is an Excel workbook or an archive: save the sheet as CSV"):
        pipelines.load(str(root / "labels.xlsx"))


def balance(root, **options):
    data = pipelines.load(str(root), (40, 60), 1, splits=["train"], on_error="skip", **options)
    return data.accounts[0].balance()


def test_rows_are_lost_with_a_picture_that_cannot_be_decoded(folder):
    root = folder({"labels.csv": "image,label\na.jpg,cat\nb.jpg,dog\nc.jpg,dog\n"}, ["a.jpg", "b.jpg"], clutter=False)
    (root / "c.jpg").write_bytes((root / "a.jpg").read_bytes()[:200])
    found = balance(root)
    assert (found.annotations_lost.total(), found.annotations_used) == (1, 2)
    (root / "labels.csv").write_text(f"{BOXES}a.jpg,60,40,cat,1,2,9,9\nc.jpg,60,40,cat,1,2,9,9\nc.jpg,60,40,,,,,\n")
    found = balance(root)
    assert (found.annotations_lost.total(), found.annotations_used) == (2, 1)


def test_rows_of_a_class_that_the_option_does_not_name_are_lost(folder):
    root = folder({"labels.csv": "image,label\na.jpg,cat\nb.jpg,dog\n"}, ["a.jpg", "b.jpg"], clutter=False)
    found = balance(root, classes=["cat"])
    assert (found.annotations_lost.total(), found.annotations_used) == (1, 1)


def test_all_rows_of_a_picture_of_a_split_that_is_not_asked_for_are_set_aside(folder):
    row = "cat,1,2,9,9"
    text = f"image,label,xmin,ymin,xmax,ymax,split\na.jpg,{row},train\nb.jpg,{row},val\nb.jpg,{row},val\n"
    found = balance(folder({"labels.csv": text}, ["a.jpg", "b.jpg"], clutter=False))
    assert found.annotations_aside == {"of split validation, not asked for": 2}
    assert found.annotations_used == 1


def test_rows_that_fall_to_another_split_are_set_aside(folder):
    names = [f"{number}.jpg" for number in range(20)]
    root = folder({"labels.csv": "image,label\n" + "".join(f"{name},cat\n" for name in names)}, names, clutter=False)
    found = balance(root, divide=True)
    assert found.annotations_aside.total() == found.annotations.total() - found.used["image of train"] > 0
