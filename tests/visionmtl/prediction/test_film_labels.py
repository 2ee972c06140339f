"""What is written on and below a film stays where it is from frame to frame."""

import numpy as np

from visionmtl.drawing import tags
from visionmtl.prediction.video.keys import Key
from visionmtl.prediction.video.sides import Sides
from visionmtl.tasks import Classification, Detection, Segmentation


def test_a_label_stays_on_its_side_of_its_object_until_there_is_no_room():
    tasks = {"objects": Detection("objects", ["cat", "dog"])}
    sides = Sides(tasks, (400, 600))

    def side(top, track=7):
        found = {
            "boxes": np.array([[100.0, top, 200, top + 60]]),
            "classes": np.array([0]),
            "tracks": np.array([track]),
        }
        found |= {"scores": np.array([0.8]), "shown": np.array([True])}
        kept = sides.kept({"objects": found})
        (chosen,) = kept["objects"]["sides"]
        return chosen

    assert side(100) == tags.ABOVE
    assert side(2) == tags.INSIDE_ABOVE  # above it the picture ends
    assert side(100) == tags.INSIDE_ABOVE
    assert side(100, track=8) == tags.ABOVE  # another object


def test_objects_that_are_not_drawn_take_no_room():
    sides = Sides({"objects": Detection("objects", ["cat", "dog"])}, (400, 600))
    boxes = np.array([[100.0, 100, 200, 160], [100, 101, 200, 160], [300, 100, 400, 160]])
    found = {
        "boxes": boxes,
        "classes": np.array([0, 1, 0]),
        "tracks": np.arange(3),
        "scores": np.array([0.9, 0.8, 0.7]),
    }
    kept = sides.kept({"objects": found | {"shown": np.array([True, True, False])}})
    assert kept["objects"]["sides"].tolist() == [tags.ABOVE, -1, -1]


def test_what_is_said_below_frames_is_of_one_size_whatever_is_said():
    names = ["short", "a long name of a class that no frame has room for"]
    classes = [f"class number {place}" for place in range(40)]
    tasks = {"scene": Classification("scene", names), "ground": Segmentation("ground", classes)}
    frame, sizes = np.full((200, 300, 3), 90, np.uint8), set()
    for place in range(2):
        found = {
            "scene": {"probabilities": np.eye(2)[place]},
            "ground": {"classes": np.full((200, 300), place) if place else np.arange(60000).reshape(200, 300) % 40},
        }
        shown = Key(tasks).below(frame, found)
        assert (shown[:200, :300] == frame).all()
        sizes.add(shown.shape)
    assert len(sizes) == 1
