"""CSV files: the three kinds of columns, splits, and what is said of broken lines."""

import pytest

import pipelines


@pytest.fixture
def table(tmp_path, picture):
    """A function that writes a CSV file, and pictures `images/a.jpg` to `images/d.jpg`."""

    def write(text, name="labels.csv", **options):
        for stem in "abcd":
            picture(f"images/{stem}.jpg")
        (tmp_path / "data" / name).write_text(text, encoding=options.get("encoding", "utf-8"))

    return write


def test_a_column_of_class_names_and_an_empty_cell(table, ask, sample):
    table("image,label\na.jpg,cat\nb.jpg,dog\nc.jpg,\n")
    source, _ = ask("csv")
    assert [(s.name, s.kind, s.classes) for s in source.specs] == [("classification", "classification", ("cat", "dog"))]
    rows = [sample(source, index=i) for i in range(3)]
    assert [(int(labels["classification"]), weights["classification"]) for labels, weights in rows] == [
        (0, 1),
        (1, 1),
        (0, 0),
    ]


def test_columns_of_0_and_1_are_classes_and_nothing_is_unknown(table, ask, sample):
    table("filename;sunny;wet;remark\nimages/a.jpg;1;0;bright\nb.jpg;;1;\nc.jpg;;;none\n", encoding="utf-8-sig")
    source, _ = ask("csv")
    assert [(s.name, s.kind, s.classes) for s in source.specs] == [("classification", "multi_label", ("sunny", "wet"))]
    rows = [sample(source, index=i) for i in range(3)]
    assert [labels["classification"].tolist() for labels, _ in rows] == [[1, 0], [-1, 1], [-1, -1]]
    assert [weights["classification"] for _, weights in rows] == [1, 1, 0]
    assert ask("csv", labels=["wet"])[0].specs[0].classes == ("wet",)


def test_a_row_a_box_and_a_row_of_an_image_without_objects(table, ask, sample, names):
    table(
        "image,xmin,ymin,xmax,ymax,class\n"
        "a.jpg,10,5,30,25,dog\nb.jpg,,,,,\na.jpg,40,30,56.5,34,cat\n"
    )  # fmt: skip
    source, _ = ask("csv")
    assert [(s.name, s.kind, s.classes) for s in source.specs] == [
        ("classification", "multi_label", ("cat", "dog")),
        ("detection", "detection", ("cat", "dog")),
    ]
    assert names(source) == ["a.jpg", "b.jpg"]
    labels, weights = sample(source)
    assert labels["detection"] == [(1, 10, 5, 30, 25), (0, 40, 30, 56.5, 34)]
    assert labels["classification"].tolist() == [1, 1]
    labels, weights = sample(source, index=1)
    assert (labels["detection"], labels["classification"].tolist()) == ([], [0, 0])
    assert weights == {"classification": 1, "detection": 1}


def test_columns_of_classes_may_stand_beside_boxes(table, ask, sample, names):
    rows = "image,xmin,ymin,xmax,ymax,label,wet\na.jpg,10,5,30,25,dog,1\na.jpg,1,1,9,9,dog,1\nb.jpg,,,,,,0\n"
    table(rows)
    source, _ = ask("csv", labels=["wet"])
    assert [(s.name, s.classes) for s in source.specs] == [("classification", ("wet",)), ("detection", ("dog",))]
    labels, _ = sample(source)
    assert (labels["classification"].tolist(), len(labels["detection"])) == ([1], 2)
    table(rows + "a.jpg,2,2,9,9,dog,0\n")
    with pytest.raises(pipelines.DataError, match="line 5: the classes of the image are not those of line 2"):
        ask("csv", labels=["wet"])


def test_a_column_split_makes_the_splits(table, ask, names):
    table("image,label,split\na.jpg,cat,train\nb.jpg,cat,val\nc.jpg,cat,train\n")
    source, _ = ask("csv", splits=("train", "validation", "test"))
    assert (names(source), names(source, "validation")) == (["a.jpg", "c.jpg"], ["b.jpg"])


def test_a_file_may_be_named_and_each_split_may_have_its_own(table, ask, names):
    table("image,label\na.jpg,cat\n", name="train.csv")
    table("image,label\nb.jpg,cat\nc.jpg,cat\n", name="val.csv")
    source, _ = ask("csv", splits=("train", "validation"))
    assert (names(source), names(source, "validation")) == (["a.jpg"], ["b.jpg", "c.jpg"])
    source, _ = ask("csv", at="data/val.csv", splits=("test",), images="images")
    assert names(source, "test") == ["b.jpg", "c.jpg"]


def test_columns_may_be_named(table, ask, names):
    table("Bild,Art,label\na.jpg,cat,x\n")
    source, _ = ask("csv", image="Bild", label="Art")
    assert source.specs[0].classes == ("cat",)
    with pytest.raises(pipelines.DataError, match=r"labels.csv': line 1: column 'Bld'. Did you mean 'Bild'\?"):
        ask("csv", image="Bld")


def test_a_table_without_splits_is_divided_and_nothing_is_lost(table, ask, names, picture):
    for i in range(30):
        picture(f"images/bild {i} ß.jpg")
    table("image,label\n" + "".join(f"bild {i} ß.jpg,cat\n" for i in range(30)))
    source, _ = ask("csv", splits=("train", "validation", "test"))
    assert sum(len(names(source, split)) for split in source.splits) == 30


