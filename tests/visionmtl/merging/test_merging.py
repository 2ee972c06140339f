"""Task vectors merged, against what the papers say, and runs merged into one model."""

import contextlib
import io
import json
import shutil

import keras
import numpy as np
import pytest
from small_recipe import small

import visionmtl
from visionmtl import cli, merging, training
from visionmtl.errors import UsageError
from visionmtl.files import write_text
from visionmtl.layers.normalisation import FusedBatchNormalization
from visionmtl.merging import arithmetic, statistics, ties
from visionmtl.merging.task_vectors import merged
from visionmtl.training import building, runs

pytestmark = pytest.mark.usefixtures("toy_by_name")


def weights(seed, shapes=((3, 4), (5,), (2, 2, 2))):
    random = np.random.default_rng(seed)
    return [random.normal(size=shape).astype("float32") for shape in shapes]


def ties_in_words(vectors, keep):
    """Algorithm 1 of the paper, number by number, in float64."""
    flat = [np.concatenate([part.ravel() for part in vector]).astype(float) for vector in vectors]
    for vector in flat:
        small_ones = sorted(range(len(vector)), key=lambda place: abs(vector[place]))
        for place in small_ones[: len(vector) - round(keep * len(vector))]:
            vector[place] = 0.0
    merged_ = []
    for numbers in zip(*flat, strict=True):
        positive, negative = (sum(n for n in numbers if n * sign > 0) for sign in (1, -1))
        elected = 1 if positive > -negative else -1
        chosen = [n for n in numbers if n * elected > 0]
        merged_.append(sum(chosen) / len(chosen) if chosen else 0.0)
    return np.array(merged_)


@pytest.mark.parametrize(("models", "keep"), [(2, 0.2), (2, 1.0), (5, 0.7)])
def test_ties_is_the_papers_algorithm(models, keep):
    vectors = [weights(seed) for seed in range(models)]
    found = np.concatenate([part.ravel() for part in ties.agreed(vectors, keep)])
    np.testing.assert_allclose(found, ties_in_words(vectors, keep), atol=1e-12)


def test_a_model_merged_with_itself_is_that_model_and_vectors_of_weight_one_are_summed():
    start, trained, other = weights(0), weights(1), weights(2)
    for method, scale in ((arithmetic.summed, 0.5), (lambda vectors: ties.agreed(vectors, keep=1.0), 1.0)):
        for a, b in zip(merged(start, [trained, trained], method, scale), trained, strict=True):
            np.testing.assert_allclose(a, b, atol=1e-6)
    summed = merged(start, [trained, other], arithmetic.summed, 1.0)
    for at, a, b, found in zip(start, trained, other, summed, strict=True):
        np.testing.assert_allclose(found, at + (a - at) + (b - at), atol=1e-6)


def test_measured_statistics_are_those_of_the_batches():
    image = keras.Input((8, 8, 3))
    norm = FusedBatchNormalization()
    stage = keras.Model(image, norm(image))
    batches = [np.random.default_rng(seed).normal(seed, 1 + seed, (4, 8, 8, 3)).astype("float32") for seed in range(3)]
    assert statistics.measure([stage], batches) == 3
    np.testing.assert_allclose(norm.moving_mean, np.mean(batches, axis=(0, 1, 2, 3)), rtol=1e-4)
    within = np.mean([each.var(axis=(0, 1, 2)) for each in batches], axis=0)
    np.testing.assert_allclose(norm.moving_variance, within, rtol=1e-4)
    assert norm.momentum == 0.99


