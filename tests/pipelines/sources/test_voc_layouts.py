"""Pascal VOC as tools write it: recognised, read unaided, every file accounted for."""

import numpy as np
import pytest
from voc_files import clutter, page, put, thing

import pipelines

CAR, CAT = thing("car", (11, 6, 30, 25)), thing("cat", (41, 31, 56, 34))
A, B = page(CAR, CAT), page(CAT, filename="b.jpg")


@pytest.fixture
def read(names, sample):
    """A function that recognises a folder, surveys it unaided, and returns image names by split, and the account."""

    def read(root, **options):
        assert pipelines.recognise(root) == "voc"
        survey = pipelines.survey("voc", root, **options)
        found = {split: names(survey.source, split) for split in survey.splits}
        (account,) = survey.source.accounts
        return found, account.balance(), survey

    return read


def boxes(survey, split="train"):
    """Return the boxes of each image of a split."""
    rows = {}
    for example in survey.examples(100, (40, 60)):
        if example.split == split:
            label = example.labels["detection"]
            known = label["classes"][0] != -1
            rows[example.name.rpartition("/")[2]] = [
                (int(c), *map(float, b))
                for c, b in zip(label["classes"][0][known], label["boxes"][0][known], strict=True)
            ]
    return rows


PUBLISHED = {
    "JPEGImages/a.jpg": None,
    "JPEGImages/b.jpg": None,
    "JPEGImages/c.jpg": None,
    "Annotations/a.xml": A,
    "Annotations/b.xml": B,
    "Annotations/c.xml": page(filename="c.jpg"),
    "ImageSets/Main/train.txt": "a\n",
    "ImageSets/Main/val.txt": "b\n",
    "ImageSets/Main/trainval.txt": "a\nb\n",
    "ImageSets/Main/car_train.txt": "a  1\n",
    "ImageSets/Main/cat_val.txt": "b  1\n",
    "ImageSets/Segmentation/train.txt": "a\n",
    "ImageSets/Layout/train.txt": "a 1\n",
    "ImageSets/Action/jumping_train.txt": "a 1 1\n",
    "SegmentationClass/a.png": np.full((40, 60), 7),
    "SegmentationObject/a.png": np.full((40, 60), 1),
}


@pytest.mark.parametrize("above", ["", "VOC2012/", "VOCdevkit/VOC2012/", "VOCtrainval_06-Nov-2007/VOCdevkit/VOC2007/"])
def test_as_published_also_some_folders_above_every_file_is_told(tmp_path, read, above):
    root = clutter(put(tmp_path, **{f"{above}{name}": content for name, content in PUBLISHED.items()}))
    found, balance, survey = read(root)
    assert found == {"train": ["a.jpg"], "validation": ["b.jpg"]}
    assert boxes(survey) == {"a.jpg": [(0, 10, 5, 30, 25), (1, 40, 30, 56, 34)]}
    assert not balance.lost
    assert balance.files == sum(1 for file in root.rglob("*") if file.is_file())
    aside = {rule: len(names) for rule, names in balance.aside.items()}
    assert aside["in no list of a split"] == 2  # the picture and the XML of c
    _, alone, _ = read(root, splits=["validation"])  # what is of train is not what is of none
    assert alone.aside["in no list of a split"] == balance.aside["in no list of a split"]
    assert aside["a list of one class"] == 2
    assert aside["a list of another task"] == 3
    assert aside["a mask of instances, not read"] == 1
    assert aside["a list of train and validation together"] == 1
    assert balance.used["image of train"] == balance.used["mask of train"] == 1
    assert pipelines.load(str(root), (40, 60), 1, splits=["train"]).sizes == {"train": 1}


def test_two_years_side_by_side_stop_unless_one_is_given(tmp_path, read):
    files = {f"VOCdevkit/{year}/{n}": c for year in ("VOC2007", "VOC2012") for n, c in PUBLISHED.items()}
    put(tmp_path, **files)
    with pytest.raises(
        pipelines.DataError, match=r"2 Pascal VOC data sets: VOCdevkit/VOC2007, VOCdevkit/VOC2012\. Give"
    ):
        pipelines.load(str(tmp_path))
    assert read(tmp_path / "VOCdevkit" / "VOC2007")[0]["train"] == ["a.jpg"]


