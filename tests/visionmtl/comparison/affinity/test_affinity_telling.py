"""What is told of an affinity: figures, charts, a page, recipes to train, and how well scores rank gains."""

import json

import numpy as np
import pytest
from affinity_records import TASKS, record

from visionmtl import cli, recipe, stopping
from visionmtl.comparison import affinity
from visionmtl.comparison.affinity import charts, figures, groups, joint, on_page, page, planted, selftest, verifying
from visionmtl.comparison.affinity.look import WHOLE, Look
from visionmtl.errors import UsageError

SMALL = [
    *("data.image_size=[64, 64]", "data.batch_size=4", "data.options={train: 16, validation: 4, test: 4}"),
    *("model.backbone=toy", "model.weights=null", "model.neck.channels=8", "balancing.method=equal"),
    *("training.epochs=3", "training.verbose=0", "training.validate_every=3", "balancing.watch=null"),
    "tasks=[classification, segmentation]",
]


def test_pairs_have_verdicts_and_tasks_that_get_on_are_grouped():
    found = figures.figures({0: record(), 1: record(seed=1), 2: record(seed=2)}, 2)
    assert [pair["verdict"] for pair in found["pairs"]] == ["help", "hinder", "hinder"]
    assert found["groupings"]["lookahead"]["groups"] == [["classification", "detection"], ["segmentation"]]
    assert found["scores"]["lookahead"]["mean"][0][1] == pytest.approx(0.2, abs=0.01)
    json.dumps(found, allow_nan=False)


def test_a_pair_with_few_images_in_common_has_no_verdict_and_joins_nobody():
    likes = record(common=0.2)
    likes = likes._replace(lookahead=np.abs(likes.lookahead))
    found = figures.figures({0: likes}, 2)
    assert [pair["verdict"] for pair in found["pairs"]] == ["help", "no verdict", "no verdict"]
    assert found["groupings"]["lookahead"]["groups"] == [["classification", "detection"], ["segmentation"]]
    assert charts.verdicts(found)[1][-1] == "no verdict: 11% labelled for both, 40% needed"


def test_a_task_without_a_label_is_told_as_not_measured(tmp_path):
    blind = record(common=0.0)
    blind.both[-1, -1] = 0
    for values in (blind.lookahead, blind.cosines["P2"], blind.cosines[WHOLE]):
        values[:, -1], values[:, :, -1] = np.nan, np.nan
    blind.sketches.gradients[:, -1], blind.sketches.losses[:, -1] = np.nan, np.nan
    found = figures.figures({0: blind}, 2)
    assert [pair["verdict"] for pair in found["pairs"]] == ["help", "no verdict", "no verdict"]
    assert len(charts.write_all(tmp_path, found, {0: blind})) == 5
    labels = [text.get_text() for text in charts.levels(found, {0: blind}).axes[0].texts]
    assert not any("segmentation" in label for label in labels), "its cosines are noise"
    json.dumps(found, allow_nan=False)


@pytest.fixture
def looked_at(monkeypatch, tmp_path):
    """An affinity of records that were not trained, told in a folder."""
    monkeypatch.setattr(joint, "record", lambda given, run, validated: record(seed=given.training.seed))
    monkeypatch.chdir(tmp_path)


def test_the_folder_holds_page_figures_charts_and_recipes(looked_at, tmp_path, capsys):
    assert cli.main(["affinity", "garments", "training.epochs=2", "--seeds", "2"]) == 0
    folder = tmp_path / "runs" / "affinity-garments-1"
    kept = json.loads((folder / "affinity.json").read_text())
    assert kept["command"] == "visionmtl affinity garments training.epochs=2 --models 2 --seeds 2"
    assert list(kept["seeds"]) == ["0", "1"]
    assert sorted(path.stem for path in (folder / "plots").glob("*.png")) == sorted([*figures.SCORES, "levels", "tree"])
    page = (folder / "affinity.html").read_text()
    assert "Cheap scores predict poorly" in page
    assert "hold here was not measured" in page
    assert "affinity-garments-1: which tasks help each other?</h1>" in page
    assert "What was planted" not in page
    first, second = (recipe.load(folder / f"group-{number}.yaml") for number in (1, 2))
    assert (list(first.tasks), list(second.tasks)) == (["classification", "detection"], ["segmentation"])
    assert (first.name, second.tasks["segmentation"]) == ("garments-group-1", {"dice": 2.0})
    printed = capsys.readouterr().out
    assert "1.20 of the time of the training alone" in printed
    assert "group-2.yaml: segmentation" in printed


