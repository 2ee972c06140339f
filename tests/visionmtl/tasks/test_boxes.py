"""Box mathematics against numbers worked out by hand."""

import numpy as np
import pytest
import tensorflow as tf

from visionmtl.tasks import boxes


def test_points_are_the_centres_of_cells_row_by_row():
    centres, steps = boxes.points([(2, 3), (1, 1)], [4, 8])
    assert centres.numpy().tolist() == [[2, 2], [6, 2], [10, 2], [2, 6], [6, 6], [10, 6], [4, 4]]
    assert steps.numpy().tolist() == [4, 4, 4, 4, 4, 4, 8]


def test_distances_and_boxes_are_inverse():
    centres = tf.constant([[10.0, 20.0], [5.0, 5.0]])
    wanted = tf.constant([[[1.0, 2.0, 30.0, 40.0], [0.0, 4.0, 9.0, 7.0]]])
    distances = boxes.to_distances(centres, wanted)
    assert distances[0, 0].numpy().tolist() == [9, 18, 20, 20]
    np.testing.assert_allclose(boxes.from_distances(centres, distances), wanted)


@pytest.mark.parametrize(
    ("other", "iou", "giou"),
    [
        ((0, 0, 2, 2), 1.0, 1.0),
        ((1, 0, 3, 2), 2 / 6, 2 / 6),  # the hull is the union
        ((2, 2, 4, 4), 0.0, 0 - (16 - 8) / 16),
        ((5, 0, 5, 0), 0.0, 0 - (10 - 4) / 10),  # no area
    ],
)
def test_iou_and_giou_of_known_boxes(other, iou, giou):
    a, b = tf.constant([0.0, 0.0, 2.0, 2.0]), tf.constant(other, tf.float32)
    assert float(boxes.iou(a, b)) == pytest.approx(iou, abs=1e-6)
    assert float(boxes.giou(a, b)) == pytest.approx(giou, abs=1e-6)


def test_pairwise_iou_equals_iou_of_each_pair():
    random = np.random.default_rng(0)
    corner = random.uniform(0, 50, (2, 7, 2))
    made = tf.constant(np.concatenate([corner, corner + random.uniform(1, 30, corner.shape)], -1), tf.float32)
    a, b = made[:, :3], made[:, 3:]
    np.testing.assert_allclose(boxes.pairwise_iou(a, b), boxes.iou(a[:, :, None], b[:, None]), atol=1e-6)


def test_a_box_that_is_kept_is_the_mean_of_those_of_its_object():
    placed = tf.constant([[[0.0, 0, 10, 10], [0, 0, 10, 12], [0, 0, 10, 30], [50, 50, 60, 60]]] * 2)
    scores = tf.constant([[[0.8, 0.1], [0.4, 0.3], [0.7, 0.0], [0.0, 0.5]], [[0.0, 0.0]] * 4])
    kept = boxes.suppress(placed, scores, limit=6)
    found = boxes.vote(kept, placed, scores)
    assert kept["classes"][0].numpy().tolist() == [0, 0, 1, 1, -1, -1]  # the first, the third, the fourth, the second
    low = (0.8**2 * 10 + 0.4**2 * 12) / (0.8**2 + 0.4**2)
    of_second = (0.1**2 * 10 + 0.3**2 * 12) / (0.1**2 + 0.3**2)
    expected = [[0, 0, 10, low], [0, 0, 10, 30], [50, 50, 60, 60], [0, 0, 10, of_second]]
    np.testing.assert_allclose(found["boxes"][0, :4], expected, rtol=1e-6)
    np.testing.assert_array_equal(found["boxes"][:, 4:], 0)
    for key in ("scores", "classes", "count"):
        np.testing.assert_array_equal(found[key], kept[key])