def test_cvat_lists_all_as_default_and_its_corners_count_from_zero(tmp_path, read):
    box = thing(
        "car", (10.5, 5.0, 30.25, 25.0), "<truncated>0</truncated><occluded>1</occluded><difficult>0</difficult>"
    )
    box = box.replace(
        "</object>", "<attributes><attribute><name>id</name><value>3</value></attribute></attributes></object>"
    )
    files = {f"JPEGImages/sub/{i:02}.jpg": None for i in range(30)}
    files |= {f"Annotations/sub/{i:02}.xml": page(box, filename=f"sub/{i:02}.jpg") for i in range(30)}
    files["ImageSets/Main/default.txt"] = "".join(f"sub/{i:02}\n" for i in range(30))
    files["ImageSets/Main/car_default.txt"] = "sub/00  1\n"
    files["ImageSets/Segmentation/default.txt"] = ""
    files["labelmap.txt"] = "# label:color_rgb:parts:actions\nbackground:0,0,0::\ncar:250,50,83::\ntruck:1,2,3::\n"
    root = clutter(put(tmp_path, **files))
    found, balance, survey = read(root)
    assert sum(map(len, found.values())) == 30
    assert [spec.classes for spec in survey.specs] == [("car", "truck")] * 2
    assert boxes(survey)[found["train"][0]] == [(0, 10.5, 5, 30.25, 25)]
    assert balance.annotations_aside == {"an attribute of an object": 30}
    assert not balance.lost


def test_cvat_subsets_that_are_no_split_are_told(tmp_path, read):
    files = {**PUBLISHED, "ImageSets/Main/batch1.txt": "c\n"}
    found, balance, _ = read(put(tmp_path / "one", **files))
    assert found["train"] == ["a.jpg"]
    assert balance.aside["a list that is no split"] == ["ImageSets/Main/batch1.txt"]
    own = {name: content for name, content in PUBLISHED.items() if "/Main/" not in name}
    own |= {"ImageSets/Main/batch1.txt": "a\nb\n", "ImageSets/Main/batch2.txt": "c\n"}
    with pytest.raises(pipelines.DataError, match=r"no list train.txt, .* It has batch1.txt, batch2.txt: rename"):
        pipelines.load(str(put(tmp_path / "two", **own)))
    own |= {"ImageSets/Main/Train.txt": '"a"\n', "ImageSets/Main/Validation.txt": "b 1\n"}
    assert read(put(tmp_path / "three", **own))[0] == {"train": ["a.jpg"], "validation": ["b.jpg"]}


def test_roboflow_has_xml_beside_the_pictures_in_folders_of_splits_with_polygons(tmp_path, read):
    outline = "<polygon><x1>10</x1><y1>5</y1><x2>30</x2><y2>5</y2><x3>30</x3><y3>25</y3></polygon>"
    dog = thing("dog", (11, 6, 30, 25), f"<pose>Unspecified</pose>{outline}")
    files = {
        "train/a_jpg.rf.1.jpg": None,
        "train/a_jpg.rf.1.xml": page(dog, filename="a_jpg.rf.1.jpg"),
        "valid/b_jpg.rf.2.JPG": None,
        "valid/b_jpg.rf.2.XML": page(dog, filename="b_jpg.rf.2.jpg"),
        "README.roboflow.txt": "x",
    }
    found, balance, survey = read(clutter(put(tmp_path, **files)))
    assert found == {"train": ["a_jpg.rf.1.jpg"], "validation": ["b_jpg.rf.2.JPG"]}
    assert boxes(survey) == {"a_jpg.rf.1.jpg": [(0, 10, 5, 30, 25)]}
    assert survey.specs[2].classes == ("background", "dog")
    assert survey.splits["train"].counts["segmentation"].classes[1] in range(180, 221)  # half of 20 x 20
    assert not balance.lost


