"""Views of a picture: what may be asked for, and how the boxes of several become one set."""

import numpy as np
import pytest
import tensorflow as tf

from visionmtl.errors import UsageError
from visionmtl.tasks import Detection, boxes, fusing
from visionmtl.tasks.views import Seen, View, Views


@pytest.mark.parametrize(
    ("text", "views"),
    [
        ("flip", Views(flip=True)),
        (" 1.25,flip, 0.75", Views(True, (0.75, 1.25))),
        ("0.5,fuse", Views(scales=(0.5,), boxes="fuse")),
        ("vote,flip", Views(True, boxes="vote")),
    ],
)
def test_views_are_read_and_written_in_one_way(text, views):
    assert Views.parsed(text) == views
    assert Views.parsed(str(views)) == Views.parsed(views) == views


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("flop", "have 'flop': expected flip, vote, fuse or scales"),
        ("", "have '': expected"),
        ("flip,9", "have '9': expected flip, vote, fuse or scales of 0.25 to 4"),
        ("nan", "have 'nan'"),
        ("flip,1.0", "the picture itself, which is always seen"),
        ("flip,flip", "name flip twice"),
        ("0.5,0.50", "name 0.5 twice"),
        ("fuse", "add no view"),
        ("flip,vote,fuse", "two ways to average boxes"),
        ("runs/camvid-1", "have 'runs/camvid-1'"),
    ],
)
def test_views_that_mean_nothing_are_refused(text, why):
    with pytest.raises(UsageError, match=why):
        Views.parsed(text)


def test_maps_of_all_views_are_laid_on_each_other():
    ramp = np.broadcast_to(np.arange(8, dtype="float32")[None, None, :, None], (1, 4, 8, 1))
    coarse = tf.image.resize(ramp, (2, 4))
    views = (View({"x": ramp}, (8, 16)), View({"x": ramp[:, :, ::-1]}, (8, 16), True), View({"x": coarse}, (4, 8)))
    mean = Seen(views).mean_map("x", lambda values, view: values)
    np.testing.assert_allclose(mean[:, :, 1:-1], ramp[:, :, 1:-1], atol=1e-6)
    assert [Seen(views).larger(view) for view in views] == [1, 1, 0.5]


def found(corners, scores, classes, rows=6):
    """What was found in one picture, padded."""
    pad = rows - len(scores)
    return {
        "boxes": tf.constant([corners + [[0.0] * 4] * pad]),
        "scores": tf.constant([scores + [0.0] * pad]),
        "classes": tf.constant([classes + [boxes.PADDING] * pad]),
        "count": tf.constant([len(scores)]),
    }


def test_boxes_of_a_mirrored_picture_come_back():
    np.testing.assert_allclose(fusing.mirrored(tf.constant([[1.0, 2, 4, 7]]), 10), [[6, 2, 9, 7]])


def outputs(seed, size=(64, 96)):
    """Raw outputs of the three levels of a picture, with some objects that many cells see."""
    random = np.random.default_rng(seed)
    made = {}
    for level in (3, 4, 5):
        cells = (2, size[0] >> level, size[1] >> level)
        made[f"P{level}_scores"] = tf.constant(random.normal(-2, 2, (*cells, 2)), tf.float32)
        made[f"P{level}_distances"] = tf.constant(random.normal(0, 2, (*cells, 32)), tf.float32)
    return made


def mirrored(made):
    """The raw outputs that would mean the same boxes in the mirrored picture."""
    turned = {}
    for name, maps in made.items():
        maps = tf.reverse(maps, [2])
        if name.endswith("distances"):  # left and right change places
            sides = tf.reshape(maps, (*maps.shape[:3], 4, 8))
            maps = tf.reshape(tf.gather(sides, [2, 1, 0, 3], axis=3), maps.shape)
        turned[name] = maps
    return turned


def merged(boxes_by, *views, **options):
    return Detection("objects", ["a", "b"], **options).merged(Seen(views, boxes_by), (128, 192))


