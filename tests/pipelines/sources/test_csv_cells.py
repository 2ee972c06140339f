"""Class columns and columns of class names, in the words that people and tools write; and columns that are not used."""

import pytest

import pipelines


@pytest.fixture
def read(tabled, sample):
    """A function that reads a table of `a.jpg` to `d.jpg`: the spec, the label and weight of each image, the notes."""

    def read(text, **options):
        source, notes = tabled(text, **options)
        rows = [sample(source, index=k) for k in range(len(source.splits["train"].shapes))]
        labels = [labels["classification"].tolist() for labels, _ in rows]
        weights = [weights["classification"] for _, weights in rows]
        return source.specs[0], labels, weights, notes

    return read


@pytest.mark.parametrize(
    ("yes", "no", "none"),
    [
        ("1", "0", ""),
        ("1.0", "0.0", ""),
        ("True", "False", ""),
        ("TRUE", "false", "NA"),
        ("yes", "No", "nan"),
        ("1", "0", "null"),
    ],
)
def test_class_columns_in_any_words(read, yes, no, none):
    spec, labels, weights, notes = read(f"image,cat,wet\na.jpg,{yes},{no}\nb.jpg,{none},{yes}\nc.jpg,{none},{none}\n")
    assert (spec.kind, spec.classes) == ("multi_label", ("cat", "wet"))
    assert labels == [[1, 0], [-1, 1], [-1, -1]]
    assert weights == [1, 1, 0]
    assert any(f"cells of {none} are read as empty" in note for note in notes) is bool(none)


def test_minus_one_is_uncertain_where_0_is_absent(read):
    text = "Path,Sex,Age,No Finding,Edema\nCheXpert-small/train/a.jpg,Male,68,1.0,\nCheXpert-small/train/b.jpg,Female,"
    text += "87,,-1.0\nCheXpert-small/train/c.jpg,Female,83,,0.0\n"
    spec, labels, _, notes = read(text)
    assert spec.classes == ("No Finding", "Edema")
    assert labels == [[1, -1], [-1, -1], [-1, 0]]
    told = " ".join(notes)
    assert "cells of -1 are read as unknown, as 0 is there for what is absent" in told
    assert "columns not used: Sex (2 different words); Age (a number of its own in each row)" in told
    assert "paths begin with 'CheXpert-small/train', which is not here" in told


def test_minus_one_is_absent_where_all_else_is_1(read):
    spec, labels, _, notes = read("image_id,Bald,Smiling\na.jpg,-1,1\nb.jpg,1,-1\n")
    assert (spec.classes, labels) == (("Bald", "Smiling"), [[0, 1], [1, 0]])
    assert any("cells of -1 are read as 0, absent, as every other cell is 1" in note for note in notes)


def test_minus_one_beside_1_and_nothing_is_refused_until_it_is_told(read):
    text = "image,cat,wet\na.jpg,-1,1\nb.jpg,,1\nc.jpg,1,1\n"
    with pytest.raises(pipelines.DataError, match=r'option values, as {"-1": 0} or {"-1": null}'):
        read(text)
    assert read(text, values={"-1": 0})[1] == [[0, 1], [-1, 1], [1, 1]]
    assert read(text, values={"-1": None})[1] == [[-1, 1], [-1, 1], [1, 1]]
    with pytest.raises(pipelines.DataError, match="Option values says that '-1' means 'no': expected 1, 0 or null"):
        read(text, values={"-1": "no"})


def test_columns_of_which_each_row_has_one_stay_classes_together_and_it_is_told(read):
    spec, labels, _, notes = read("image,MEL,NV\na,1.0,0.0\nb,0.0,1.0\n")
    assert (spec.kind, spec.classes, labels) == ("multi_label", ("MEL", "NV"), [[1, 0], [0, 1]])
    assert any("every row has 1 in one of 2 class columns" in note for note in notes)


def test_numbers_are_names_in_the_order_of_the_numbers(read):
    spec, labels, _, notes = read("image_id,label\na.jpg,10\nb.jpg,2\nc.jpg,0\nd.jpg,10\n")
    assert (spec.kind, spec.classes, labels) == ("classification", ("0", "2", "10"), [2, 1, 0, 2])
    assert any("column 'label' holds numbers, which are class names" in note for note in notes)
    spec, labels, weights, _ = read("image_id,label\na.jpg,1.0\nb.jpg,\nc.jpg,0.0\n")
    assert (spec.classes, labels, weights) == (("0", "1"), [1, 0, 0], [1, 0, 1])


def test_measured_numbers_are_no_classes(read):
    with pytest.raises(pipelines.DataError, match="column 'label' holds numbers such as 0.25, which are no classes"):
        read("image,label\na.jpg,0.25\nb.jpg,0.5\n")


@pytest.mark.parametrize(
    ("column", "cells"),
    [
        ("label", ["cat|dog", "cat", "dog"]),
        ("label", ["cat;dog", "cat", "dog"]),
        ("label", ['"cat,dog"', "cat", "dog"]),
        ("label", ["\"['cat', 'dog']\"", "['cat']", "['dog']"]),
        ("tags", ["cat dog", "cat", "dog"]),
    ],
)
def test_several_classes_in_a_cell_are_known_by_the_whole_column(read, column, cells):
    rows = "".join(f"{stem}.jpg,{cell}\n" for stem, cell in zip("abc", cells, strict=True))
    spec, labels, weights, notes = read(f"image,{column}\n{rows}d.jpg,\n")
    assert (spec.kind, spec.classes) == ("multi_label", ("cat", "dog"))
    assert labels == [[1, 1], [1, 0], [0, 1], [-1, -1]]
    assert weights == [1, 1, 1, 0]
    assert any("several classes" in note for note in notes)


