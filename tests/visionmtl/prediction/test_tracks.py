"""Objects are followed over frames: they do not flicker, do not lag, and keep their numbers."""

import numpy as np
import pytest

from visionmtl.prediction.video.tracks import Tracks

SIZE = (200, 400)


def found(*rows):
    """What is found in a frame: of each object its box, score and class, and a row of padding."""
    boxes = np.array([box for box, _, _ in rows] + [(0, 0, 0, 0)], np.float32)
    scores = np.array([score for _, score, _ in rows] + [0], np.float32)
    return {"boxes": boxes, "scores": scores, "classes": np.array([each for _, _, each in rows] + [-1], np.int32)}


def box(x, y=50, side=40):
    return (x, y, x + side, y + side)


def followed(frames, rate=25.0, least=(0.4, 0.4)):
    tracks = Tracks(np.array(least), SIZE)
    return [tracks.follow(found(*rows), number / rate) for number, rows in enumerate(frames)]


def test_an_object_that_is_missed_or_weak_in_some_frames_stays_under_one_number():
    scores = [0.9, 0.5, 0.35, 0.1, 0.0, 0.6, 0.3, 0.9]  # from 0.4 on it counts
    told = followed([[(box(50), score, 0)] for score in scores])
    assert [each["tracks"].tolist() for each in told] == [[1]] * len(scores)
    assert [each["found"].tolist() for each in told] == [[True]] * 3 + [[False]] * 2 + [[True]] * 3
    shown = np.array([each["scores"][0] for each in told])
    assert np.abs(np.diff(shown)).max() < 0.15 < np.abs(np.diff(scores)).max()


def test_boxes_that_tremble_are_calmed_and_steady_movement_is_not_lagged_behind():
    rng = np.random.default_rng(0)
    trembling = followed([[(np.array(box(50)) + rng.normal(0, 3, 4), 0.9, 0)] for _ in range(100)])
    edges = np.array([each["boxes"][0] for each in trembling])[20:]
    assert edges.std(axis=0).mean() < 0.7 * 3
    assert np.abs(np.diff(edges, axis=0)).mean() < 0.5 * 3 * 2 / np.sqrt(np.pi)  # of the differences of what was found
    moving = followed([[(box(20 + 8 * number), 0.9, 0)] for number in range(40)])
    assert [each["tracks"].tolist() for each in moving] == [[1]] * 40
    lag = np.array([each["boxes"][0, 0] - (20 + 8 * number) for number, each in enumerate(moving)])
    assert np.abs(lag[25:]).max() < 0.1


@pytest.mark.parametrize("rate", [10.0, 25.0, 60.0])
def test_what_is_unseen_goes_on_as_it_moved_for_a_quarter_of_a_second(rate):
    speed, seen = 100 / rate, int(rate)  # pixels a frame, and a second of frames
    told = followed([[(box(20 + speed * number), 0.9, 0)] if number < seen else [] for number in range(2 * seen)], rate)
    last = max(number for number, each in enumerate(told) if each["count"])
    assert 0.22 - 1 / rate <= (last - seen + 1) / rate <= 0.25 + 1e-6
    assert told[last]["boxes"][0, 0] == pytest.approx(20 + speed * last, abs=3)


def test_what_is_found_in_one_frame_alone_is_not_believed():
    frames = [[(box(50), 0.9, 0)] + ([(box(250), 0.8, 1)] if number == 5 else []) for number in range(10)]
    assert [each["classes"].tolist() for each in followed(frames)] == [[0]] * 10
    apart = followed(frames, rate=5.0)  # so far apart that it may have passed
    assert sorted(apart[5]["classes"].tolist()) == [0, 1]


def test_a_class_that_changes_for_a_frame_changes_nothing():
    told = followed([[(box(50), 0.7, 1 if number in (4, 7) else 0)] for number in range(10)])
    assert [each["classes"].tolist() for each in told] == [[0]] * 10
    assert [each["tracks"].tolist() for each in told] == [[1]] * 10


def test_two_that_cross_keep_their_numbers_and_small_fast_ones_are_followed():
    frames = [[(box(20 + 8 * n), 0.9, 0), (box(320 - 8 * n), 0.8, 0)] for n in range(38)]
    told = followed(frames)
    first = {number: told[10]["boxes"][row, 0] for row, number in enumerate(told[10]["tracks"].tolist())}
    last = {number: told[-1]["boxes"][row, 0] for row, number in enumerate(told[-1]["tracks"].tolist())}
    assert first.keys() == last.keys()
    assert all((first[number] < 170) == (last[number] > 170) for number in first)
    ball = followed([[(box(10 + 12 * number, side=10), 0.9, 0)] for number in range(20)])
    assert [each["tracks"].tolist() for each in ball] == [[1]] * 20


def test_frames_far_apart_begin_anew_and_boxes_stay_within_the_picture():
    told = followed([[(box(50), 0.9, 0)], [(box(52), 0.9, 0)]], rate=1.0)
    assert [each["tracks"].tolist() for each in told] == [[1], [2]]
    leaving = followed([[(box(330 + 10 * number), 0.9, 0)] if number < 6 else [] for number in range(14)])
    assert all((each["boxes"] <= 400).all() for each in leaving)
    assert leaving[-1]["count"] == 0


def test_a_track_unseen_where_another_is_found_is_the_same_object():
    frames = [[(box(50), 0.9, 0)], [(box(50), 0.9, 0)], [(box(75), 0.9, 0), (box(48), 0.1, 0)], [(box(75), 0.9, 0)]]
    assert [each["count"] for each in followed(frames)] == [1, 1, 1, 1]
