"""What a comparison shows, and what it cannot: counted by hand, and told in words."""

import math

import comparisons
import pytest

from visionmtl import csvfile
from visionmtl.comparison import verdicts
from visionmtl.comparison.verdicts import reading, sentences, spreadsheet, terminal
from visionmtl.comparison.verdicts.judging import judge
from visionmtl.errors import UsageError


def judged(found):
    """Return the judgement of a comparison given as `comparison.json` holds it."""
    return judge(reading.Comparison.model_validate(found))


def only(found):
    """Return what was found of the one joint arm of a comparison."""
    return judged(found).arms[1]


def two_arms(single, joint, seeds=(0,), **others):
    """Return a comparison of two arms whose metrics are the same at every seed given."""
    arms = [
        comparisons.arm("single tasks", dict.fromkeys(seeds, single), alone=True),
        comparisons.arm("hard", dict.fromkeys(seeds, joint)),
    ]
    return comparisons.comparison(arms, seeds, **others)


def test_delta_m_is_the_mean_over_seeds_of_each_seeds_own():
    single = {
        0: {"cars": {"AP": 0.2, "AP50": 0.5}, "depth": {"RMSE": 2.0}},
        1: {"cars": {"AP": 0.4, "AP50": 0.5}, "depth": {"RMSE": 1.0}},
    }
    joint = {
        0: {"cars": {"AP": 0.3, "AP50": 0.4}, "depth": {"RMSE": 1.0}},
        1: {"cars": {"AP": 0.4, "AP50": 0.6}, "depth": {"RMSE": 1.1}},
    }
    arms = [comparisons.arm("single tasks", single, alone=True), comparisons.arm("hard", joint)]
    found = only(comparisons.comparison(arms, [0, 1], lower=["RMSE"]))
    # cars: (0.5 - 0.2) / 2 = 0.15 and (0 + 0.2) / 2 = 0.1; depth: 0.5 and -0.1
    assert found.gains["cars"].found.mean == pytest.approx(0.125)
    assert found.gains["depth"].found.mean == pytest.approx(0.2)
    assert found.delta_m.found.mean == pytest.approx(((0.15 + 0.5) / 2 + (0.1 - 0.1) / 2) / 2)


@pytest.mark.parametrize(
    ("joint", "verdict", "word"),
    [
        ([0.55, 0.56, 0.57], "better", "better"),
        ([0.45, 0.44, 0.43], "worse", "negative transfer"),
        ([0.55, 0.45, 0.5], "none", "3 seeds can show"),
    ],
)
def test_a_verdict_is_given_by_the_paired_interval(joint, verdict, word):
    found = only(comparisons.of_scores([0.5, 0.5, 0.5], joint))
    assert found.gains["cars"].verdict == verdict
    assert word in sentences.of_arm(found)


def test_what_all_seeds_share_does_not_widen_the_interval():
    single, joint = [0.3, 0.5, 0.7], [0.33, 0.56, 0.77]  # apart by ten percent at each, though seeds differ by far more
    assert only(comparisons.of_scores(single, joint)).gains["cars"].verdict == "better"


def test_one_seed_shows_nothing_and_is_said_to():
    found = judged(comparisons.of_scores([0.5], [0.9]))
    assert found.arms[1].gains["cars"].verdict == "unknown"
    assert "one seed shows nothing" in sentences.of_arm(found.arms[1])
    assert any("One seed shows nothing" in note for note in sentences.notes(found))
    assert found.findings == []


def test_a_seed_that_the_baseline_lacks_is_left_out_and_told():
    found = only(comparisons.of_scores([0.5, 0.5], [0.6, 0.7, 0.1]))
    assert found.gains["cars"].found.mean == pytest.approx(0.3)
    assert found.gains["cars"].found.seeds == 2
    assert found.told == ["Seed 2 of 'hard' left out: not all single-task models are trained at it."]