def test_a_mean_that_has_moved_is_voted_on_by_those_around_it():
    placed = tf.constant([[[0.0, 0, 10, 10], [0, 0, 10, 16], [0, 0, 10, 20]]])
    scores = tf.constant([[[0.9], [0.8], [0.6]]])
    found = boxes.vote(boxes.suppress(placed, scores), placed, scores)
    weights = np.square([0.9, 0.8, 0.6])
    np.testing.assert_allclose(found["boxes"][0, 0], [0, 0, 10, weights @ [10, 16, 20] / weights.sum()], rtol=1e-6)


def _assign(true_boxes, true_classes, predicted=None, rule=None):
    centres, steps = boxes.points([(8, 8)], [8])
    predicted = boxes.from_distances(centres, tf.fill((64, 4), 8.0)) if predicted is None else predicted
    scores = tf.fill((1, 64, 2), 0.1)
    truth = tf.constant([true_boxes], tf.float32), tf.constant([true_classes])
    matched = boxes.assign(scores, predicted[None], centres, steps, *truth, rule or boxes.Rule())
    return {name: value.numpy()[0] for name, value in matched.items()}, centres.numpy()


def test_an_object_takes_points_inside_it_only():
    centres, _ = boxes.points([(8, 8)], [8])
    unequal = boxes.from_distances(centres, tf.repeat(tf.linspace(6.0, 10.0, 64)[:, None], 4, axis=1))
    matched, centres = _assign([[8, 8, 45, 38]], [1], unequal)
    taken = centres[matched["positive"]]
    assert len(taken) == 10
    assert (taken > 8).all()
    assert (taken < [45, 38]).all()


def test_the_best_point_should_score_its_iou_and_is_aligned_best():
    truth = [16.0, 16.0, 32.0, 32.0]
    centres, _ = boxes.points([(8, 8)], [8])
    predicted = boxes.from_distances(centres, tf.fill((64, 4), 8.0))
    matched, _ = _assign([truth], [0])
    best = float(tf.reduce_max(boxes.iou(tf.constant(truth), predicted)))
    assert matched["alignment"].max() == pytest.approx(1.0)
    assert matched["quality"].max() == pytest.approx(best, abs=2e-3)


def test_an_object_smaller_than_a_cell_still_gets_a_point():
    matched, centres = _assign([[15.0, 15.0, 17.0, 17.0]], [0])  # centres lie at 12 and 20
    assert matched["positive"].sum() == 4
    assert np.abs(centres[matched["positive"]] - 16).max() == 4


def test_an_object_smaller_than_the_region_takes_the_points_of_it():
    taken = {}
    for region in (1.0, 3.0):
        matched, centres = _assign([[15.0, 15.0, 17.0, 17.0]], [0], rule=boxes.Rule(region=region, candidates=20))
        taken[region] = np.abs(centres[matched["positive"]] - 16).max(axis=1).tolist()
    assert sorted(taken[1.0]) == [4] * 4
    assert sorted(taken[3.0]) == [4] * 4 + [12] * 12


def test_what_is_ignored_is_not_grown_with_the_region():
    ignored = [_assign([[0, 0, 16, 16]], [boxes.IGNORED], rule=boxes.Rule(region=r))[0]["ignored"] for r in (1.0, 9.0)]
    np.testing.assert_array_equal(*ignored)


def test_a_tiny_box_that_is_a_little_off_is_close_by_its_corners_and_a_large_one_by_its_overlap():
    def both(size, off):
        a, b = (tf.constant([[[x, x, x + size, x + size]]], tf.float32) for x in (0.0, off))
        return [float(pairwise(a, b)[0, 0, 0]) for pairwise in (boxes.pairwise_iou, boxes.pairwise_nwd)]

    assert both(8, 0) == pytest.approx([1, 1])
    overlap, near = both(8, 2)
    assert near == pytest.approx(np.exp(-np.sqrt(8) / 12.8), rel=1e-5)  # centres 2 and 2 apart, sides alike
    assert near > overlap
    overlap, near = both(200, 20)
    assert near < overlap
    more = boxes.pairwise_nwd(tf.constant([[[0.0, 0, 8, 8]]]), tf.constant([[[0.0, 0, 8, 12]]]))
    assert float(more[0, 0, 0]) == pytest.approx(
        np.exp(-np.sqrt(2**2 + 4**2 / 4) / 12.8), rel=1e-5
    )  # centre 2 off, side 4 more


