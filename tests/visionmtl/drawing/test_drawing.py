"""What drawing promises: stable colours, marks where they belong, the input untouched, uint8 in and out."""

import numpy as np
import pytest

from visionmtl import drawing
from visionmtl.drawing import strips, tags
from visionmtl.tasks import Classification

GREY = np.full((96, 128, 3), 90, np.uint8)


def changed(image, original=GREY):
    return (image != original).any(axis=-1)


def test_palette_is_stable_and_distinct():
    assert (drawing.palette(40)[:5] == drawing.palette(5)).all()
    assert len({tuple(colour) for colour in drawing.palette(80).tolist()}) == 80
    assert drawing.palette(3).dtype == np.uint8


def test_a_box_is_outlined_in_its_colour_and_its_inside_kept():
    image = drawing.boxes(GREY, np.array([[40.0, 50, 90, 80]]), np.array([1]), drawing.colours(["cat", "dog"]))
    colour = drawing.palette(2)[1]
    assert image.shape == GREY.shape
    assert image.dtype == np.uint8
    assert (image[50:80, 40] == colour).all()
    assert (image[79, 40:90] == colour).all()
    assert not changed(image)[55:75, 45:85].any()
    assert changed(image)[35:50, 40:55].any()  # the label above


def test_padding_crowds_and_boxes_that_are_no_numbers_are_not_drawn():
    boxes = np.array([[10.0, 10, 30, 30], [0, 0, 0, 0], [np.nan, 0, 5, 5]])
    image = drawing.boxes(GREY, boxes, np.array([-2, -1, 0]), drawing.colours(["cat"]), np.array([0.9, 0, 0.8]))
    assert not changed(image).any()


def test_boxes_beyond_the_picture_are_clipped_to_it():
    image = drawing.boxes(GREY, np.array([[-1e9, -50, 1e9, 500]]), np.array([0]), drawing.colours(["cat"]))
    assert (image[90, [0, -1]] == drawing.palette(1)[0]).all()


def test_the_most_confident_box_lies_on_top():
    boxes, classes = np.tile([20.0, 20, 60, 60], (3, 1)), np.array([0, 1, 2])
    image = drawing.boxes(GREY, boxes, classes, drawing.colours("abc"), np.array([0.2, 0.9, 0.5]))
    assert (image[40, 20] == drawing.palette(3)[1]).all()


def test_labels_never_cover_each_other():
    boxes = np.tile([40.0, 40, 44, 44], (30, 1))
    image = drawing.boxes(GREY, boxes, np.zeros(30, int), drawing.colours(["a rather long name"]))
    assert changed(image).mean() < 0.5


def test_a_label_lies_on_no_other_box_while_there_is_room_beside():
    signs, man = [[60.0, 30, 66, 38], [61.0, 30, 67, 38]], [70.0, 35, 100, 90]
    names = drawing.colours(["sign", "man"])
    image = drawing.boxes(GREY, np.array([*signs, man]), np.array([0, 0, 1]), names)
    assert not (image[36:89, 72:99] == drawing.palette(1)[0]).all(axis=-1).any()
    assert (image[30:41, 42:60] == drawing.palette(1)[0]).all(axis=-1).sum() > 60  # it is there, on the other side


def test_a_label_stays_on_its_side_while_that_is_as_good_as_any_other():
    def sides(*boxes, before=None):
        before = None if before is None else np.array(before)
        return [
            tag and tag.side for tag in tags.placed(np.array(boxes, float), ["cat"] * len(boxes), (128, 96), 9, before)
        ]

    assert sides([20, 40, 60, 60]) == [tags.ABOVE]
    assert sides([20, 40, 60, 60], before=[tags.BELOW]) == [tags.BELOW]
    assert sides([20, 70, 60, 95], before=[tags.BELOW]) == [tags.ABOVE]  # for below there is no room
    assert sides([20, 40, 60, 60], [20, 61, 60, 80], before=[tags.BELOW, tags.BELOW]) == [tags.ABOVE, tags.BELOW]
    meeting = [20, 40, 60, 60], [20, 41, 60, 61]
    assert sides(*meeting)[0] == tags.ABOVE
    assert sides(*meeting, before=[-1, tags.ABOVE])[1] == tags.ABOVE  # what stood there comes before what is new