@pytest.mark.parametrize("folders", [("", ""), ("images/", "Annotations/"), ("images/", "annotations/"), ("p/", "x/")])
def test_xml_files_are_matched_by_their_own_name_wherever_they_lie(tmp_path, read, folders):
    pictures, xmls = folders
    stray = {f"{pictures}a.jpg": None, f"{pictures}b.png": None, "deep.xml": "<settings/>", "other.json": "{}"}
    other = (
        page(CAR, filename="other.jpg", head="<path>C:\\Users\\x\\other.jpg</path>")
        .replace("<path>", "<!--")
        .replace("</path>", "-->")
    )
    root = clutter(put(tmp_path, **stray, **{f"{xmls}a.xml": other, f"{xmls}b.xml": B}))
    found, balance, survey = read(root, splits=["train"])
    assert found == {"train": ["a.jpg", "b.png"]}
    assert boxes(survey) == {"a.jpg": [(0, 10, 5, 30, 25)], "b.png": [(1, 40, 30, 56, 34)]}
    assert set(balance.lost) == {"deep.xml", "other.json"}


def test_an_xml_without_a_picture_of_its_name_is_that_of_the_file_it_names(tmp_path, read):
    files = {"images/cat one.jpg": None, "labels/1.xml": page(CAT, filename="D:\\data\\cat one.jpg")}
    assert boxes(read(put(tmp_path, **files), splits=["train"])[2]) == {"cat one.jpg": [(0, 40, 30, 56, 34)]}
    put(tmp_path, **{"labels/2.xml": page(CAT, filename="nothing.jpg")})
    with pytest.raises(pipelines.DataError, match=r"2.xml' has no image of its name"):
        pipelines.load(str(tmp_path), splits=["train"])


def test_oxford_pets_have_lists_beside_the_xml_and_trimaps_that_are_no_classes(tmp_path, read):
    files = {f"images/Abyssinian_{i}.jpg": None for i in range(3)}
    files |= {f"annotations/xmls/Abyssinian_{i}.xml": page(CAT) for i in range(2)}
    files |= {f"annotations/trimaps/Abyssinian_{i}.png": np.full((40, 60), 2) for i in range(3)}
    files["annotations/trainval.txt"] = "Abyssinian_0 1 1 1\nAbyssinian_1 1 1 1\n"
    files["annotations/test.txt"] = "Abyssinian_2 1 1 1\n"
    files["annotations/list.txt"] = "#Image CLASS-ID SPECIES\nAbyssinian_0 1 1 1\n"
    found, balance, survey = read(put(tmp_path, **files))
    assert found == {"train": ["Abyssinian_0.jpg", "Abyssinian_1.jpg"], "test": ["Abyssinian_2.jpg"]}
    assert survey.splits["test"].counts["detection"].labelled == 0
    assert len(balance.aside["a trimap, whose values are no classes; data.source=folder reads them"]) == 3
    assert not balance.lost


def test_splits_may_be_folders_of_the_pictures_and_of_the_xml(tmp_path, read):
    files = {"images/train/a.jpg": None, "images/val/a.jpg": None}
    files |= {"annotations/train/a.xml": A, "annotations/val/a.xml": B}
    found, _, survey = read(put(tmp_path, **files))
    assert found == {"train": ["a.jpg"], "validation": ["a.jpg"]}
    assert len(boxes(survey, "validation")["a.jpg"]) == 1


def test_a_link_to_the_pictures_elsewhere_is_followed(tmp_path, read):
    put(tmp_path / "elsewhere", **{"a.jpg": None})
    root = put(tmp_path / "data", **{"Annotations/a.xml": A})
    (root / "JPEGImages").symlink_to(tmp_path / "elsewhere")
    found, balance, _ = read(root, splits=["train"])
    assert (found, balance.lost) == ({"train": ["a.jpg"]}, {})


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"annotations.xml": "<annotations><image name='a.jpg'/></annotations>", "a.jpg": None}, "is no Pascal VOC"),
        ({"Annotations/a.xml": A}, "lacks its images: expected JPEGImages/"),
        ({"SegmentationClass/a.png": np.zeros((4, 4)), "labelmap.txt": "a:::"}, "lacks its images.*'Save images'"),
        ({"train/a.jpg": None, "train/a.xml": A, "Train/b.jpg": None, "Train/b.xml": B}, "both are split 'train'"),
    ],
)
def test_what_cannot_be_read_is_told(tmp_path, files, message):
    root = put(tmp_path, **files)
    with pytest.raises(pipelines.DataError, match=message):
        pipelines.load("voc", path=root, splits=["train"])