def test_a_matrix_says_what_its_colours_are_and_small_cosines_are_pale():
    found = figures.figures({0: record()}, 2)
    found["scores"]["cosine"]["mean"] = [[1, 0.03, 0.01], [0.03, 1, -0.02], [0.01, -0.004, 1]]
    *_, cosines = sorted(on_page.matrices(found), key=lambda each: each.title.startswith("cosine"))
    assert cosines.rows[0][1].part == pytest.approx(0.15)
    assert [cell.text for cell in cosines.rows[2]] == ["0.01", "0.00", ""]  # not -0.00
    assert "Blue helps, orange hinders; the colours are full at 0.2." in cosines.note


@pytest.mark.parametrize(
    ("holds", "told"), [("NO", "1 of 2 claims\ndo not hold: the self-test failed"), ("yes", "All claims hold.")]
)
def test_the_page_of_a_self_test_says_whether_all_holds(tmp_path, holds, told):
    found = figures.figures({0: record()}, 2) | {"recipe": "self-test", "recipes": False, "command": "visionmtl x"}
    checks = [["the copy comes top", "+0.01", holds], ["the opposed task is negative", "-0.3", "yes"]]
    text = page.write(tmp_path, found, {0: record()}, checks).read_text()
    assert "What was planted" in text
    assert told in text


def test_a_grouping_anew_leaves_no_recipe_of_the_one_before(tmp_path):
    given = recipe.load("garments")
    groups.write(tmp_path, given, [["classification"], ["detection"], ["segmentation"]])
    groups.write(tmp_path, given, [["classification", "detection", "segmentation"]])
    assert [path.name for path in tmp_path.glob("group-*.yaml")] == ["group-1.yaml"]


def test_what_is_stopped_says_how_to_go_on(monkeypatch, tmp_path):
    def stop(*given):
        raise KeyboardInterrupt

    monkeypatch.setattr(joint, "record", stop)
    with pytest.raises(stopping.Stopped, match="Go on with: visionmtl affinity garments --run"):
        affinity.affinity(recipe.load("garments"), tmp_path / "a", command="visionmtl affinity garments")