def test_a_seed_at_which_a_metric_is_not_known_is_left_out_and_told():
    found = only(comparisons.of_scores([0.5, 0.5, 0.5], [0.6, None, 0.6]))
    assert found.gains["cars"].found.seeds == 2
    assert "Seed 1 of 'hard'" in found.told[0]


def test_a_metric_at_its_best_everywhere_is_left_out_for_all_arms_and_told():
    single = {"cars": {"accuracy": 1.0, "AP": 0.5}, "depth": {"RMSE": 0.0, "d1": 0.9}}
    joint = {"cars": {"accuracy": 1.0, "AP": 0.6}, "depth": {"RMSE": 0.0, "d1": 0.9}}
    found = judged(two_arms(single, joint, lower=["RMSE"]))
    assert found.enters.metrics == {"cars": ["AP"], "depth": ["d1"]}
    assert [note.split(" is")[0] for note in found.enters.left_out] == ["cars accuracy", "depth RMSE"]
    assert found.arms[1].gains["cars"].found.mean == pytest.approx(0.2)
    assert "accuracy" in judged(two_arms(single, joint | {"cars": {"accuracy": 0.9, "AP": 0.6}})).enters.metrics["cars"]


@pytest.mark.parametrize("value", [0.0, 0.0004, None, math.nan])
def test_a_metric_that_is_0_or_unknown_in_the_baseline_is_left_out_for_all_arms(value):
    found = judged(two_arms({"cars": {"AP": value, "AP50": 0.5}}, {"cars": {"AP": 0.3, "AP50": 0.6}}, seeds=(0, 1)))
    assert found.enters.metrics == {"cars": ["AP50"]}
    assert "cars AP is left out" in found.enters.left_out[0]
    assert "at seeds 0, 1" in found.enters.left_out[0]


def test_a_small_metric_of_which_less_is_better_counts():
    metrics = {"depth": {"RMSE": 0.0004}}
    assert judged(two_arms(metrics, metrics, seeds=(0, 1), lower=["RMSE"])).enters.metrics == {"depth": ["RMSE"]}


def test_a_task_of_one_class_is_left_out_and_a_metric_of_one_class_never_counts():
    tasks = {"scene": {"kind": "classification", "classes": 1}, "cars": {"kind": "detection", "classes": 1}}
    values = {"scene": {"accuracy": 0.9}, "cars": {"AP": 0.3, "AP/van": 0.1}}
    found = judged(two_arms(values, values, tasks=tasks))
    assert found.enters.metrics == {"cars": ["AP"]}
    assert "'scene' is left out" in found.enters.left_out[0]


def test_without_any_task_left_delta_m_is_a_dash_with_its_reason():
    values = {"cars": {"accuracy": 1.0}}
    text = terminal.text(judged(two_arms(values, values, seeds=(0, 1))))
    assert "no metric of any task can enter" in " ".join(text.split())
    assert "1.000 ± 0.000              -" in text


def test_an_arm_is_held_against_the_tuned_fixed_weights_of_its_own_sharing():
    names = {"hard, tuned fixed weights": 0.55, "mtan, tuned fixed weights": 0.7, "mtan, pcgrad": 0.6}
    arms = [comparisons.arm("single tasks", {seed: {"cars": {"AP": 0.5}} for seed in range(3)}, alone=True)]
    for name, value in names.items():
        by_seed = {seed: {"cars": {"AP": value + 0.01 * seed}} for seed in range(3)}
        changes = {"model.sharing": name.split(",")[0], "balancing.method": name.split(", ")[1]}
        arms.append(comparisons.arm(name, by_seed, changes=changes))
    *_, last = judged(comparisons.comparison(arms)).arms
    assert last.rival == "mtan, tuned fixed weights"
    assert last.over_rival.found.mean == pytest.approx(-0.2)