def test_boxes_are_drawn_with_their_labels_on_the_sides_that_are_asked_for():
    box, names = np.array([[40.0, 40, 90, 60]]), drawing.colours(["cat"])
    above, below = (
        changed(drawing.boxes(GREY, box, np.array([0]), names, sides=np.array([side])))
        for side in (tags.ABOVE, tags.BELOW)
    )
    assert above[:39].any()
    assert not below[:39].any()
    assert below[62:].any()


def test_a_mask_tints_its_pixels_and_leaves_ignored_ones():
    classes = np.zeros((96, 128), np.int32)
    classes[:, 64:] = 255
    image = drawing.masks(GREY, classes, drawing.colours("ab"), opacity=0.5)
    colour = drawing.palette(2)[0].astype(int)
    beneath = colour @ (0.299, 0.587, 0.114) + 0.7 * (90 - 128)  # grey as bright as the colour, less what 90 is darker
    assert (np.abs(image[10, 10].astype(int) - (beneath + colour) / 2) <= 1).all()
    assert not changed(image)[:, 64:].any()


def test_a_pale_class_on_dark_objects_is_brighter_than_a_dark_class_on_bright_ones():
    names = drawing.colours(["house", "tree"]) | {"house": (86, 180, 233), "tree": (0, 114, 178)}
    brightness = [
        drawing.masks(np.full((8, 8, 3), grey, np.uint8), np.full((8, 8), place), names).mean()
        for place, grey in enumerate((75, 105))  # of walls in shade, and of twigs before the sky
    ]
    assert brightness[0] > brightness[1] + 40


def test_a_tint_has_the_hue_of_its_class_on_an_object_of_any_colour():
    def hue(colours):
        apart = colours - colours.mean(axis=-1, keepdims=True)
        return apart / np.linalg.norm(apart, axis=-1, keepdims=True)

    objects = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    names = drawing.colours("abcdefgh")
    for place, colour in enumerate(names.values()):
        image = drawing.masks(objects, np.full((64, 64), place), names).astype(float)
        assert (hue(image) @ hue(np.array(colour, float)) > 0.999).all()
    assert (drawing.masks(objects, np.full((64, 64), 255), names) == objects).all()


def test_background_is_not_painted():
    image = drawing.masks(GREY, np.zeros((96, 128), np.int32), drawing.colours(["background", "a"]))
    assert not changed(image).any()


def test_a_mask_traces_where_classes_meet():
    classes = np.zeros((96, 128), np.int32)
    classes[:, 64:] = 1
    image = drawing.masks(GREY, classes, drawing.colours("ab")).astype(int)
    colour = drawing.palette(2)[1].astype(int)
    assert np.abs(image[5, 64] - colour).sum() < np.abs(image[5, 100] - colour).sum()


def test_lines_of_a_large_picture_are_as_thick_as_it_is_large():
    image, classes = np.full((1200, 1200, 3), 90, np.uint8), np.zeros((1200, 1200), np.int32)
    classes[:, 600:] = 1
    colours = drawing.colours("ab")
    row = drawing.masks(image, classes, colours)[5].astype(int)
    assert (np.abs(row - drawing.palette(2)[1]).sum(axis=1) < 30).sum() == 3
    framed = drawing.boxes(image, np.array([[300, 300, 900, 900]]), np.array([0]), colours)
    assert (framed[600, :600] == drawing.INK).all(axis=1).sum() == 2  # the dark rim on both sides of the line


def test_words_stand_below_a_picture_and_hide_none_of_it():
    image = drawing.keyed(GREY, {}, ["weather: wet 80%", "scene: street"])
    assert (image[:96] == GREY).all()
    assert (image[96:] != drawing.PAPER).any()
    assert drawing.keyed(GREY, {}, ["scene: street"]).shape[0] < image.shape[0]