def test_what_may_be_one_class_or_several_is_refused_until_it_is_told(read):
    text = "image,label\na.jpg,red car\nb.jpg,red\nc.jpg,car\n"
    with pytest.raises(
        pipelines.DataError, match="column 'label': 'red car' may be one class or several: say which by"
    ):
        read(text)
    assert read(text, separator="")[0].classes == ("car", "red", "red car")
    assert read(text, separator=" ")[1] == [[1, 1], [0, 1], [1, 0]]
    assert read("image,label\na.jpg,golden retriever\nb.jpg,pug\n")[0].classes == ("golden retriever", "pug")
    with pytest.raises(pipelines.DataError, match="'Smith; John' may be one class or several"):
        read("image,label\na.jpg,Smith; John\nb.jpg,pug\n")


def test_words_that_recur_in_a_column_of_tags_may_be_several_classes(read):
    text = "image,tags\na.jpg,haze primary\nb.jpg,clear water\nc.jpg,haze\n"
    with pytest.raises(pipelines.DataError, match="'clear water' may be one class or several: say which by option sep"):
        read(text)
    assert read(text, separator=" ")[0].classes == ("clear", "haze", "primary", "water")
    assert read(text, separator="")[0].classes == ("clear water", "haze", "haze primary")


def test_json_of_label_studio_is_told(read):
    with pytest.raises(pipelines.DataError, match="column 'label' holds JSON, as Label Studio writes it"):
        read('image,label\na.jpg,"[{""x"": 1, ""rectanglelabels"": [""cat""]}]"\n')


def test_two_columns_of_classes_stop_unless_they_say_the_same(read):
    with pytest.raises(pipelines.DataError, match="columns 'label' and 'class' could both be the class: say which by"):
        read("image,label,class\na.jpg,x,cat\nb.jpg,y,dog\nc.jpg,x,dog\n")
    spec, _, _, notes = read("image,label,class\na.jpg,x,cat\nb.jpg,x,dog\n")
    assert spec.classes == ("cat", "dog")
    assert any("columns not used: label ('x' in every row)" in note for note in notes)
    spec, _, _, notes = read("image,class_id,class_name\na.jpg,4,cat\nb.jpg,7,dog\n")
    assert spec.classes == ("cat", "dog")
    assert any("columns not used: class_id" in note for note in notes)


def test_every_column_that_is_not_used_is_named_with_the_reason(read):
    text = "Unnamed: 0,image,label,empty,fold,dx_type,wet,age\n"
    text += "0,a.jpg,cat,,0,histo,1,40\n1,b.jpg,dog,,1,histo,0,40.5\n2,c.jpg,dog,,2,histo,0,70\n"
    _, _, _, notes = read(text)
    assert notes == [
        notes[0][: notes[0].index("columns")]
        + "columns not used: Unnamed: 0 (a number of its own in each row); empty (empty); "
        "fold (folds, no splits: name one as split by a column of train and val); dx_type ('histo' in every row); "
        "wet (yes or no; labels=[...] reads such columns); age (3 different numbers)."
    ]


def test_a_table_without_labels_names_the_column_that_may_be_them(read):
    with pytest.raises(pipelines.DataError, match="Column 'mood' has 2 different words: label=mood would read it"):
        read("image,mood\na.jpg,glad\nb.jpg,sad\nc.jpg,sad\nd.jpg,sad\n")


def test_splits_in_any_case_or_as_fastai_has_them_and_numbers_are_refused(read, ask, names):
    three = {"splits": ("train", "validation")}
    read("image,label,Set\na.jpg,cat,Train\nb.jpg,cat,VALIDATION\nc.jpg,cat,dev\n", **three)
    source, _ = ask("csv", **three)
    assert (names(source), names(source, "validation")) == (["a.jpg"], ["b.jpg", "c.jpg"])
    read("fname,labels,is_valid\na.jpg,cat,False\nb.jpg,cat,True\n", **three)
    assert names(ask("csv", **three)[0], "validation") == ["b.jpg"]
    with pytest.raises(pipelines.DataError, match="line 2: split is '0', expected train, val or test"):
        read("image,label,split\na.jpg,cat,0\nb.jpg,cat,1\n")
    with pytest.raises(pipelines.DataError, match="column 'is_train' seems to tell splits"):
        read("image,label,is_train\na.jpg,cat,0\nb.jpg,cat,1\n")


def test_what_cells_mean_is_a_mapping(read):
    with pytest.raises(pipelines.DataError, match="Option values is 'x': expected what cells mean, as {cell: 1, 0 or"):
        read("image,cat\na.jpg,1\nb.jpg,x\n", labels=["cat"], values="x")


def test_a_row_that_is_neither_of_train_nor_of_validation_is_told(read):
    with pytest.raises(pipelines.DataError, match="line 3: is_valid is '', expected 1 or 0"):
        read("image,label,is_valid\na.jpg,cat,0\nb.jpg,dog,\nc.jpg,dog,1\n")
