"""Lines of YOLO: keypoints, oriented boxes, tracks, confidences, pixels, and boxes at the edge of their picture."""

import numpy as np
import pytest

import pipelines

BOX = "0 0.3333333 0.375 0.3333333 0.5"  # 10, 5, 30, 25 of 60 x 40
FOUND = [(0, 10, 5, 30, 25)]
PENTAGON = "1 0.5 0.25 1 0.25 1 0.5 1 0.75 0.5 0.75"  # 30, 10, 60, 30
TURNED = "1 0.5 0.25 0.75 0.5 0.5 0.75 0.25 0.5"  # 15, 10, 45, 30
UPRIGHT = "1 0.5 0.25 1 0.25 1 0.75 0.5 0.75"
THREE = " 0.3 0.3 2 0.35 0.4 1 0 0 0"  # keypoints with their visibility
TWO = " 0.3 0.3 0.4 0.5"


@pytest.fixture
def yolo(tmp_path, picture):
    """A function that writes images with the lines of their labels, and data.yaml."""

    def write(*files, settings="names: [cat, dog]\n"):
        (tmp_path / "data/labels").mkdir(parents=True, exist_ok=True)
        for i, text in enumerate(files):
            picture(f"images/{i}.jpg")
            (tmp_path / f"data/labels/{i}.txt").write_bytes(text.encode())
        (tmp_path / "data/data.yaml").write_text(settings)

    return write


@pytest.fixture
def account(tmp_path):
    """A function that gives the balance of the folder."""

    def account(**options):
        options = {"splits": ["train"], **options}
        return pipelines.survey("yolo", tmp_path / "data", **options).source.accounts[0].balance()

    return account


@pytest.mark.parametrize(
    ("settings", "line", "count"),
    [
        ("names: [cat, dog]\nkpt_shape: [3, 3]\nflip_idx: [0, 2, 1]\n", BOX + THREE, 3),
        ("names: [cat, dog]\nkpt_shape: [2, 2]\n", BOX + TWO, 2),
        ("names: [cat, dog]\nkpt_shape: [3, 3]\n", BOX, 0),
        ("names: [cat, dog]\n", BOX + THREE, 3),
        ("names: [cat, dog]\n", BOX + THREE + THREE.replace(" 2", " 2.0"), 6),  # as many numbers as a polygon has
    ],
)
def test_of_keypoints_the_box_is_read_and_no_polygon(yolo, ask, sample, account, settings, line, count):
    yolo(line, line, settings=settings)
    source, _ = ask("yolo")
    assert [spec.name for spec in source.specs] == ["classification", "detection"]
    np.testing.assert_allclose(sample(source)[0]["detection"], FOUND, atol=1e-4)
    balance = account()
    assert balance.annotations["keypoints"] == 2 * count
    assert balance.annotations_aside["keypoints, which no task learns"] == 2 * count
    assert balance.annotations_used == 2


def test_keypoints_that_may_be_polygons_are_refused_unless_it_is_said(yolo, ask, sample):
    yolo(*["0 0.75 0.5 0.1 0.25 0.72 0.4 0.78 0.6"] * 2)
    with pytest.raises(pipelines.DataError, match=r"0.txt': line 1 and .* write kpt_shape: \[2, 2\]"):
        ask("yolo")
    source, _ = ask("yolo", lines="keypoints")
    np.testing.assert_allclose(sample(source)[0]["detection"], [(0, 42, 15, 48, 25)], atol=1e-4)
    assert ask("yolo", lines="polygons")[0].specs[2].name == "segmentation"


def test_a_line_of_other_length_than_kpt_shape_says_is_told(yolo, ask):
    yolo(BOX + TWO, settings="names: [cat]\nkpt_shape: [17, 3]\n")
    with pytest.raises(pipelines.DataError, match=r"line 1: it has 9 numbers: expected class, .* keypoints, 56 in all"):
        ask("yolo")
    yolo(BOX, settings="names: [cat]\nkpt_shape: 17\n")
    with pytest.raises(pipelines.DataError, match=r"data.yaml': kpt_shape is '17', expected \[how many"):
        ask("yolo")


def test_polygons_of_equal_length_are_no_keypoints(yolo, ask):
    yolo(PENTAGON, PENTAGON.replace("1 0.5", "0 0.4"))
    assert ask("yolo")[0].specs[2].kind == "segmentation"
    yolo("0 0.5 0.4 0.7 0.45 0.68 0.6 0.52 0.55", "0 0.1 0.1 0.3 0.2 0.28 0.4 0.12 0.3")  # number plates
    assert ask("yolo")[0].specs[2].kind == "segmentation"


