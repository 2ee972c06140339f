"""XML of Pascal VOC as it is met in the wild: read as meant, told, or refused in a sentence."""

import pytest
from voc_files import page, put, thing

import pipelines

CAR = thing("car", (11, 6, 30, 25))
READ = (0, 10, 5, 30, 25)


@pytest.fixture
def read(tmp_path):
    """A function that reads one picture with this XML, and returns its boxes, what was told, and the account."""

    def read(content, more=None, **options):
        put(tmp_path, **{"JPEGImages/a.jpg": None, "Annotations/a.xml": content, **(more or {})})
        survey = pipelines.survey("voc", tmp_path, splits=["train"], **options)
        (example,) = survey.examples(1, (40, 60))
        label = example.labels["detection"]
        rows = zip(label["classes"][0].tolist(), label["boxes"][0].tolist(), strict=True)
        account = survey.source.accounts[0].balance()
        return [(c, *box) for c, box in rows if c != -1], survey.notes + survey.skipped, account

    return read


@pytest.mark.parametrize(
    "content",
    [
        page(CAR, head="\ufeff"),
        page(CAR, head='<?xml version="1.0" encoding="ISO-8859-1"?>')
        .replace("<folder>f", "<folder>Straße")
        .encode("latin-1"),
        page(CAR, head='<?xml version="1.0" encoding="gb2312"?>').replace("<folder>f", "<folder>车").encode("gb2312"),
        page(CAR, head='<?xml version="1.0" encoding="utf-16"?>').encode("utf-16"),
        page(CAR, head="<?xml version='1.0'?><!DOCTYPE annotation SYSTEM 'voc.dtd'>\r\n"),
        page(CAR).replace("<annotation>", '<annotation xmlns="http://example.org/voc" verified="yes">'),
        page(CAR, size=None),
        page(CAR, size=(0, 0)),
        page(CAR).replace("<width>60</width>", "<width/>"),
        page(thing("car", (11, 6, 30, 25), "<difficult/><truncated>Unspecified</truncated>")),
        page(thing("car", (11, 6, 30, 25), "<difficult>Unspecified</difficult><pose></pose>")),
        page(thing(" car\n", (11, 6, 30, 25), "<difficult>False</difficult>")),
        page(thing("car", ("11.0", " 6 ", "3.0e1", 25))),
        page(CAR).replace(
            "<xmin>11</xmin><ymin>6</ymin><xmax>30</xmax>", "<xmax>30</xmax><ymin>6</ymin><xmin>11</xmin>"
        ),
    ],
)
def test_what_says_the_same_is_read_the_same_and_nothing_is_told(read, content):
    rows, told, account = read(content)
    assert (rows, told) == ([READ], [])
    assert account.annotations.total() == account.annotations_used == 1


def test_text_in_latin_1_that_does_not_say_so_is_read_with_a_note(read):
    rows, told, _ = read(page(CAR).replace("<folder>f", "<folder>Straße").encode("latin-1"))
    assert rows == [READ]
    assert "is read as Latin-1" in told[0]


@pytest.mark.parametrize(
    ("box", "row", "told"),
    [
        ((30, 25, 11, 6), READ, "1 box with xmin above xmax or ymin above ymax, taken in order"),
        (
            (0, 0, 30, 25),
            (0, 0, 0, 30, 25),
            "1 box with a corner at 0 where VOC counts pixels from 1, cut at the edge: set the option",
        ),
        ((11, 6, 61, 25), (0, 10, 5, 60, 25), None),
        ((11.5, 6, 11, 25), (0, 10, 5, 11.5, 25), "with xmin above xmax"),
        ((12.5, 6, 12.5, 25), (0, 11.5, 5, 12.5, 25), None),
    ],
)
def test_what_is_odd_about_a_box_is_counted_and_told(read, box, row, told):
    rows, notes, account = read(page(thing("car", box)))
    assert rows == [row]
    assert (account.annotations_altered.get("cut at the picture's edge") == 1) == (61 in box)
    assert (not notes) if told is None else told in notes[0]


def test_a_box_of_less_than_a_pixel_is_told(read):
    rows, notes, _ = read(page(thing("car", (11.2, 6, 11.5, 25))), first_pixel=0)
    assert len(rows) == 1
    assert "1 box is under one pixel wide or high" in notes[0]


