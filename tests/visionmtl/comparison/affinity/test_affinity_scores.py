"""The scores of how tasks get on, and the groups made of them, counted by hand."""

import itertools

import numpy as np
import pytest

from visionmtl.comparison.affinity import bootstrap, grouping, linearised, scores

NAN = np.nan


def test_inter_task_affinity_is_the_fraction_by_which_a_step_for_one_lowers_the_loss_of_another():
    before = np.array([[2.0, 4.0]])
    after = np.array([[[1.0, 5.0], [2.2, 3.0]]])  # row: whose step
    assert scores.lookahead(before, after)[0] == pytest.approx(np.array([[0.5, -0.25], [-0.1, 0.25]]))


def test_a_task_without_labels_brings_and_gets_nothing_that_is_known():
    found = scores.lookahead(np.array([[2.0, NAN, 0.0]]), np.ones((1, 3, 3)))
    assert np.isfinite(found[0]).tolist() == [[True, False, False], [False, False, False], [False, False, False]]


def test_an_infinite_loss_is_no_number_of_a_mean():
    after = np.full((6, 2, 2), 0.9)
    after[2, 0, 1] = np.inf
    found = bootstrap.over_steps([scores.lookahead(np.ones((6, 2)), after)])
    assert found.mean == pytest.approx(np.full((2, 2), 0.1))
    assert bootstrap.over_steps([np.array([[1.0], [np.inf], [1.0]])]).mean == pytest.approx([1.0])


def test_cosines_are_those_of_the_gradients_and_unknown_beside_one_that_is_zero():
    gradients = np.array([[3.0, 4.0], [4.0, -3.0], [-6.0, -8.0], [0.0, 0.0]])
    found = scores.cosines(gradients @ gradients.T)
    assert found[:3, :3] == pytest.approx(np.array([[1, 0, -1], [0, 1, 0], [-1, 0, 1]]))
    assert np.isnan(found[3]).all()
    assert np.isnan(found[:, 3]).all()


def test_the_shared_fraction_is_of_the_images_labelled_for_either():
    assert scores.shared(np.array([[10.0, 4.0, 0.0], [4.0, 6.0, 0.0], [0.0, 0.0, 0.0]])) == pytest.approx(
        np.array([[1, 1 / 3, 0], [1 / 3, 1, 0], [0, 0, 0]])
    )


@pytest.mark.parametrize(
    ("low", "high", "common", "words"),
    [
        (0.1, 0.2, 1.0, "help"),
        (-0.2, -0.1, 0.4, "hinder"),
        (-0.1, 0.1, 1.0, "no difference"),
        (0.1, 0.2, 0.39, "no verdict"),
        (NAN, NAN, 1.0, "not measured"),
    ],
)
def test_a_verdict_needs_an_interval_beyond_zero_and_enough_images_in_common(low, high, common, words):
    assert scores.verdict(low, high, common) == words


def test_the_mean_of_both_directions_is_of_one_where_the_other_is_not_known():
    assert scores.symmetric(np.array([[1.0, 2.0], [4.0, NAN]]))[0].tolist() == [1.0, 3.0]
    assert scores.symmetric(np.array([[1.0, 2.0], [NAN, NAN]]))[1, 0] == 2.0


def test_an_interval_is_wider_where_neighbouring_steps_are_alike():
    random = np.random.default_rng(0)
    alike = np.repeat(random.normal(size=12), 10)
    mixed = random.permutation(alike)
    widths = [np.ptp([found.low, found.high]) for found in map(bootstrap.over_steps, ([alike], [mixed]))]
    assert widths[0] > 1.5 * widths[1]


@pytest.mark.parametrize("looks", [8, 20])
def test_of_100_intervals_about_95_hold_what_looks_alike_with_their_neighbours_have_for_a_mean(looks):
    random = np.random.default_rng(0)
    series = random.normal(size=(looks, 600))
    for number in range(1, looks):
        series[number] = 0.3 * series[number - 1] + np.sqrt(1 - 0.3**2) * series[number]
    found = bootstrap.over_steps([series], draws=300)
    assert 0.9 < np.mean((found.low <= 0) & (found.high >= 0)) < 0.99


def test_an_interval_holds_the_mean_and_takes_no_note_of_what_is_not_known():
    values = np.random.default_rng(0).normal(1.0, 0.1, (30, 2))
    values[::3, 1] = NAN
    found = bootstrap.over_steps([values])
    assert found.mean == pytest.approx(np.nanmean(values, axis=0))
    assert (found.low < found.mean).all()
    assert (found.mean < found.high).all()
    assert np.isnan(bootstrap.over_steps([np.full((4, 1), NAN)]).mean).all()
    assert np.isnan(bootstrap.over_steps([np.ones((1, 1))]).low).all()


