"""Pictures in one folder alone, whose labels lie beside it: no classification, unless the source is named."""

import pytest
from folder_files import GROUND, PHOTO, load

import pipelines

LONE = {
    "kitti": (
        {"training/image_2/a.png": None, "testing/image_2/b.png": None, "training/label_2/a.txt": "Car 0 0 0"},
        "'training/image_2', and .*the file 'training/label_2/a.txt' beside it was not understood",
    ),
    "wider face": (
        {"WIDER_train/images/0--Parade/a.jpg": None, "WIDER_val/images/0--Parade/b.jpg": None}
        | {f"wider_face_split/{name}.txt": "x" for name in ("train", "val")},
        "'WIDER_train/images/0--Parade', and .*2 files beside it were not understood, as 'wider_face_split/train.txt'",
    ),
    "airbus": (
        {"train_v2/a.jpg": None, "train_v2/b.jpg": None, "ships.csv": "ImageId,EncodedPixels\na.jpg,1 2\n"},
        "'train_v2', and .*the file 'ships.csv' beside it was not understood",
    ),
    "utk face": (
        {"UTKFace/1_0_1_2017.jpg": None, "UTKFace/2_0_1_2017.jpg": None, "README.txt": "x"},
        "'UTKFace', and .*no file with labels lies beside it",
    ),
    "one class in splits": ({"train/cat/a.jpg": None, "val/cat/b.jpg": None}, "'train/cat', and classification needs"),
}


@pytest.mark.parametrize("layout", LONE)
def test_a_lone_folder_of_pictures_is_no_classification_until_the_source_is_named(write, ask, layout):
    files, sentence = LONE[layout]
    folder = write(files)
    with pytest.raises(pipelines.DataError, match=f"All pictures of '.*data' lie in one folder, {sentence}") as caught:
        load(folder)
    assert "needs two classes" in str(caught.value)
    assert f"name the source: data.source=folder data.path={folder}." in str(caught.value)
    with pytest.warns(UserWarning, match="All pictures are of one class, .*: there is nothing to tell apart"):
        source, _ = ask("folder", splits=["train"])
    assert [len(spec.classes) for spec in source.specs] == [1]


def test_of_many_files_beside_one_of_each_folder_is_named(write):
    files = {f"{folder}/{n}.txt": "x" for folder in "dcba" for n in range(9)} | {"photographs/a.jpg": None}
    with pytest.raises(pipelines.DataError, match="36 files beside it .*, as 'a/0.txt', 'b/0.txt', 'c/0.txt'\\. If"):
        pipelines.recognise(write(files))


@pytest.mark.parametrize("place", ["", "train/"])
def test_folders_of_one_picture_and_its_mask_as_labelme_exports_them_are_no_classes(write, place):
    one = {"img.png": PHOTO, "label.png": GROUND, "label_viz.png": PHOTO, "label_names.txt": "_background_\ncat\n"}
    folder = write({f"{place}{n}_json/{name}": content for n in "abc" for name, content in one.items()})
    with pytest.raises(pipelines.DataError, match="a_json' is no class: it is a picture, img.png, with its mask, lab"):
        load(folder, splits=["train"])
    names = [f"{n}_json" for n in "abc"]
    assert load(folder, splits=["train"], classes=names, divide=False).specs[0].classes == tuple(names)