def test_corners_may_be_said_to_count_from_zero(read):
    assert read(page(thing("car", (0, 6, 30, 25))), first_pixel=0)[:2] == ([(0, 0, 6, 30, 25)], [])
    with pytest.raises(pipelines.DataError, match="Option first_pixel is 2: expected 0 or 1"):
        read(page(CAR), first_pixel=2)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (thing("car", (0.1, 0.2, 0.5, 0.6)), r"object 1: bndbox of 'car' is 0.1, .*: fractions of 1, expected pixels"),
        (thing("car", (50, 6, 90, 25)), r"object 1: bndbox of 'car' is 50, 6, 90, 25: .* lies outside its image"),
        ("<object><name>car</name></object>", r"object 1: 'car' has no bndbox, expected one"),
        (CAR.replace("</object>", "<bndbox/></object>"), r"object 1: 'car' has 2 bndbox, expected one"),
        (CAR.replace("</object>", "<polygon><x1>1</x1><y1>1</y1></polygon></object>"), "polygon has 1 points"),
    ],
)
def test_a_wrong_object_stops_or_costs_itself_alone(read, content, message, tmp_path):
    good = thing("car", (11, 6, 30, 25))
    rows, told, account = read(page(content, good))
    assert rows == [READ]
    assert len(told) == 1
    assert (account.annotations_used, account.annotations_lost.total()) == (1, 1)
    with pytest.raises(pipelines.DataError, match=message):
        pipelines.load("voc", path=tmp_path, splits=["train"])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('<!DOCTYPE a [<!ENTITY x "xxx">]>' + page(CAR), "declares XML entities, which no annotation needs"),
        (b"", "is not valid XML: it is empty"),
        (b"\0\0\0", "is no text"),
        ("<annotations/>", "is XML of <annotations>, expected <annotation>, the XML of CVAT for images: export it as"),
        ("<html/>", "is XML of <html>, expected <annotation>"),
        (page(CAR)[:-20], "is not valid XML, it may be cut off"),
        (page(CAR).replace("<width>60", "<width>sixty"), "size/width is 'sixty', expected a number"),
    ],
)
def test_a_file_that_is_no_annotation_of_an_image_is_told(tmp_path, content, message):
    put(tmp_path, **{"JPEGImages/a.jpg": None, "JPEGImages/b.jpg": None})
    put(tmp_path, **{"Annotations/a.xml": content, "Annotations/b.xml": page(CAR)})
    with pytest.raises(pipelines.DataError, match=f"a.xml'.*{message}"):
        pipelines.load("voc", path=tmp_path, splits=["train"])
    survey = pipelines.survey("voc", tmp_path, splits=["train"])
    assert len(survey.skipped) == 1
    assert {*survey.source.accounts[0].balance().lost} == {"JPEGImages/a.jpg", "Annotations/a.xml"}


def test_a_set_of_which_nothing_is_left_says_why_the_first_was_not(tmp_path):
    put(tmp_path, **{"JPEGImages/a.jpg": None, "Annotations/a.xml": page(thing("car", (0.1, 0.2, 0.5, 0.6)))})
    with pytest.raises(pipelines.DataError, match=r"neither objects .* The first of 1 problems: .*fractions of 1"):
        pipelines.load("voc", path=tmp_path, splits=["train"], on_error="skip")


def test_parts_of_an_object_are_no_objects_and_attributes_are_set_aside(read):
    head = "<part><name>head</name><bndbox><xmin>12</xmin><ymin>7</ymin><xmax>15</xmax><ymax>9</ymax></bndbox></part>"
    actions = "<actions><jumping>1</jumping></actions><segmentation>RLE</segmentation>"
    rows, told, account = read(page(CAR.replace("</object>", f"{head}{actions}</object>")))
    assert (rows, told) == ([READ], [])
    assert account.annotations_aside == {
        "a part of an object, as a head or a hand": 1,
        "<actions> of an object": 1,
        "<segmentation> of an object": 1,
    }


def test_polygons_of_the_web_tool_labelme_are_boxes_and_outlines(read):
    points = "".join(f"<pt><x>{x}</x><y>{y}</y></pt>" for x, y in ((10, 5), (30, 5), (30, 25), (10, 25)))
    drawn = f"<object><name>car</name><deleted>0</deleted><polygon>{points}</polygon></object>"
    gone = drawn.replace("<deleted>0", "<deleted>1")
    rows, _, account = read(page(drawn, gone))
    assert rows == [READ]
    assert account.annotations_aside == {"an object marked as deleted": 1}


def test_an_empty_annotation_is_an_image_without_objects(read):
    more = {"JPEGImages/b.jpg": None, "Annotations/b.xml": page(CAR)}
    assert read("<annotation/>", more)[0] == []


def test_class_names_keep_their_spaces_and_two_that_differ_in_case_alone_are_told(read):
    rows, told, _ = read(page(thing("traffic light", (11, 6, 30, 25)), CAR, thing("Car", (11, 6, 30, 25))))
    assert sorted(row[0] for row in rows) == [0, 1, 2]
    assert "'Car' and 'car'" in told[0]
