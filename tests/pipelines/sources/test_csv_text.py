"""Tables as programs write them: delimiters, marks, encodings, comments, ends of lines, and files that are none."""

import gzip

import numpy as np
import pytest

import pipelines
from pipelines.sources.csv import grid


@pytest.fixture
def read(tmp_path):
    """A function that reads a text, or bytes, as a table."""

    def read(text, name="labels.csv"):
        (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        return grid.read(tmp_path / name)

    return read


ROWS = [("image", "label"), ("a.jpg", "cat"), ("b c.jpg", "dog")]
PLAIN = {"image": ["a.jpg", "b c.jpg"], "label": ["cat", "dog"]}


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", " , "])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_cells_are_parted_by_any_delimiter_and_lines_by_any_end(read, delimiter, end):
    found = read(end.join(delimiter.join(row) for row in ROWS))
    assert (found.columns, found.cells, found.lines) == (("image", "label"), PLAIN, [2, 3])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings_of_excel_are_read(read, encoding):
    text = "image;label\na.jpg;Bär\n"
    assert read(text.encode(encoding)).cells["label"] == ["Bär"]


@pytest.mark.parametrize(
    ("text", "columns", "cells"),
    [
        ("sep=;\nimage;label\na.jpg;cat\n", ("image", "label"), ["cat"]),
        ('"image","label"\n"a.jpg","cat, wild"\n', ("image", "label"), ["cat, wild"]),
        ("# by hand\n\nimage,label\na.jpg,cat\n# the end\n", ("image", "label"), ["cat"]),
        ("#image,label\na.jpg,cat\n", ("image", "label"), ["cat"]),
        ("image,label,\na.jpg,cat,\n", ("image", "label"), ["cat"]),
        ("image,label\na.jpg,cat,,\n", ("image", "label"), ["cat"]),
        (" Image , Label \n a.jpg , cat \n", ("Image", "Label"), ["cat"]),
        (",image,label\n0,a.jpg,cat\n", ("Unnamed: 0", "image", "label"), ["cat"]),
        ("image label\na.jpg cat\n", ("image", "label"), ["cat"]),
        ("image;x;label\na.jpg;0,5;cat\n", ("image", "x", "label"), ["cat"]),
    ],
)
def test_what_programs_add_is_no_cell(read, text, columns, cells):
    found = read(text)
    assert found.columns == columns
    assert list(found.cells.values())[-1] == cells
    assert not found.ragged


def test_a_decimal_comma_is_a_number_where_commas_part_no_cells(read):
    assert read("image;x\na.jpg;0,5\n").number("0,5") == 0.5
    with pytest.raises(ValueError, match="0,5"):
        read("image,x\na.jpg,1\n").number("0,5")


def test_a_line_of_other_length_is_no_row_and_kept_in_mind(read):
    found = read("image,label\na.jpg\nb.jpg,dog\nc.jpg,dog,1\n")
    assert (found.cells["image"], found.lines, found.ragged) == (["b.jpg"], [3], [(2, 1), (4, 3)])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"PK\x03\x04rest", "is an Excel workbook or an archive: save the sheet as CSV"),
        (gzip.compress(b"image,label\n", mtime=0), "is compressed: unpack it with gunzip"),
        (b"image,label\n\0", "is no text"),
        ("TRAIN,gs://b/a.jpg,cat,0.1,0.1,,,0.3,0.3,,\n", "is a table for AutoML Vision"),
        (
            "filename,file_size,file_attributes,region_count,region_id,region_shape_attributes,region_attributes\n"
            'a.jpg,1,"{}",1,0,"{""name"":""rect""}","{}"\n',
            "is a table of the VGG Image Annotator",
        ),
        ("a.jpg,1,2,cat\n", "line 1 names the picture 'a.jpg' where the names of the columns are expected"),
    ],
)
def test_what_is_no_table_or_that_of_a_tool_is_told_by_its_name(read, content, message):
    with pytest.raises(pipelines.DataError, match=message):
        read(content)


def test_a_table_of_keras_retinanet_has_no_names_and_is_known(read):
    with pytest.warns(UserWarning, match="its columns are taken to be image, x1, y1, x2, y2, label"):
        found = read("a.jpg,1,2,3,4,cat\nb.jpg,,,,,\n")
    assert found.cells["x2"] == ["3", ""]
    assert found.lines == [1, 2]


def test_the_beginning_of_a_long_table_tells_what_it_is(tmp_path):
    rows = "".join(f"picture {number}.jpg,cat\n" for number in range(20_000))
    (tmp_path / "labels.csv").write_text("image,label\n" + rows)
    found = grid.peek(tmp_path / "labels.csv")
    assert found.columns == ("image", "label")
    assert 1000 < len(found.lines) < 20_000
    (tmp_path / "noise.csv").write_bytes(np.random.default_rng(0).bytes(1000))
    assert grid.peek(tmp_path / "noise.csv") is None