def test_what_labelme_converts_to_voc_has_its_classes_and_corners(tmp_path, read):
    empty = thing("dog", (10.5, 5, 30, 25), "<pose/><truncated/><difficult/>")
    files = {"JPEGImages/a.jpg": None, "Annotations/a.xml": page(empty), "SegmentationClass/a.npy": "x"}
    files |= {"SegmentationClassPNG/a.png": np.full((40, 60), 2), "SegmentationClassVisualization/a.jpg": None}
    files["class_names.txt"] = "_background_\ncat\ndog\n"
    _, balance, survey = read(put(tmp_path, **files), splits=["train"])
    assert boxes(survey) == {"a.jpg": [(1, 10.5, 5, 30, 25)]}
    assert [spec.classes for spec in survey.specs[1:]] == [("cat", "dog"), ("background", "cat", "dog")]
    assert survey.splits["train"].counts["segmentation"].classes.tolist() == [0, 0, 2400]
    assert not balance.lost


def test_an_xml_that_names_another_image_that_is_there_is_told(tmp_path, read):
    files = {"a.jpg": None, "b.jpg": None, "a.xml": page(CAR, filename="b.jpg"), "b.xml": B}
    _, _, survey = read(put(tmp_path, **files), splits=["train"])
    assert boxes(survey)["a.jpg"] == [(0, 10, 5, 30, 25)]
    assert "1 XML file has the name of one image and another's as <filename>" in survey.notes[0]


def test_an_empty_folder_of_lists_is_none(tmp_path, read):
    (tmp_path / "ImageSets" / "Main").mkdir(parents=True)
    files = {"JPEGImages/a.jpg": None, "Annotations/a.xml": A}
    assert read(put(tmp_path, **files), splits=["train"])[0] == {"train": ["a.jpg"]}


def test_one_list_for_two_splits_is_told(tmp_path):
    put(tmp_path, **{**PUBLISHED, "ImageSets/Main/val.txt": "a\n"})
    with pytest.warns(UserWarning, match=r"1 image is in several splits, as '.*a.jpg' in 'train' and 'validation'"):
        pipelines.load(str(tmp_path), batch_size=1, tasks=["detection"])


def test_a_list_that_is_empty_is_said_to_be(tmp_path):
    put(tmp_path, **{**PUBLISHED, "ImageSets/Main/train.txt": "\n"})
    with pytest.raises(pipelines.DataError, match=r"Main/train.txt' is empty: expected the names of images"):
        pipelines.load(str(tmp_path), batch_size=1)


def test_pictures_without_a_file_of_labels_are_told_apart(read, tmp_path):
    _, balance, _ = read(put(tmp_path, **{"a.jpg": None, "a.xml": A, "b.jpg": None}), splits=["train"])
    assert balance.used == {"image of train": 1, "image of train, not labelled": 1, "annotations": 1}


def test_a_split_that_nobody_labelled_is_told(tmp_path):
    files = {"train/a.jpg": None, "train/a.xml": A, "valid/b.jpg": None, "valid/b.xml": B, "test/c.jpg": None}
    put(tmp_path, **files)
    with pytest.warns(UserWarning, match="Split 'test' of .* has no labels: none of its 1 images has any, and"):
        data = pipelines.load(str(tmp_path), batch_size=1, splits=["train", "validation", "test"])
    assert data.sizes == {"train": 1, "validation": 1, "test": 1}
    assert not data.accounts[0].balance().lost