def test_oriented_boxes_are_the_upright_boxes_around_them_and_no_masks(yolo, ask, sample):
    yolo(TURNED, UPRIGHT)
    with pytest.warns(UserWarning, match="all polygons are parallelograms, and are taken for oriented boxes"):
        source, _ = ask("yolo")
    assert [spec.name for spec in source.specs] == ["classification", "detection"]
    assert sample(source)[0]["detection"] == [(1, 15, 10, 45, 30)]
    assert ask("yolo", lines="polygons")[0].specs[2].name == "segmentation"
    yolo(*[UPRIGHT] * 8)
    assert len(ask("yolo")[0].specs) == 2  # nobody draws eight rectangles corner by corner
    yolo(TURNED, PENTAGON)
    assert ask("yolo")[0].specs[2].name == "segmentation"


def test_ids_of_tracks_are_set_aside_by_a_rule(yolo, ask, sample, account):
    yolo(f"{BOX} 1\n", f"{BOX} 12\n{BOX}", f"{PENTAGON} 3")
    assert len(sample(ask("yolo")[0])[0]["detection"]) == 1
    assert account().annotations_aside["ids of tracks, which no task learns"] == 3


def test_predictions_are_refused(yolo, ask):
    yolo(f"{BOX} 0.91\n", f"{BOX} 1\n")
    with pytest.raises(pipelines.DataError, match=r"0.txt': line 1 and all .* predictions with their conf"):
        ask("yolo")


def test_pixels_and_corners_are_refused_with_what_is_expected(yolo, ask):
    yolo("0 20 15 20 20\n1 3 1 1 1", "0 31 20 10 8\n" * 9 + "0 5 4 3.5 3")
    with pytest.raises(pipelines.DataError, match=r"0.txt': line 1 and 4 of all 4 .* like pixels.* Divide x"):
        ask("yolo")
    yolo("0 0.5 0.5 0.9 0.9\n0 0.6 0.1 0.9 0.2", "1 0.7 0.7 1 1\n1 0.2 0.6 0.5 0.9")
    with pytest.raises(
        pipelines.DataError, match=r"line 1 and the others look like corners x_min, y_min, x_max, y_max"
    ):
        ask("yolo")


def test_a_box_that_leaves_by_a_hair_is_cut_and_counted_and_farther_out_is_told(yolo, ask, sample, account):
    yolo("0 0.96 0.5 0.1 0.5\n1 -0.0000001 0.5 0.00001 0.5\n0 0.5 0.5 1.0 1.0")  # 60.6 of 60
    source, _ = ask("yolo")
    found = sample(source)[0]["detection"]
    np.testing.assert_allclose(found[1], (0, 54.6, 10, 60, 30), atol=1e-4)
    balance = account()
    assert (balance.annotations_altered, balance.annotations_used) == ({"cut at the picture's edge": 1}, 3)
    yolo("0 0.96 0.5 0.2 0.5")  # 63.6
    with pytest.raises(pipelines.DataError, match=r"0.txt': line 1: box .* lies outside its image of 60 x 40"):
        ask("yolo")


def test_a_hair_is_one_percent_of_a_large_picture(yolo, ask, picture):
    yolo("0 0.5 0.5 1.018 0.5")  # 9 of 1000 pixels on each side
    picture("images/0.jpg", np.zeros((50, 1000, 3), np.uint8))
    assert ask("yolo")[0].splits["train"].shapes.tolist() == [[50, 1000]]


def test_lines_that_are_there_twice_are_one_and_counted(yolo, sample, ask, account):
    yolo(f"{BOX}\n{BOX}\n\n0.0 {BOX[2:]}\n1 0.5 0.5 0.5 0.5\n")
    assert len(sample(ask("yolo")[0])[0]["detection"]) == 2
    balance = account()
    assert balance.annotations["lines"] == 4
    assert balance.annotations_aside["lines that a file has twice"] == 2


def test_marks_of_byte_order_line_ends_of_windows_and_floats_for_classes_are_fine(yolo, ask, sample):
    yolo(f"\ufeff1.0 {BOX[2:]}\r\n")
    np.testing.assert_allclose(sample(ask("yolo")[0])[0]["detection"], [(1, *FOUND[0][1:])], atol=1e-4)


def test_a_class_beyond_the_names_is_told_and_ids_that_count_from_one_are_suspected(yolo, ask):
    yolo(f"7 {BOX[2:]}")
    with pytest.raises(pipelines.DataError, match=r"class 7 is unknown: expected 0 to 1, the classes that"):
        ask("yolo")
    yolo(f"1 {BOX[2:]}\n2 {BOX[2:]}")
    with pytest.raises(pipelines.DataError, match=r"class 2 is unknown: .*; ids count from 0, these look as if"):
        ask("yolo")


def test_a_box_without_an_area_is_told(yolo, ask):
    yolo("0 0.5 0.5 0 0.1")
    with pytest.raises(pipelines.DataError, match=r"line 1: box .* has no area"):
        ask("yolo")


