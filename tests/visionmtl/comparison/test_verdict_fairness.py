"""What arms did not have the same is said: a split that chose, the end of a search, seconds and steps not kept."""

import comparisons
import pytest

from visionmtl.comparison.verdicts import fairness, reading, sentences
from visionmtl.comparison.verdicts.judging import judge


def said(found):
    """Return the sentences of a comparison given as `comparison.json` holds it."""
    return list(fairness.of(judge(reading.Comparison.model_validate(found))))


@pytest.mark.parametrize(
    ("split", "words"),
    [
        ("test", "on validation, as the best epoch of each training was."),
        ("validation", "on the same split, which favours it a little."),
    ],
)
def test_tuned_weights_are_said_to_be_chosen_though_nothing_else_was(split, words):
    arms = [comparisons.arm("single tasks", {0: {"cars": {"AP": 0.5}}}, alone=True)]
    arms.append(comparisons.arm("tuned fixed weights", {0: {"cars": {"AP": 0.5}}}, chosen={"balancing.weights": {}}))
    first, second = said(comparisons.comparison(arms, [0], split=split))
    assert first.startswith(f"All metrics are those of the {split} split")
    assert ("best epoch of each training was chosen too" in first) == (split == "validation")
    assert second == f"The weights of 'tuned fixed weights' were chosen at the first seed {words}"


def test_a_search_that_ends_at_its_edge_is_told():
    rates = [0.001, 0.003, 0.01]
    arms = [
        comparisons.arm("single tasks", {}, alone=True, chosen={"cars": {"training.learning_rate": 0.01}, "road": {}}),
        comparisons.arm("hard", {}, chosen={"training.learning_rate": 0.01}),
        comparisons.arm("mtan", {}, chosen={"training.learning_rate": 0.003}),
    ]
    found = comparisons.comparison(arms, searched={"training.learning_rate": rates, "model.backbone": ["a", "b"]})
    edge = "Of training.learning_rate the largest value searched, 0.01, was chosen 2 times in 3: a better one may lie"
    assert any(sentence.startswith(edge) for sentence in said(found))
    arms[1]["chosen"] = {"training.learning_rate": 0.001}
    assert not any("may lie" in sentence for sentence in said(found))


def test_arms_that_took_other_seconds_or_fewer_steps_than_the_budget_are_named():
    found = comparisons.of_scores([0.5, 0.5], [0.6, 0.6], budget={"of": "seconds", "amount": 100})
    for of in found["arms"][1]["seeds"].values():
        of["seconds"] = 98
    (last,) = [sentence for sentence in said(found) if "Not all" in sentence]
    assert last.endswith("which short trainings shared out beforehand: 'single tasks' 75 (-25%).")
    found["budget"] = {"of": "steps", "amount": 375}
    assert not any("Not all" in sentence for sentence in said(found))
    found["arms"][1]["seeds"]["0"]["steps"] = 300
    assert said(found)[-1] == "Not all had 375 steps, for training ended early: 'hard' 338 (-10%)."


def test_negative_transfer_is_of_tasks_by_name():
    found = judge(reading.Comparison.model_validate(comparisons.of_scores([0.5, 0.5, 0.5], [0.45, 0.44, 0.43])))
    words = sentences.of_arm(found.arms[1])
    assert words.startswith("worse in delta-m -12.0%")
    assert "; worse (negative transfer) in cars -12.0%" in words


def test_times_of_processes_with_other_numbers_of_cores_are_said_not_to_compare():
    found = comparisons.of_scores([0.5], [0.6])
    for arm, cores in zip(found["arms"], (2, 2), strict=True):
        arm["seeds"]["0"]["cores"] = cores
    assert not any("cores" in sentence for sentence in said(found))
    found["arms"][1]["seeds"]["0"]["cores"] = 1
    assert said(found)[-1].endswith("other numbers of cores: 1 ('hard'), 2 ('single tasks').")