@pytest.mark.parametrize("boxes_by", ["", "vote"])
@pytest.mark.parametrize("options", [{}, {"vote": False}, {"end_to_end": True}, {"iou_threshold": 0.7}])
def test_a_picture_and_its_mirror_image_have_the_objects_of_the_picture(options, boxes_by):
    made = outputs(0)
    plain, turned = View(made, (64, 96)), View(mirrored(made), (64, 96), True)
    alone, twice = (merged(boxes_by, *views, **options) for views in ([plain], [plain, turned]))
    assert int(tf.reduce_min(twice["count"])) > 5
    for key in ("boxes", "scores", "classes", "count"):
        np.testing.assert_allclose(twice[key], alone[key], rtol=1e-4, atol=1e-3)
    voted = bool(boxes_by) or options.get("vote", "end_to_end" not in options)
    decoded = Detection("objects", ["a", "b"], vote=voted, iou_threshold=options.get("iou_threshold", boxes.OVERLAP))
    expected = decoded.decode(made, (128, 192))
    np.testing.assert_allclose(alone["boxes"], expected["boxes"], rtol=1e-4, atol=1e-3)


def test_an_object_of_one_view_alone_is_among_those_of_both():
    empty = {name: maps - 20 if "scores" in name else maps for name, maps in outputs(1, (96, 128)).items()}
    plain, larger = View(outputs(0), (64, 96)), View(empty, (96, 128))
    both = merged("", plain, larger)
    np.testing.assert_allclose(both["boxes"], merged("", plain)["boxes"], atol=1e-3)


def reference(views, overlap):
    """Weighted boxes fusion of one picture, box by box as the paper has it, in float64."""
    rows = sorted(
        (
            (float(s), int(c), np.array(b, np.float64))
            for v in views
            for b, s, c in zip(v["boxes"][0].numpy(), v["scores"][0].numpy(), v["classes"][0].numpy(), strict=True)
            if c >= 0
        ),
        key=lambda row: -row[0],
    )
    clusters = []

    def mean(cluster):
        return sum(s * b for s, _, b in cluster) / sum(s for s, _, _ in cluster)

    for row in rows:
        ious = [float(boxes.iou(mean(c), row[2])) if c[0][1] == row[1] else -1 for c in clusters]
        if ious and max(ious) > overlap:
            clusters[int(np.argmax(ious))].append(row)
        else:
            clusters.append([row])
    fused = [(np.mean([s for s, _, _ in c]) * min(len(c), len(views)) / len(views), c[0][1], mean(c)) for c in clusters]
    return sorted(fused, key=lambda each: -each[0])


@pytest.mark.parametrize("overlap", [0.55, fusing.CLUSTER])
def test_fused_boxes_are_those_of_the_paper(overlap):
    random = np.random.default_rng(0)
    objects = random.uniform(0, 200, (10, 2))
    views = []
    for _ in range(3):
        corners = objects + random.normal(0, 1.5, (10, 2))
        both = np.concatenate([corners, corners + random.uniform(14, 20, (10, 2))], axis=1).astype("float32")
        scores = random.uniform(0.05, 1, 10).astype("float32")
        views.append(found(both.tolist(), scores.tolist(), random.integers(0, 2, 10).tolist(), rows=24))
    expected, kept = reference(views, overlap)[:24], fusing.fused(views, 2, overlap)
    count = int(kept["count"][0])
    assert count == len(expected)
    np.testing.assert_allclose(kept["scores"][0, :count], [score for score, _, _ in expected], rtol=1e-5)
    np.testing.assert_array_equal(kept["classes"][0, :count], [kind for _, kind, _ in expected])
    np.testing.assert_allclose(kept["boxes"][0, :count], [box for _, _, box in expected], rtol=1e-5)
    assert (kept["classes"].numpy()[0, count:] == boxes.PADDING).all()


def test_a_double_of_an_object_in_one_view_lowers_no_fused_score():
    one = found([[0.0, 0, 10, 10], [0, 0, 10, 9], [0, 0, 10, 10]], [0.8, 0.2, 0.4], [0, 0, 1])
    two = found([[0.0, 0, 10, 10]], [0.6], [0])
    kept = fusing.fused([one, two], 2)
    np.testing.assert_allclose(kept["scores"][0, :3], [0.7, 0.2, 0], rtol=1e-6)
    np.testing.assert_allclose(kept["boxes"][0, :2], [[0, 0, 10, 10]] * 2, rtol=1e-6)
    assert int(kept["count"][0]) == 2