def test_cells_a_little_off_a_tiny_object_are_aligned_better_by_their_corners():
    centres, _ = boxes.points([(8, 8)], [8])
    predicted = boxes.from_distances(centres, tf.fill((64, 4), 4.0))
    truth = [[18.0, 18.0, 26.0, 26.0]]
    sums = [
        _assign(truth, [0], predicted, boxes.Rule(region=2.0, closeness=closeness))[0]["alignment"].sum()
        for closeness in ("iou", "nwd")
    ]
    assert sums[1] > sums[0] * 1.3


def test_powers_and_candidates_are_those_of_the_rule():
    given = ([[8, 8, 45, 38]], [1])
    few, _ = _assign(*given, rule=boxes.Rule(candidates=3, overlap_power=6.000001, score_power=0.5000001))
    usual, _ = _assign(*given, rule=boxes.Rule(candidates=3))
    np.testing.assert_allclose(few["alignment"], usual["alignment"], rtol=1e-4)
    flat, _ = _assign(*given, rule=boxes.Rule(overlap_power=0.0))
    np.testing.assert_allclose(flat["alignment"][flat["positive"]], 1.0)


def test_a_point_of_two_objects_goes_to_the_one_it_overlaps_most():
    matched, centres = _assign([[0, 0, 64, 64], [8, 8, 24, 24]], [0, 1])
    inner = np.argmin(np.abs(centres - 12).sum(1))
    assert matched["object"][inner] == 1
    assert set(matched["object"][matched["positive"]]) == {0, 1}


def test_padding_takes_nothing_and_an_ignored_region_only_ignores():
    matched, centres = _assign([[8, 8, 24, 24], [32, 32, 64, 64], [0, 0, 0, 0]], [0, boxes.IGNORED, boxes.PADDING])
    assert (centres[matched["positive"]] < 24).all()
    assert (centres[matched["ignored"]] > 32).all()
    assert matched["ignored"].sum() == 16


def test_suppression_keeps_the_best_of_overlapping_boxes_of_a_class_and_pads():
    found = tf.constant([[[0, 0, 10, 10], [1, 0, 11, 10], [20, 20, 30, 30]]], tf.float32)
    scores = tf.constant([[[0.9, 0.0], [0.8, 0.7], [0.5, 0.0]]])
    kept = {name: value.numpy()[0] for name, value in boxes.suppress(found, scores, limit=5).items()}
    assert kept["count"] == 3
    np.testing.assert_allclose(kept["scores"], [0.9, 0.7, 0.5, 0, 0], atol=1e-6)
    assert kept["classes"].tolist() == [0, 1, 0, -1, -1]
    assert kept["boxes"][:3].tolist() == [[0, 0, 10, 10], [1, 0, 11, 10], [20, 20, 30, 30]]
    assert (kept["boxes"][3:] == 0).all()


def test_what_a_drawing_leaves_out_lies_on_a_better_box():
    random = np.random.default_rng(0)
    corners = random.uniform(0, 30, (40, 2)).astype("float32")
    drawn = np.concatenate([corners, corners + random.uniform(1, 9, (40, 2)).astype("float32")], axis=1)
    drawn = np.concatenate([drawn, drawn + random.uniform(-1, 1, (40, 4)).astype("float32")])
    expected = np.triu(boxes.iou(drawn[:, None], drawn[None]).numpy() > 0.8, k=1).any(axis=0)
    assert 0 < expected.sum() < 40
    np.testing.assert_array_equal(boxes.covered(drawn), expected)
    assert boxes.covered(drawn[:0]).tolist() == []