def test_standard_errors_that_there_is_no_room_for_are_said_to_be_in_the_csv_file():
    found = judged(comparisons.large(3))
    wide, narrow = (" ".join(terminal.text(found, width).split()) for width in (300, 70))
    assert ("±" in wide, "± their standard errors" in wide) == (True, True)
    assert ("±" in narrow, "whose standard errors the CSV file has" in narrow) == (False, True)


def test_in_how_many_arms_sharing_paid_is_a_sentence():
    same = {seed: {"cars": {"AP": 0.5}} for seed in range(3)}
    arms = [comparisons.arm("single tasks", same, alone=True)]
    for name, steps in {"good": (0.1, 0.11, 0.12), "bad": (-0.1, -0.11, -0.12), "even": (0.1, -0.1, 0.0)}.items():
        arms.append(comparisons.arm(name, {seed: {"cars": {"AP": 0.5 + step}} for seed, step in enumerate(steps)}))
    assert sentences.overall(judged(comparisons.comparison(arms))) == (
        "Of 3 arms: sharing paid, by delta-m, in 1 ('good'); sharing cost more than it brought, in 1 ('bad');"
        " in 1 these seeds cannot tell."
    )


def test_how_many_verdicts_come_by_chance_is_said():
    found = judged(comparisons.large(20))
    assert found.by_chance == pytest.approx(0.05 * len(found.findings))
    assert f"{found.by_chance:.1f} would be by chance" in sentences.chance(found)
    assert all(finding.holm >= finding.found.p for finding in found.findings)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [(None, "is not there"), ('{"recipe": "garm', "is not whole"), ("{}", "cannot be understood at 'recipe'")],
)
def test_a_comparison_that_cannot_be_read_is_told_in_a_sentence(tmp_path, text, sentence):
    if text is not None:
        (tmp_path / "comparison.json").write_text(text)
    with pytest.raises(UsageError, match=sentence):
        verdicts.write(tmp_path)


def test_arms_that_are_not_finished_are_shown_and_told():
    found = comparisons.of_scores([0.5, 0.5], [0.6])
    found["arms"].append(comparisons.arm("mtan", {}))
    text = terminal.text(judged(found))
    assert "Not finished: 'hard' (1 of 2 seeds) and 'mtan' (0 of 2 seeds)." in text
    assert "There is no delta-m yet" in terminal.text(judged(comparisons.of_scores([], [0.6])))


@pytest.mark.parametrize(("arms", "tasks"), [(20, 3), (3, 2), (6, 8)])
def test_the_terminal_keeps_its_width_and_tells_what_it_does_not_show(arms, tasks):
    text = terminal.text(judged(comparisons.large(arms, tasks=tasks)))
    assert max(map(len, text.splitlines())) <= 110
    assert "Not shown for lack of room" in text


@pytest.mark.parametrize("width", [40, 60])
def test_a_narrow_terminal_keeps_its_width_too(width, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(width))
    text = terminal.text(judged(comparisons.large(6, tasks=3)))
    assert max(map(len, text.splitlines())) <= width
    assert "delta-m" in text.splitlines()[0]


def test_names_are_cut_only_where_there_is_no_room():
    text = terminal.text(judged(comparisons.large(5)))
    assert "hard, uncertainty " in text.split("\n\n")[0]
    assert "…" not in text


def test_the_csv_file_holds_every_figure(tmp_path):
    found = comparisons.large(20)
    csvfile.write(tmp_path / "comparison.csv", spreadsheet.rows(judged(found)))
    rows = csvfile.read(tmp_path / "comparison.csv")
    assert [row["arm"] for row in rows] == [arm["name"] for arm in found["arms"]]
    of = judged(found).arms[3]
    assert float(rows[3]["delta-m"]) == of.delta_m.found.mean
    assert float(rows[3]["detection gain percentile low"]) == of.gains["detection"].found.percentile_low
    assert float(rows[3]["segmentation mIoU standard error"]) > 0
    assert rows[0]["delta-m"] == ""
