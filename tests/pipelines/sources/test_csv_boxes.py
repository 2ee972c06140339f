"""Boxes of tables: the names of their columns, corners or sizes, pixels or fractions; pictures are 60 x 40."""

import pytest

import pipelines

BOX = (0, 10, 5, 30, 25)  # class, corners


@pytest.fixture
def detection(tabled, sample):
    """A function that reads a table of pictures, and returns the objects of the first and notes."""

    def read(text, **options):
        source, notes = tabled(text, **options)
        return sample(source)[0]["detection"], " ".join(notes)

    return read


@pytest.mark.parametrize(
    ("columns", "cells"),
    [
        ("xmin,ymin,xmax,ymax", "10,5,30,25"),
        ("XMin,XMax,YMin,YMax", "10,30,5,25"),
        ("x1,y1,x2,y2", "10,5,30,25"),
        ("x_1,y_1,width,height", "10,5,20,20"),
        ("left,top,right,bottom", "10,5,30,25"),
        ("Left,Top,Width,Height", "10,5,20,20"),
        ("x,y,width,height", "10,5,20,20"),
        ("X,Y,W,H", "10,5,20,20"),
        ("bbox_x,bbox_y,bbox_w,bbox_h", "10,5,20,20"),
        ("bbox_x,bbox_y,bbox_width,bbox_height", "10,5,20,20"),
        ("x_center,y_center,width,height", "20,15,20,20"),
        ("cx,cy,w,h", "20,15,20,20"),
        ("Roi.X1,Roi.Y1,Roi.X2,Roi.Y2", "10,5,30,25"),
        ("xtl,ytl,xbr,ybr", "10,5,30,25"),
        ("width,height,xmin,ymin,xmax,ymax", "60,40,10,5,30,25"),
    ],
)
def test_the_columns_of_a_box_are_known_by_their_names(detection, columns, cells):
    objects, notes = detection(f"image,{columns},label\na.jpg,{cells},cat\n")
    assert objects == [BOX]
    assert "not used" not in notes


@pytest.mark.parametrize("cell", ["[10, 5, 20.0, 20]", "10 5 20 20", "(10, 5, 20, 20)"])
def test_a_column_may_hold_all_four_numbers_and_its_form_is_told_by_them(detection, cell):
    text = f'image_id,bbox,label\na,"{cell}",cat\nb,"[30, 20, 10, 8]",cat\n'
    objects, notes = detection(text)
    assert objects == [BOX]
    assert "column bbox: its numbers are read as x, y, width, height: as nothing else do they fit" in notes


def test_four_numbers_that_stick_out_as_sizes_are_corners_and_what_may_be_both_is_refused(detection):
    objects, notes = detection('image,bbox,label\na.jpg,"[30, 20, 50, 30]",cat\nb.jpg,"[40, 5, 59, 39]",cat\n')
    assert objects == [(0, 30, 20, 50, 30)]
    assert "read as x_min, y_min, x_max, y_max" in notes
    both = 'image,bbox,label\na.jpg,"[2, 3, 10, 12]",cat\n'
    with pytest.raises(pipelines.DataError, match=r"column bbox: its numbers may be .*by option box_form, corners or"):
        detection(both)
    assert detection(both, box_form="sizes")[0] == [(0, 2, 3, 12, 15)]
    with pytest.raises(pipelines.DataError, match="Unknown box_form 'size'. Did you mean 'sizes'"):
        detection(both, box_form="size")


def test_sizes_called_corners_are_told(detection):
    rows = "".join(f"a.jpg,{30 + k},20,10,8,cat\n" for k in range(4))
    with pytest.raises(pipelines.DataError, match=r"hold x, y, width, height by their numbers, but x_min, y_min"):
        detection(f"image,x1,y1,x2,y2,label\n{rows}")


def test_corners_called_sizes_are_told(detection):
    rows = "".join(f"a.jpg,{30 + k},20,50,30,cat\n" for k in range(4))
    with pytest.raises(pipelines.DataError, match=r"hold x_min, y_min, x_max, y_max by their numbers, but x, y, width"):
        detection(f"image,x,y,w,h,label\n{rows}")


def test_numbers_of_which_none_is_above_1_are_fractions_and_it_is_told(detection):
    text = "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded,IsTruncated,IsGroupOf\n"
    text += "a,xclick,/m/01yrx,1,0.5,1.0,0.25,0.5,0,1,0\na,xclick,/m/01yrx,1,0,0.5,0,0.5,0,0,1\n"
    objects, notes = detection(text)
    assert objects == [(0, 30, 10, 60, 20), (-2, 0, 0, 30, 20)]  # a group is a region to ignore
    assert "boxes are read as fractions of their pictures: none of their numbers is above 1" in notes
    assert "columns not used: Source ('xclick' in every row); Confidence ('1' in every row); IsOccluded" in notes


def test_fractions_with_width_and_height_of_the_picture_and_decimal_commas(detection):
    objects, _ = detection("image;width;height;xmin;ymin;xmax;ymax;label\na.jpg;60;40;0,5;0,25;1,001;0,5;cat\n")
    assert objects == [(0, 30, 10, 60, 20)]