def test_images_whose_objects_are_partly_mere_boxes_are_told(yolo, ask):
    yolo(f"{PENTAGON}\n{BOX}", PENTAGON)
    with pytest.warns(UserWarning, match="1 of 2 images have an object that is a mere box beside polygons"):
        ask("yolo")


def test_a_text_file_that_is_no_text_costs_its_image(yolo, ask, tmp_path):
    yolo(BOX, BOX)
    (tmp_path / "data/labels/1.txt").write_bytes(b"\0\1\2")
    with pytest.raises(pipelines.DataError, match=r"1.txt' is no text: it has bytes of value 0"):
        ask("yolo")
    data = pipelines.load("yolo", batch_size=1, path=tmp_path / "data", splits=["train"], on_error="skip")
    assert set(data.accounts[0].balance().lost) == {"labels/1.txt", "images/1.jpg"}


@pytest.mark.parametrize(
    ("settings", "classes"),
    [
        ("names: [no, yes]", ("no", "yes")),
        ("names: {0: 1, 1: 007}", ("1", "007")),
        ("names:\n  '0': on\n  '1': off\nnc: 2.0", ("on", "off")),
        ("\ufeffnames:\n- cat\n- 1.50\n", ("cat", "1.50")),
        ("names: ['Katze', Hündin]", ("Katze", "Hündin")),
    ],
)
def test_names_are_as_they_are_written_whatever_yaml_makes_of_them(yolo, ask, settings, classes):
    yolo(BOX, settings=settings)
    assert ask("yolo")[0].specs[1].classes == classes


def test_tabs_in_yaml_are_told(yolo, ask):
    yolo(BOX, settings="names:\n\t- cat\n")
    with pytest.raises(pipelines.DataError, match=r"data.yaml' is not valid YAML: .*\\t"):
        ask("yolo")


def test_of_several_settings_the_one_is_read_that_names_the_classes_or_is_chosen(yolo, ask, tmp_path, account):
    yolo(BOX)
    folder = tmp_path / "data"
    (folder / "hyp.yaml").write_text("lr0: 0.01")
    assert [*account().aside] == ["a YAML file without class names"]
    (folder / "data.yaml").rename(folder / "a.yaml")
    (folder / "b.yaml").write_text("names: [dog, cat]")
    with pytest.raises(pipelines.DataError, match=r"a.yaml' and '.*b.yaml' both are settings, and differ: keep one"):
        ask("yolo")
    assert ask("yolo", settings="b.yaml")[0].specs[1].classes == ("dog", "cat")
    (folder / "b.yaml").rename(folder / "data.yaml")
    with pytest.warns(UserWarning, match=r"a.yaml' has other class names than '.*data.yaml', which is used"):
        assert ask("yolo")[0].specs[1].classes == ("dog", "cat")


def test_files_of_class_names_that_disagree_are_told(yolo, ask, tmp_path):
    yolo(BOX)
    folder = tmp_path / "data"
    (folder / "classes.txt").write_text("dog\ncat\n")
    with pytest.warns(UserWarning, match=r"classes.txt' has other class names than '.*data.yaml', which is used"):
        assert ask("yolo")[0].specs[1].classes == ("cat", "dog")
    (folder / "data.yaml").unlink()
    (folder / "obj.names").write_text("cat\ndog\n")
    with pytest.raises(pipelines.DataError, match=r"classes.txt' and '.*obj.names' name the classes differently"):
        ask("yolo")
    assert ask("yolo", classes=["a", "b"])[0].specs[1].classes == ("a", "b")
    (folder / "obj.names").write_text("cat\n\ndog\n")
    with pytest.raises(pipelines.DataError, match=r"obj.names': line 2 is empty: expected the name of a class"):
        ask("yolo")


def test_keys_that_are_not_used_are_named_in_the_account(yolo, account):
    yolo(BOX, settings="names: [cat]\ndownload: https://x.org\nroboflow: {version: 3}\n")
    assert account().used["class names and splits; keys not used: download, roboflow"] == 1


def test_a_path_that_leads_elsewhere_is_told_and_one_deeper_is_suggested(yolo, ask, tmp_path):
    (tmp_path / "other").mkdir()
    yolo(BOX, settings="names: [cat]\npath: ../other\ntrain: images\n")
    with pytest.warns(UserWarning, match="path is '../other', which leads out of the folder"):
        ask("yolo")
    (tmp_path / "data/set").mkdir()
    for name in ("images", "labels"):
        (tmp_path / "data" / name).rename(tmp_path / "data/set" / name)
    with pytest.raises(pipelines.DataError, match=r"train is 'images', which is missing .* It is at 'set/images'"):
        ask("yolo")