BOXES = "image,x_min,y_min,x_max,y_max,label\na.jpg,1,1,9,9,cat\n"
TWO_SPLITS = "image,xmin,ymin,xmax,ymax,label,split\na.jpg,1,1,9,9,cat,train\na.jpg,1,1,9,9,cat,val\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (BOXES + "b.jpg,nan,5,30,25,cat", r"line 3: box \(nan, 5, 30, 25\) is not finite"),
        (BOXES + "b.jpg,30,5,10,25,cat", r"line 3: box \(30, 5, 10, 25\) has no area"),
        (BOXES + "b.jpg,50,5,70,25,cat", r"line 3: box \(50, 5, 70, 25\) lies outside its image of 60 x 40"),
        (BOXES + "b.jpg,left,5,70,25,cat", r"line 3: x_min is 'left', expected a number"),
        (BOXES + "b.jpg,1,5,,25,cat", r"line 3: x_max is empty, but other corners are not"),
        (BOXES + "b.jpg,1,5,7,25,", r"line 3: label is empty, but the box is not"),
        (BOXES + "b.jpg,,,,,cat", r"line 3: label is 'cat', but the corners of its box are empty"),
        ("image,label\na.jpg,cat\n../b.jpg,cat", r"line 3: image '../b.jpg' leads out of the image folder"),
        ("image,label\na.jpg,cat\n/etc/e.jpg,cat", r"line 3: picture '/etc/e.jpg' is missing"),
        ("image,label\na.jpg,cat\n,cat", r"line 3: image is empty"),
        ("image,label\na.jpg,cat\na.jpg,dog", r"line 3: image 'a.jpg' is given twice, first in line 2"),
        ("image,label,split\na.jpg,cat,train\nb.jpg,cat,tran", r"line 3: split is 'tran', expected train, val or test"),
        (TWO_SPLITS, r"line 3: image 'a.jpg' is in split validation, but in train in line 2"),
        ("image,label\na.jpg,cat\nmissing.jpg,cat", r"missing.jpg' is missing"),
    ],
)
def test_a_broken_line_is_told_with_its_number_or_skipped(table, ask, names, text, message):
    table(text)
    with pytest.raises(pipelines.DataError, match=message):
        ask("csv")
    source, skipped = ask("csv", on_error="skip")
    assert len(skipped) == 1
    assert names(source)[0] == "a.jpg"


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("", {}, r"labels.csv' is empty: expected a line of column names"),
        ("image,label\n", {}, r"labels.csv' is empty"),
        ('image,label\n"a.jpg,cat\n', {}, r"line \d is no CSV, it may be cut off"),
        ("image,label\na.jpg\n", {}, r"line 2 has 1 cells, but line 1 2"),
        ("image,image\na.jpg,x\n", {}, r"line 1: two columns have one name"),
        ("thing,label\nx,x\n", {}, r"line 1: column of the image files is missing: expected one called image"),
        ("image,kind\na.jpg,x\n", {}, r"line 1: column of labels is missing"),
        ("image,wet\na.jpg,2\n", {"labels": ["wet"]}, r"line 2: wet is '2', expected 1, 0 or nothing"),
        ("image,label\na.jpg,\n", {}, r"column 'label' has no class name"),
        ("image,label\na.jpg,x\n", {"images": "photos"}, r"Folder '.*photos' of the images does not exist"),
    ],
)
def test_a_file_that_is_no_table_of_labels_is_told(table, ask, text, options, message):
    table(text)
    with pytest.raises(pipelines.DataError, match=message):
        ask("csv", **options)


def test_a_file_of_another_encoding_is_read_with_a_note_and_two_files_are_told(table, ask, tmp_path):
    table("image,label\na.jpg,Bär\n", encoding="latin-1")
    with pytest.warns(UserWarning, match=r"labels.csv' is no text in UTF-8: it is read as Latin-1"):
        source, _ = ask("csv")
    assert source.specs[0].classes == ("Bär",)
    (tmp_path / "data" / "labels.csv").write_bytes(b"image,label\0\n")
    with pytest.raises(pipelines.DataError, match=r"labels.csv' is no text: it has bytes of value 0"):
        ask("csv")
    table("image,label\na.jpg,cat\n")
    table("image,label\na.jpg,cat\n", name="more.csv")
    with pytest.raises(pipelines.DataError, match=r"must have one CSV file.*it has: labels.csv, more.csv"):
        ask("csv")


def test_splits_of_other_columns_or_classes_are_told(table, ask):
    table("image,label\na.jpg,cat\n", name="train.csv")
    table("image,label\nb.jpg,cot\n", name="val.csv")
    with pytest.raises(pipelines.DataError, match=r"val.csv': line 2: Unknown validation class 'cot'. Did you mean"):
        ask("csv", splits=("train", "validation"))
    table("image,kind,wet\nb.jpg,cat,1\n", name="val.csv")
    with pytest.raises(pipelines.DataError, match=r"val.csv': line 1: the label columns are not those of .*train.csv'"):
        ask("csv", splits=("train", "validation"))


def test_a_column_of_one_word_is_no_class_where_target_tells_more(tabled):
    rows = "".join(f"{stem},unknown,{number % 2}\n" for number, stem in enumerate("abcd"))
    source, _ = tabled(f"image_name,diagnosis,target\n{rows}")
    assert source.specs[0].classes == ("0", "1")


def test_one_class_alone_is_told(tabled):
    source, notes = tabled("image,label\n" + "".join(f"{stem}.jpg,cat\n" for stem in "abcd"))
    assert source.specs[0].classes == ("cat",)
    assert any("all rows are of one class, 'cat': there is nothing to tell apart" in note for note in notes)