def test_pixels_among_fractions_are_refused_with_the_line(detection):
    head = "image,xmin,ymin,xmax,ymax,label\n"
    few = "a.jpg,0.1,0.1,0.5,0.5,cat\na.jpg,0.1,0.2,0.5,0.5,cat\na.jpg,10,5,30,25,cat\n"
    with pytest.raises(pipelines.DataError, match=r"line 4: box \(10, 5, 30, 25\) is like pixels, but most boxes are"):
        detection(head + few)
    many = "a.jpg,10,5,30,25,cat\na.jpg,10,5,31,25,cat\na.jpg,0.1,0.1,0.5,0.5,cat\n"
    with pytest.raises(pipelines.DataError, match=r"line 4: box \(0.1, 0.1, 0.5, 0.5\) is like fractions"):
        detection(head + many)
    assert len(detection(head + many, unit="pixels")[0]) == 3


def test_columns_that_may_be_a_box_but_are_not_known_stop(detection):
    text = "image,col_x,row_y,far_x,far_y,label\na.jpg,10,5,30,25,cat\n"
    with pytest.raises(pipelines.DataError, match=r"columns col_x, row_y, far_x, far_y are like a box, but not called"):
        detection(text)
    assert detection(text, box=["col_x", "row_y", "far_x", "far_y"])[0] == [BOX]
    with pytest.raises(pipelines.DataError, match="Option box names 3 columns"):
        detection(text, box=["col_x", "row_y", "far_x"])
    with pytest.raises(pipelines.DataError, match=r"columns bx, by, bw, bh are like a box"):
        detection("image,bx,by,bw,bh,label\na.jpg,10,5,30,25,cat\n")


def test_two_columns_of_one_edge_are_told(detection):
    with pytest.raises(pipelines.DataError, match="columns x_min and bbox_xmin could both be the xmin of a box"):
        detection("image,x_min,bbox_xmin,ymin,xmax,ymax,label\na.jpg,1,1,2,3,4,cat\n")


def test_boxes_without_classes_are_all_one_and_may_be_named(detection, ask):
    text = "image_id,width,height,bbox,source\n" + 'a,60,40,"[10.0, 5.0, 20.0, 20.0]",usask_1\n'
    text += 'b,60,40,"[30, 20, 10, 8]",arvalis_1\n'
    objects, notes = detection(text)
    assert objects == [BOX]
    assert "no column has the boxes' classes: all are 'object'" in notes
    assert "source (2 different words)" in notes
    assert ask("csv", classes=["wheat"])[0].specs[-1].classes == ("wheat",)


def test_a_class_that_only_rows_without_a_box_have_stands_for_no_object(detection, ask, sample):
    text = (
        "image_id,class_name,class_id,rad_id,x_min,y_min,x_max,y_max\nb,No finding,14,R11,,,,\na,cat,3,R1,10,5,30,25\n"
    )
    _, notes = detection(text)
    source, _ = ask("csv")
    assert [sample(source, index=k)[0]["detection"] for k in (0, 1)] == [[], [BOX]]
    assert "rows of class_name 'No finding' have no box: they are read as images without objects" in notes


def test_width_and_height_are_checked_against_the_picture(detection):
    text = "filename,width,height,class,xmin,ymin,xmax,ymax\na.jpg,{},cat,10,5,30,25\n"
    assert detection(text.format("60,40"))[0] == [BOX]
    with pytest.raises(pipelines.DataError, match=r"is 60 x 40, but .*labels.csv' gives width 600 and height 400"):
        detection(text.format("600,400"))


def test_a_box_under_one_pixel_is_told(detection):
    head = "image,xmin,ymin,xmax,ymax,label\na.jpg,10,5,30,25,cat\n"
    objects, notes = detection(head + "a.jpg,10,5,10.5,25,cat\n")
    assert len(objects) == 2
    assert "1 box is under one pixel wide or high, the first in '" in notes


def test_words_beside_boxes_may_be_their_class_and_are_not_lost(detection):
    text = "image,xmin,ymin,xmax,ymax,animal\na.jpg,10,5,30,25,cat\nb.jpg,1,1,9,9,dog\n"
    with pytest.raises(pipelines.DataError, match="column of the boxes' classes is missing: .* It may be animal: say"):
        detection(text)
    assert detection(text, label="animal")[0] == detection(text, classes=["pet"])[0] == [BOX]


def test_a_row_of_cells_that_say_nothing_has_no_box(detection):
    columns = "image,xmin,ymin,xmax,ymax,label\n"
    assert detection(f"{columns}b.jpg,10,5,30,25,cat\na.jpg,N/A,N/A,N/A,N/A,\n")[0] == [BOX]


def test_columns_of_a_box_are_names(detection):
    with pytest.raises(pipelines.DataError, match="Option box is 4: expected a list of names"):
        detection("image,a,b,c,d,label\na.jpg,10,5,30,25,cat\n", box=4)
