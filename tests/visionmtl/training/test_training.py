"""A run folder is complete, can be resumed, measured and predicted from, on one device or two."""

import json
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from PIL import Image
from small_recipe import QUICK, small

from pipelines import DataError
from visionmtl import callbacks, cli, recipe, training
from visionmtl.errors import UsageError
from visionmtl.report import measured
from visionmtl.training import building, runs, session

pytestmark = pytest.mark.usefixtures("toy_by_name")


def weights_of(run, file="last.keras"):
    """Every variable of a saved model of a run."""
    return keras.saving.load_model(run / file).get_weights()


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run that was trained to its end."""
    run = tmp_path_factory.mktemp("runs") / "finished"
    training.train(small(), run)
    return run


@pytest.fixture
def weights_only(monkeypatch):
    """Train without pictures and report, where a test looks at nothing but the weights."""
    monkeypatch.setattr(session, "finish", lambda *args: {})
    monkeypatch.setattr(callbacks.TensorBoard, "of_session", lambda given: [])


def test_a_run_folder_is_complete(finished):
    for name in ("recipe.yaml", "history.csv", "metrics.json", "best.keras", "last.keras", "report.html"):
        assert (finished / name).stat().st_size, name
    for pattern in (
        "tensorboard/*/events*",
        "checkpoints/*",
        "plots/balancing.png",
        "charts/validation.npz",
        "samples/*.png",
        "labels/*.jpg",
    ):
        assert list(finished.glob(pattern)), pattern
    metrics, images = runs.read_metrics(finished), runs.read_images(finished)
    assert {"train", "validation"} == images.keys()
    assert all(images.values())
    assert metrics.keys() & images.keys() == {"validation"}


def test_the_recipe_of_a_run_trains_the_same_again(finished):
    assert recipe.load(finished / "recipe.yaml") == small()


@pytest.mark.slow
def test_the_models_of_a_run_say_what_they_were_trained_with(finished):
    for name in ("best.keras", "last.keras"):
        model, _ = runs.load_model(finished / name)
        assert model.resize == "stretch"
        assert model.recipe == {"name": "garments", "text": (finished / "recipe.yaml").read_text()}
        assert model.confidences.keys() == {"detection"}


def test_metrics_name_split_task_and_metric(finished):
    metrics = json.loads((finished / "metrics.json").read_text())
    assert metrics["parameters"] > 0
    assert metrics["seconds"] > 0
    assert {"accuracy"} <= metrics["validation"]["classification"].keys()
    assert {"AP", "AP50", "AP75"} <= metrics["validation"]["detection"].keys()
    assert {"mIoU"} <= metrics["validation"]["segmentation"].keys()


def test_history_has_a_row_an_epoch_with_each_task_s_loss_and_weight(finished):
    rows = runs.read_history(finished)
    assert [row["epoch"] for row in rows] == [1, 2]
    for task in ("classification", "detection", "segmentation"):
        assert {f"{task}_loss", f"val_{task}_loss", f"weight/{task}"} <= rows[0].keys()
    assert {"learning_rate", "val_score", "seconds"} <= rows[0].keys()


@pytest.mark.slow
def test_the_best_model_is_the_one_of_the_best_epoch(finished):
    model, _ = runs.load_model(finished)
    datasets = building.data(small(), ["validation"], model)
    score = model.evaluate(datasets.validation, verbose=0, return_dict=True)["score"]
    assert score == pytest.approx(max(row["val_score"] for row in runs.read_history(finished)), abs=1e-6)


@pytest.mark.slow
def test_evaluate_keeps_the_figures_of_a_split_beside_the_others(finished, capsys):
    plot = finished / "plots" / "segmentation_confusion.png"
    drawn = plot.read_bytes()
    results = training.evaluate(finished, "test")
    assert plot.read_bytes() != drawn, "a plot of validation stands beside figures of test"
    assert measured.read(finished).keys() == {"validation", "test"}
    assert ">objects, test<" in (finished / "report.html").read_text()
    metrics = json.loads((finished / "metrics.json").read_text())
    assert {"validation", "test", "seconds", "parameters"} <= metrics.keys()
    assert metrics["test"]["segmentation"]["mIoU"] == pytest.approx(results["segmentation"]["mIoU"])
    said = capsys.readouterr().out
    assert "mIoU" in said
    for task in ("classification", "detection", "segmentation"):
        assert f"{task}, test" in said, "a table of its classes"
    lines = [line.split() for line in said.splitlines()]
    ious = {key[4:]: value for key, value in metrics["test"]["segmentation"].items() if key.startswith("IoU/")}
    assert any(value is not None for value in ious.values())
    for name, value in ious.items():
        assert [name, "-" if value is None else f"{value:.3f}"] in [line[:2] for line in lines]


@pytest.mark.slow
def test_figures_of_several_views_are_never_taken_for_those_of_the_pictures_alone(finished, capsys):
    before = runs.read_metrics(finished)
    assert cli.main(["evaluate", str(finished), "--tta", "1.5,flip"]) == 0
    after = runs.read_metrics(finished)
    assert after.keys() - before.keys() == {"validation+tta=flip,1.5"}
    assert {key: after[key] for key in before} == before
    for task, values in before["validation"].items():
        assert after["validation+tta=flip,1.5"][task].keys() == values.keys()
    said = capsys.readouterr().out
    assert "Views of each picture: 64 x 64, 96 x 96, each mirrored too." in said
    assert "validation+tta=flip,1.5" in said
    assert "onfidence of detection" in said
    assert json.loads((finished / "confidences.json").read_text()).keys() == {"flip,1.5"}
    with pytest.raises(UsageError, match="have 'flop'"):
        training.evaluate(finished, "test", tta="flop")


def test_evaluate_refuses_a_size_that_is_not_the_model_s(finished):
    with pytest.raises(UsageError, match="the model's is \\[64, 64\\]"):
        training.evaluate(finished, "test", ["data.image_size=[96, 96]"])


@pytest.mark.slow
def test_one_task_is_fine_tuned_from_a_run(finished, tmp_path, weights_only, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    parts = ["training.freeze=[backbone, neck, detection, classification]", "training.epochs=1"]
    training.train(small(f"model.start={finished}", *parts, "balancing.watch=null"), tmp_path / "tuned")
    before, after = (keras.saving.load_model(run / "best.keras") for run in (finished, tmp_path / "tuned"))
    said = capsys.readouterr().out
    assert "layers, all there are." in " ".join(said.split())
    assert [line for line in said.splitlines() if len(line) > 60 and "/" not in line] == [], "but for whole paths"
    for layer in before.layers:
        same = [
            (a == b).all() for a, b in zip(layer.get_weights(), after.get_layer(layer.name).get_weights(), strict=True)
        ]
        if layer.weights:
            assert all(same) == (layer.name not in before.parts["segmentation"]), layer.name


@pytest.mark.slow
def test_branches_of_a_recipe_start_from_a_run_a_task(finished, tmp_path, weights_only, capsys):
    tasks = [
        "tasks=[segmentation, classification]",
        f"model.start={{segmentation: {finished}, classification: {finished}}}",
    ]
    given = small(
        "model.sharing=cross_stitch", *tasks, "training.epochs=1", "training.freeze=[backbone, neck]", *QUICK[:1]
    )
    training.train(given, tmp_path / "branches")
    assert f"Started segmentation from {finished}, classification from {finished}: " in capsys.readouterr().out
    before, after = (
        keras.saving.load_model(tmp_path / path) for path in (finished / "best.keras", "branches/last.keras")
    )
    for task in ("segmentation", "classification"):
        for level in ("P2", "P5"):
            branch = after.get_layer(f"{task}_toy_{level}").get_weights()
            for a, b in zip(before.get_layer(f"toy_{level}").get_weights(), branch, strict=True):
                np.testing.assert_array_equal(a, b)


@pytest.mark.slow
def test_a_start_without_a_layer_in_common_is_refused(finished, tmp_path, weights_only):
    other = ["model.backbone=efficientnet_lite0", "model.neck.channels=16", "tasks=[classification]"]
    with pytest.raises(UsageError, match="has no layer in common with this model"):
        training.train(small(f"model.start={finished}", *other), tmp_path / "tuned")


def test_a_new_run_does_not_overwrite_one(finished):
    with pytest.raises(UsageError, match="is there already"):
        training.train(small(), finished)


def test_a_finished_run_has_nothing_to_resume(finished):
    with pytest.raises(UsageError, match="is finished"):
        training.resume(finished)


@pytest.mark.slow
def test_predict_writes_overlays_masks_and_coco_json_in_pixels_of_the_picture(finished, tmp_path, capsys):
    photographs = tmp_path / "photographs"
    photographs.mkdir()
    noise = np.random.default_rng(0).integers(0, 256, (90, 140, 3), dtype=np.uint8)
    Image.fromarray(noise).save(photographs / "noise.jpg")
    Image.fromarray(noise[:, :, 0]).save(photographs / "grey noise.png")
    out = tmp_path / "out"
    assert cli.main(["predict", str(finished), str(photographs), "--out", str(out)]) == 0

    told = [json.loads(line) for line in (out / "predictions.jsonl").read_text().splitlines()]
    assert [image["width"] for image in told] == [140, 140]
    assert sum(told[0]["predictions"]["classification"].values()) == pytest.approx(1, abs=1e-3)
    categories = json.loads((out / "labels.json").read_text())["detection"]["category_ids"].values()
    found = json.loads((out / "detections.json").read_text())
    assert len(found) == sum(len(image["objects"]["detection"]) for image in told)
    for annotation in found:
        x, y, width, height = annotation["bbox"]
        assert annotation["category_id"] in categories
        assert 0 <= x <= x + width <= 140.01
        assert 0 <= y <= y + height <= 90.01
    for image in told:
        assert np.asarray(Image.open(out / image["predictions"]["segmentation"])).shape == (90, 140)
    assert len(list((out / "overlays").glob("*.png"))) == 2


@pytest.mark.slow
def test_predict_takes_held_out_pictures_of_the_run_s_data(finished, tmp_path):
    assert cli.main(["predict", str(finished), "--split", "test", "--out", str(tmp_path)]) == 0
    assert len(list((tmp_path / "overlays").glob("test-*.png"))) == 4


@pytest.mark.slow
def test_an_interrupted_run_resumes_to_the_same_weights(finished, tmp_path, monkeypatch, weights_only):
    class Interrupt(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                raise KeyboardInterrupt

    run = tmp_path / "interrupted"
    with monkeypatch.context() as patch:
        usual = callbacks.of_session
        patch.setattr(callbacks, "of_session", lambda *given: [*usual(*given), Interrupt()])
        with pytest.raises(KeyboardInterrupt, match="--resume"):
            training.train(small(*QUICK), run)
    assert not (run / "metrics.json").exists()
    training.resume(run)
    assert [row["epoch"] for row in runs.read_history(run)] == [1, 2]
    for one, other in zip(weights_of(finished), weights_of(run), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


@pytest.mark.slow
def test_two_devices_train_the_weights_of_one(finished, tmp_path, two_devices, weights_only):
    training.train(small(*QUICK), tmp_path / "two", devices=two_devices)
    for one, other in zip(weights_of(finished), weights_of(tmp_path / "two"), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


@pytest.mark.slow
def test_averaged_weights_are_what_is_measured_and_saved(tmp_path, monkeypatch, weights_only):
    steps = []

    class Record(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            steps.append([variable.numpy() for variable in self.model.trainable_variables])

    usual = callbacks.of_session
    monkeypatch.setattr(callbacks, "of_session", lambda *given: [*usual(*given), Record()])
    run = tmp_path / "averaged"
    training.train(small("training.ema=0.3", *QUICK), run)
    expected = steps[0]
    for step in steps[1:]:
        expected = [0.3 * average + 0.7 * value for average, value in zip(expected, step, strict=True)]
    saved = [variable.numpy() for variable in keras.saving.load_model(run / "last.keras").trainable_variables]
    for one, other in zip(expected, saved, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_early_stopping_counts_the_validations_of_earlier_sessions():
    patience = callbacks.Patience("val_score", 2, values=[0.5, 0.4])
    patience.set_model(SimpleNamespace(stop_training=False))
    patience.on_epoch_end(2, {"loss": 1.0})
    assert not patience.model.stop_training
    patience.on_epoch_end(3, {"val_score": 0.3})
    assert patience.model.stop_training


@pytest.mark.slow
@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("training.monitor=val_scor", "Did you mean 'val_score'?"),
        ("data.batch_size=5", "expected a multiple of the 2 devices"),
        ("data.options.trian=3", "Did you mean 'train'?"),
    ],
)
def test_what_only_data_or_devices_can_tell_is_told_before_the_run_folder_is_made(
    override, sentence, tmp_path, two_devices
):
    with pytest.raises((UsageError, DataError)) as caught:
        training.train(small(override), tmp_path / "run", devices=two_devices)
    assert sentence in str(caught.value)
    assert not (tmp_path / "run").exists()