def test_a_long_note_wraps_to_the_width_and_a_word_that_is_longer_widens_the_key():
    short, long = drawing.note(["cat"], 128), drawing.note(["cat 90%, " * 6], 128)
    assert short.shape[1:] == long.shape[1:] == (128, 3)
    assert long.shape[0] >= 3 * short.shape[0]
    assert drawing.note([], 128).shape == (0, 128, 3)
    assert drawing.keyed(GREY, {}, ["an-altogether-unbreakable-name-of-a-class"]).shape[1] > 128


def test_what_two_tasks_say_stands_below_each_other_each_with_its_name():
    tasks = [Classification("weather", ["dry", "wet"]), Classification("scene", ["street", "field"])]
    found = {"weather": {"probabilities": np.array([0.2, 0.8])}, "scene": {"probabilities": np.array([1.0, 0.0])}}
    assert drawing.words(tasks, found) == ["weather: wet 80%", "scene: street"]
    assert drawing.overlay(GREY, tasks, found) is GREY
    (weather, _), alone = tasks, found["weather"]
    assert (weather.draw(GREY, alone) == drawing.keyed(GREY, {}, ["weather: wet 80%"])).all()


def test_a_key_below_a_picture_keeps_it_whole_and_is_as_wide_as_its_names():
    colours = {"ground": drawing.colours(["floor", "a rather long name of a class"])}
    image = drawing.keyed(GREY, colours)
    assert (image[:96, :128] == GREY).all()
    assert image.shape[0] > 96
    assert image.shape[1] > 128  # what the long name takes
    assert {(230, 159, 0), (86, 180, 233)} <= set(map(tuple, image[96:].reshape(-1, 3).tolist()))
    assert drawing.keyed(GREY, {}) is GREY


def test_a_legend_wraps_to_its_width():
    names = drawing.colours([f"class number {index}" for index in range(12)])
    assert drawing.legend(names, 2000).shape[0] < drawing.legend(names, 200).shape[0]
    assert drawing.legend(names, 200, title="segmentation").shape[1:] == (200, 3)


def test_a_strip_holds_every_picture_beside_the_other():
    black = np.zeros((96, 50, 3), np.uint8)
    strip = drawing.side_by_side([GREY, black], ["photo", "truth"], {"segmentation": drawing.colours(["sky", "road"])})
    assert strip.shape[0] > 96
    assert strip.shape[1] > 128 + 50
    assert (strip == 0).all(axis=-1).sum() >= black.size // 3
    assert (strip[0] == 255).all()


def test_notes_stand_below_their_own_picture_and_rows_of_them_are_made_of_one_height():
    pictures = [GREY, GREY]
    plain = drawing.side_by_side(pictures)
    noted = drawing.side_by_side(pictures, notes=[[], ["scene: street"]])
    tall = noted.shape[0] - plain.shape[0]
    assert tall > 0
    middle = noted.shape[1] // 2
    assert (noted[-tall:, :middle] == 255).all()
    assert (noted[-tall:, middle:] != 255).any()
    stack = strips.level([plain, noted])
    assert stack.shape == (2, *noted.shape)
    assert (stack[0, -tall:] == 255).all()


def test_enlarging_scales_boxes_and_maps_alike():
    boxes, classes, scores = np.array([[1.0, 2, 3, 4]]), np.eye(4, 6, dtype=np.int32), np.array([0.5])
    image, grown = drawing.enlarge(
        np.zeros((4, 6, 3), np.uint8), {"boxes": boxes, "classes": classes, "scores": scores}, 3
    )
    assert image.shape == (12, 18, 3)
    assert (grown["boxes"] == boxes * 3).all()
    assert (grown["classes"] == np.kron(classes, np.ones((3, 3)))).all()
    assert grown["scores"] == pytest.approx(scores)


def test_the_picture_given_is_never_changed():
    image, classes = GREY.copy(), np.zeros((96, 128), np.int32)
    drawing.boxes(image, np.array([[5.0, 5, 50, 50]]), np.array([0]), drawing.colours(["cat"]))
    drawing.masks(image, classes, drawing.colours("a"))
    drawing.keyed(image, {}, ["scene: cat"])
    assert not changed(image).any()