def test_a_folder_of_another_recipe_is_not_taken_for_this_one(tmp_path):
    run = tmp_path / "a" / "seed-0"
    run.mkdir(parents=True)
    (run / "recipe.yaml").write_text(recipe.load("garments", ["training.epochs=9"]).dump())
    with pytest.raises(UsageError, match="was trained from another recipe"):
        affinity.affinity(recipe.load("garments"), tmp_path / "a")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "Give a recipe whose tasks to look at, or --self-test"),
        (["garments", "--self-test"], "Give a recipe whose tasks to look at, or --self-test"),
        (["garments", "tasks=[detection]"], "The one task 'detection' has none to get on with"),
        (["garments", "--models", "0"], "models=0: expected a whole number of at least 1"),
        (["garments", "--verify", "2"], "verify=2.0: expected a number above 0 and up to 1"),
    ],
)
def test_a_mistake_is_one_sentence_and_leaves_nothing(arguments, sentence, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["affinity", *arguments]) == 2
    assert sentence in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_more_than_ten_tasks_are_told_to_be_divided_by_their_tree(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(joint, "record", lambda given, run, validated: record([f"task{n}" for n in range(11)]))
    found = affinity.affinity(recipe.load("garments", ["tasks=null"]), tmp_path, models=3)
    assert not found["groupings"]["lookahead"]["exact"]
    assert "of more than ten tasks the tree is cut" in capsys.readouterr().out


def test_a_tenth_of_the_budget_is_a_tenth_of_the_steps():
    given = recipe.load("garments", ["training.epochs=10", "training.warmup_epochs=2"])
    tenth = groups.shortened(given, 0.1, steps=100).training
    assert (tenth.epochs, tenth.steps, tenth.warmup_epochs) == (1, 100, 0.5)
    third = groups.shortened(given, 0.25, steps=100).training
    assert (third.epochs, third.steps, third.validate_every) == (3, 84, 3), "250 steps, not the 300 of three epochs"


def test_rank_correlations_are_those_counted_by_hand():
    gained = np.array([[0, 1.0, 2.0], [3.0, 0, 4.0], [5.0, 6.0, 0]])
    assert verifying.correlations(10 * gained, gained)["spearman"]["value"] == pytest.approx(1.0)
    assert verifying.correlations(-gained, gained)["kendall"]["value"] == pytest.approx(-1.0)
    swapped = gained.copy()
    swapped[0, 1], swapped[0, 2] = 2.0, 1.0
    # Of six, two neighbours changed places: 1 - 6 * 2 / (6 * 35), and one of fifteen pairs.
    found = verifying.correlations(swapped, gained)
    assert found["spearman"]["value"] == pytest.approx(1 - 12 / 210)
    assert found["kendall"]["value"] == pytest.approx(1 - 2 / 15)
    assert found["kendall"]["low"] is None, "three pairs, drawn anew, say nothing"
    random = np.random.default_rng(0)
    four = random.normal(size=(4, 4))
    found = verifying.correlations(four + random.normal(size=(4, 4)), four)
    assert found["kendall"]["low"] < found["kendall"]["value"] < found["kendall"]["high"]
    assert verifying.correlations(np.full((3, 3), np.nan), gained)["kendall"] == dict.fromkeys(("value", "low", "high"))


def test_every_pair_and_every_task_alone_is_trained_for_a_part_of_the_budget(looked_at, monkeypatch, tmp_path, capsys):
    trained = []

    def results(given, run):
        trained.append(("+".join(given.tasks), given.training.epochs, given.training.steps, run.name))
        better = len(given.tasks) > 1 and "segmentation" not in given.tasks
        return {task: {"AP": 1.1 if better else 1.0} for task in given.tasks}, 12

    monkeypatch.setattr(verifying, "_results", results)
    found = affinity.affinity(recipe.load("garments", ["training.epochs=3"]), tmp_path, verify=0.1)
    assert [name for name, *_ in trained] == [run for *_, run in trained]
    assert len(trained) == 6
    assert {(epochs, steps) for _, epochs, steps, _ in trained} == {(1, 12)}  # of 120
    assert found["verified"]["pairs"][0] == {"tasks": TASKS[:2], "gains": [pytest.approx(0.1), pytest.approx(0.1)]}
    assert found["verified"]["ranks"]["lookahead"]["spearman"]["value"] > 0.5
    assert "Rank correlation with the gains" in capsys.readouterr().out
    assert "for 10% of the budget" in (tmp_path / "affinity.html").read_text()


def planted_figures(opposed=-0.1, shuffled=0.0):
    """Figures of the planted tasks, with affinities as given."""
    likes = np.array([[1, 0.5, shuffled, opposed], [0.5, 1, shuffled, opposed], [shuffled] * 4, [opposed] * 4])
    likes[2:, 2:] = 0
    made = record(planted.NAMES)
    noise = np.random.default_rng(0).normal(0, 0.01, made.lookahead.shape)
    return figures.figures({0: made._replace(lookahead=likes + noise)}, 2)


def test_the_self_test_finds_what_was_planted_and_says_what_is_not():
    totals = {"best": np.array([1.0, 1.0]), "worst": np.array([2.0, 2.0])}
    assert all(check.holds for check in selftest.judge(planted_figures(), totals))
    held = [check.holds for check in selftest.judge(planted_figures(opposed=0.6, shuffled=0.3), totals)]
    assert held == [False, False, False, False, False, False, True]
    turned = {"best": totals["worst"], "worst": totals["best"]}
    assert [check.holds for check in selftest.judge(planted_figures(), turned)][-1] is False


@pytest.mark.slow
def test_planted_labels_are_the_class_a_copy_of_it_and_what_says_nothing():
    data = planted.data(64, 32)
    (_, labels, weights), *_ = data.splits["validation"]
    assert list(labels) == list(weights) == list(planted.NAMES)
    garment, copied, shuffled, opposed = (np.array(labels[name]) for name in planted.NAMES)
    assert (garment == copied).all()
    assert (garment == opposed).all()
    assert (garment == shuffled).mean() < 0.3
    (_, again, _), *_ = data.splits["validation"]
    assert (np.array(again[planted.SHUFFLED]) == shuffled).all()
    assert len(set(shuffled)) > 5


def test_the_opposed_head_tells_the_class_and_its_features_are_asked_to_hide_it():
    import tensorflow as tf

    task = planted.Opposed("opposed", 2)
    features = tf.Variable([[1.0, -1.0]])
    layer = planted.Adversary(2)
    layer.build((1, 2))
    layer.kernel.assign([[2.0, 0.0], [0.0, 2.0]])
    with tf.GradientTape() as tape:
        told, hidden = layer(features)
        loss = task.loss(tf.constant([0]), {"logits": told, "hidden": hidden})
    by_features, by_head = tape.gradient(loss, [features, layer.kernel.value])
    # Logits 2 and -2: the mean cross-entropy with one half each, and its slope towards equal logits.
    sure = 1 / (1 + np.exp(-4))
    assert loss.numpy()[0] / planted.STRENGTH == pytest.approx(-0.5 * (np.log(sure) + np.log(1 - sure)))
    assert by_features[0, 0] > 0 > by_features[0, 1]
    assert by_head[0, 0] < 0  # the head would tell class 0 more surely


@pytest.mark.slow
@pytest.mark.usefixtures("toy_by_name")
def test_a_training_is_looked_at_goes_on_after_a_stop_and_is_not_made_again(tmp_path, capsys, monkeypatch):
    given = recipe.load("garments", SMALL)
    stop_at, look = iter(range(99)), Look.__call__

    def looked(self, data):
        if next(stop_at) == 3:
            raise KeyboardInterrupt
        return look(self, data)

    monkeypatch.setattr(Look, "__call__", looked)
    with pytest.raises(stopping.Stopped, match="Go on with: "):
        affinity.affinity(given, tmp_path)
    found = affinity.affinity(given, tmp_path, models=1)
    assert found["tasks"] == ["classification", "segmentation"]
    assert found["shared"] == [[1, 1], [1, 1]]
    steps = found["seeds"]["0"]["steps"]
    assert steps[:2] == [2, 3]  # of the first epoch
    assert steps == sorted(set(steps))
    assert steps[-1] > 8  # of the last, which began after the stop
    assert set(found["levels"]) == {"P2", "P3", "P4", "P5", "neck", WHOLE}
    assert (tmp_path / "seed-0" / "report.html").is_file()
    assert list(recipe.load(tmp_path / "group-1.yaml").tasks) == ["classification", "segmentation"]
    capsys.readouterr()
    affinity.affinity(given, tmp_path, models=2)
    assert "Tracing" not in capsys.readouterr().out, "what is trained is not trained again"


def test_a_scheme_that_shares_nothing_leaves_no_folder(monkeypatch, tmp_path):
    from visionmtl.comparison.affinity.look import NothingSharedError

    def refuse(given, run, validated):
        run.mkdir(parents=True)
        raise NothingSharedError("nothing")

    monkeypatch.setattr(joint, "record", refuse)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NothingSharedError):
        affinity.affinity(recipe.load("garments"))
    assert not list((tmp_path / "runs").iterdir())


@pytest.mark.slow
def test_what_is_planted_is_found_again():
    size = selftest.Size(train=1024, epochs=8, validation=32)
    data = planted.data(size.train, size.validation)
    found = figures.figures({seed: selftest.look(data, seed, size) for seed in range(2)}, models=2)
    score = {frozenset(pair["tasks"]): pair["lookahead"]["mean"] for pair in found["pairs"]}
    copied = score[frozenset((planted.GARMENT, planted.COPY))]
    assert copied > 0
    for task in (planted.GARMENT, planted.COPY):
        assert abs(score[frozenset((task, planted.SHUFFLED))]) < 0.2 * copied
        assert score[frozenset((task, planted.OPPOSED))] < 0
    assert [planted.GARMENT, planted.COPY] in found["groupings"]["lookahead"]["groups"]