def test_an_interval_is_as_wide_as_seeds_differ():
    steps = np.random.default_rng(0).normal(0, 0.01, (3, 20))
    apart = bootstrap.over_steps(list(steps + np.array([[-1.0], [0.0], [1.0]])))
    assert apart.low < -2  # three seeds: 4.3 standard errors of 0.58
    assert apart.high > 2


def toy_sketches(*directions, count=40, noise=0.3):
    """Return sketches of tasks that pull in these directions, with losses of 1."""
    random = np.random.default_rng(0)
    means = np.array(directions, float)
    gradients = means + random.normal(0, noise, (count, *means.shape))
    return linearised.Sketches(gradients, np.ones((count, len(means))))


def test_the_linearised_estimate_of_two_quadratics_is_that_counted_by_hand():
    # One direction, gradients 1 and 1 or -1 without noise: curvature 1 each.
    for sign in (1.0, -1.0):
        gradients = np.tile(np.array([[[1.0], [sign]]]), (4, 1, 1))
        found = linearised.affinities(linearised.Sketches(gradients, np.ones((4, 2))))
        damping = linearised.DAMPING
        alone, both = -1 / (1 + damping), -(1 + sign) / (2 + damping)

        def loss(step):
            return step + step**2 / 2

        assert found[0, 1] == pytest.approx(loss(alone) - loss(both) if sign > 0 else loss(alone) - loss(0.0))
        assert found[1, 0] == pytest.approx(found[0, 1])
    assert found[0, 1] < 0


def test_the_linearised_estimate_tells_company_from_conflict():
    found = linearised.affinities(toy_sketches([1, 0, 0, 0], [1, 0, 0, 0], [-1, 0, 0, 0], [0, 0, 1, 0]))
    assert found[2, 0] < -0.1 < found[3, 0] < 0.05 < found[1, 0]
    assert np.isnan(np.diag(found)).all()


def test_the_linearised_estimate_passes_over_a_task_without_labels():
    sketches = toy_sketches([1, 0], [1, 0], [0, 1])
    sketches.gradients[:, 2], sketches.losses[:, 2] = NAN, NAN
    found = linearised.estimate([sketches]).interval()
    assert np.isfinite(found.mean[0, 1])
    assert found.low[0, 1] < found.high[0, 1]
    assert np.isnan(found.mean[:, 2]).all()
    assert np.isnan(found.mean[2]).all()


def test_subsets_are_all_of_a_few_tasks_and_some_of_many():
    assert len(linearised.subsets(3)) == 7
    many = linearised.subsets(12)
    assert many.shape == (linearised.SUBSETS, 12)
    assert (many.sum(axis=1) == 6).all()


def divisions(tasks):
    """Yield every division of some tasks."""
    if not tasks:
        yield []
        return
    for size in range(len(tasks)):
        for others in itertools.combinations(tasks[1:], size):
            rest = [task for task in tasks[1:] if task not in others]
            for division in divisions(rest):
                yield [[tasks[0], *others], *division]


@pytest.mark.parametrize("models", [1, 2, 3])
def test_no_division_among_so_many_models_brings_more(models):
    affinities = np.random.default_rng(models).normal(size=(6, 6))
    totals = {count: [] for count in range(7)}
    for division in divisions(list(range(6))):
        totals[len(division)].append(sum(grouping.value(affinities, group) for group in division))
    best, worst = grouping.best(affinities, models), grouping.worst(affinities, models)
    assert best.score == pytest.approx(max(itertools.chain(*(totals[count] for count in range(models + 1)))))
    assert worst.score == pytest.approx(min(totals[models]))
    assert sorted(itertools.chain(*best.groups)) == list(range(6))


def test_what_hinders_all_others_is_alone():
    affinities = np.array([[0, 0.2, -0.1], [0.2, 0, -0.1], [-0.1, -0.1, 0]])
    found = grouping.best(affinities, 2)
    assert found.groups == [[0, 1], [2]]
    assert found.score == pytest.approx(0.4)
    assert found.exact


def test_what_is_not_known_brings_nothing():
    affinities = np.full((3, 3), NAN)
    affinities[0, 1] = affinities[1, 0] = 1.0
    assert grouping.best(affinities, 2).groups == [[0, 1], [2]]


def test_more_than_ten_tasks_are_divided_by_their_tree():
    affinities = np.kron(np.eye(3), np.ones((4, 4))) - 0.5
    found = grouping.best(affinities, 3)
    assert sorted(found.groups) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]
    assert not found.exact


def test_a_tree_is_cut_into_fewer_groups_where_that_brings_more():
    affinities = np.full((12, 12), 0.1)
    for last, count in ((0.08, 1), (0.04, 2)):  # it costs the others less than it brings and gets, or more
        affinities[-1], affinities[:, -1] = last, last
        assert len(grouping.best(affinities, 2).groups) == count