def bare(folder, *overrides, version=visionmtl.__version__):
    """A run folder of a recipe, without a model."""
    run = runs.new(small("balancing={method: equal}", *overrides), folder)
    write_text(run / "about.json", json.dumps([{"versions": {"visionmtl": version}}]))
    return run


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The start of two runs of a task each, and these, as trainings would have left them: all weights have moved."""
    folder = tmp_path_factory.mktemp("runs")
    specs = {spec.name: spec for spec in building.data(small(), ["validation"]).specs}
    start = folder / "start.keras"
    building.model(small("tasks=[classification]"), [specs["classification"]], steps=1).save_without_state(start)
    made = []
    for seed, task in enumerate(("segmentation", "classification")):
        run = bare(folder / task, f"model.start={start}", f"tasks=[{task}]")
        model, random = building.model(runs.read_recipe(run), [specs[task]], steps=1), np.random.default_rng(seed)
        model.start_from(runs.load_model(start)[0])
        model.set_weights([w + 0.02 * abs(random.normal(size=w.shape)) for w in model.get_weights()])
        model.save_without_state(run / "best.keras")
        made.append(run)
    return start, *made


@pytest.fixture(scope="module")
def loaded(trained):
    """The models of the start and of the two runs."""
    return [runs.load_model(each)[0] for each in trained]


@pytest.fixture(scope="module")
def both(trained, tmp_path_factory):
    """The two runs merged, and what was printed."""
    out, told = tmp_path_factory.mktemp("merged") / "both", io.StringIO()
    with contextlib.redirect_stdout(told):
        assert cli.main(["merge", *map(str, trained[1:]), "--out", str(out), "--batches", "0", "--scale", "1"]) == 0
    return out, told.getvalue()


@pytest.mark.slow
def test_merged_runs_have_the_sum_of_what_they_learnt_and_heads_as_they_were(loaded, both):
    (start, *ends), (out, told) = loaded, both
    assert "statistics of batch normalisation the mean of the runs'." in told
    model, recipe = runs.load_model(out)
    assert list(model.tasks) == list(recipe.tasks) == ["segmentation", "classification"]
    assert model.parts["backbone"]
    for name in model.parts["backbone"]:
        stage, one, other, at = (each.get_layer(name) for each in (model, *ends, start))
        learnt = (each.trainable_variables for each in (stage, one, other, at))
        still = (each.non_trainable_variables for each in (stage, one, other))
        for found, a, b, begun in zip(*learnt, strict=True):
            np.testing.assert_allclose(found, a + b - begun, atol=1e-5)
        for found, a, b in zip(*still, strict=True):
            np.testing.assert_allclose(found, (a + b) / 2, atol=1e-6)
    for end in ends:
        (task,) = end.tasks
        for layer in end.layers:
            if layer.weights and layer.name not in end.parts["backbone"]:
                own = f"{task}_{layer.name}" if layer.name.startswith("neck") else layer.name
                for a, b in zip(model.get_layer(own).get_weights(), layer.get_weights(), strict=True):
                    np.testing.assert_array_equal(a, b)


@pytest.mark.slow
def test_adamerging_adds_to_each_variable_what_it_has_learnt_without_labels(trained, loaded, tmp_path, capsys):
    (start, *ends), out = loaded, tmp_path / "learnt"
    given = ["merge", *map(str, trained[1:]), "--out", str(out), "--batches", "0"]
    assert cli.main([*given, "--method", "adamerging", "--steps", "2"]) == 0
    told = capsys.readouterr().out
    assert "coefficients for each of 2 runs, in 2 steps" in told
    assert "Step 2 of 2, entropy: segmentation " in told
    assert f"Coefficients of {trained[1]}: 0." in told
    assert "by adamerging: " in told
    model = runs.load_model(out)[0]
    all_found = []
    for name in model.parts["backbone"]:
        for found, at, *trained_ones in zip(
            *(each.get_layer(name).trainable_variables for each in (model, start, *ends)), strict=True
        ):
            vectors = np.stack([np.ravel(each - at) for each in trained_ones], axis=1)
            own, *_ = np.linalg.lstsq(vectors, np.ravel(found - at), rcond=None)
            np.testing.assert_allclose(vectors @ own, np.ravel(found - at), atol=1e-6)
            all_found += [*own] if len(vectors) > 2 else []
    np.testing.assert_allclose(all_found, 0.3, atol=2.1e-3)
    assert np.ptp(all_found) > 1e-3


@pytest.mark.slow
def test_a_merged_run_is_predicted_with_exported_shown_and_trained_further(
    trained, both, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    run = str(both[0])
    keras.utils.save_img("scene.png", np.zeros((80, 60, 3), "uint8"))
    assert cli.main(["predict", run, "scene.png", "--out", "seen"]) == 0
    assert json.loads((tmp_path / "seen/predictions.jsonl").read_text())["predictions"].keys() == {
        "classification",
        "segmentation",
    }
    assert cli.main(["export", run]) == 0
    (version,) = (tmp_path / "saved_models").glob("*/1")
    assert (version / "saved_model.pb").is_file()
    assert cli.main(["report", run]) == 0
    further = ["training.epochs=1", "training.validate_every=1", "balancing.watch=null", "training.log=[]"]
    assert cli.main(["train", f"{run}/recipe.yaml", f"model.start={run}", *further, "--run", "further"]) == 0
    assert "layers, all there are." in capsys.readouterr().out
    assert runs.read_metrics(tmp_path / "further")["validation"].keys() == {"classification", "segmentation"}
    assert cli.main(["merge", run, str(trained[1]), "--out", "again"]) == 2
    assert "Task 'segmentation' is of both" in capsys.readouterr().err
    assert cli.main(["merge", run, str(tmp_path / "further"), "--out", run]) == 2
    assert "is there already: name another folder, or remove it." in capsys.readouterr().err


CASES = {
    "model.backbone=efficientnet_lite0": 'model.backbone is "toy" of the one and "efficientnet_lite0" of the other',
    "data.image_size=[96, 96]": r"data.image_size is \[64, 64\] of the one and \[96, 96\] of the other",
    "model.neck.channels=16": "model.neck is",
    "data.resize=letterbox": "data.resize is",
    "model.sharing=mtan": "has model.sharing name=mtan: expected hard without until",
    "model.sharing={name: hard, until: P3}": "has model.sharing name=hard, until=P3: expected hard",
    "tasks=[detection]": "has no best model yet; finish it",
}


@pytest.mark.parametrize("change", CASES)
def test_what_cannot_be_merged_is_refused_before_a_model_is_read(change, tmp_path):
    given = [bare(tmp_path / "masks", "tasks=[segmentation]"), bare(tmp_path / "other", change)]
    with pytest.raises(UsageError, match=CASES[change]):
        merging.merge(given, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_runs_of_one_task_of_another_version_or_start_or_of_an_unknown_one_are_refused(trained, tmp_path):
    _, masks, scenes = trained
    old = bare(tmp_path / "old", "tasks=[detection]", version="0.0.1")
    again, elsewhere, nowhere = (shutil.copytree(scenes, tmp_path / name) for name in ("again", "elsewhere", "nowhere"))
    write_text(elsewhere / "recipe.yaml", runs.read_recipe(scenes, [f"model.start={masks}"]).dump())
    write_text(nowhere / "recipe.yaml", runs.read_recipe(scenes, ["model.start=null"]).dump())
    for given, message in (
        ([masks], "two runs or more"),
        ([masks, masks], "was given twice"),
        ([masks, tmp_path], "is not a run folder"),
        ([masks, old], "trained by version 0.0.1 of visionmtl, and this is"),
        ([scenes, again], "Task 'classification' is of both"),
        ([masks, elsewhere], "they began with different weights"),
        ([masks, nowhere], "began with random weights, which nobody kept"),
    ):
        with pytest.raises(UsageError, match=message):
            merging.merge(given, tmp_path / "out")
    for options, message in (
        ({"method": "tiess"}, "Unknown method of merging 'tiess'. Did you mean 'ties'"),
        ({"keep": 0.5}, "'arithmetic' keeps all of a task vector: leave keep out, or take ties"),
        ({"steps": 9}, "'arithmetic' learns nothing: leave steps out, or take adamerging"),
        ({"method": "adamerging", "scale": 1.0}, "'adamerging' learns what task vectors are scaled by"),
        ({"method": "ties", "keep": 2.0}, "keep=2.0: expected a number above 0 and up to 1"),
        ({"scale": 0.0}, "scale=0.0: expected a number above 0"),
        ({"batches": -1}, "batches=-1: expected a whole number of at least 0"),
        ({"out": masks}, "is there already"),
    ):
        with pytest.raises(UsageError, match=message):
            merging.merge([masks, scenes], **{"out": tmp_path / "out"} | options)


@pytest.mark.slow
def test_runs_of_other_data_make_a_source_each_of_which_the_merged_model_is_measured(trained, tmp_path, capsys):
    _, masks, scenes = trained
    other, out = shutil.copytree(scenes, tmp_path / "scenes"), tmp_path / "out"
    options = "data.options={train: 4, validation: 4, test: 4}"
    write_text(other / "recipe.yaml", runs.read_recipe(scenes, [options]).dump())
    assert cli.main(["merge", str(masks), str(other), "--out", str(out), "--method", "ties", "--batches", "1"]) == 0
    assert "measured on 1 batches of training pictures" in capsys.readouterr().out
    recipe, (model, _) = runs.read_recipe(out), runs.load_model(out)
    assert recipe.data.source is None
    sources = {name: list(each.tasks) for name, each in recipe.data.sources.items()}
    assert sources == {"segmentation": ["segmentation"], "scenes": ["classification"]}
    stages = [model.get_layer(name) for name in sorted(model.parts["backbone"])]
    kept = [stage.get_weights() for stage in stages]
    assert statistics.measure(stages, (images for images, *_ in building.data(recipe, ["train"]).train.take(1))) == 1
    for before, stage in zip(kept, stages, strict=True):
        for a, b in zip(before, stage.get_weights(), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)
    assert cli.main(["evaluate", str(out)]) == 0
    assert runs.read_metrics(out)["validation"].keys() == set(model.tasks)
    with pytest.raises(UsageError, match="no checkpoint to go on from"):
        training.resume(out)


@pytest.mark.slow
def test_one_that_is_stopped_while_the_model_is_written_leaves_no_run(trained, tmp_path, monkeypatch):
    def half(self, path):
        path.write_text("half")
        raise KeyboardInterrupt

    monkeypatch.setattr(merging.merge.__globals__["MultiTaskModel"], "save_without_state", half)
    out = tmp_path / "both"
    assert cli.main(["merge", *map(str, trained[1:]), "--out", str(out), "--batches", "0"]) == 130
    assert not list(tmp_path.iterdir())
