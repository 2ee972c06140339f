"""Models, packs and run folders that an earlier version left still load, say the same and go on.

`tests/data/make_saved_work.py` made them, with version 0.1.0.
"""

import importlib.util
import json
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
from cases import few

import pipelines
from visionmtl import prediction, training
from visionmtl.training import runs

pytestmark = pytest.mark.usefixtures("toy_by_name")

DATA = Path(__file__).parents[1] / "data"
MODELS = (
    "cascade-excess_mtl", "cross_stitch-bayesian", "distillation-stch", "experts-imtl_l", "fusion-cagrad",
    "hard-db_mtl", "hard-sdmgrad", "hard-upgrad", "hierarchical-uncertainty", "mtan-gradnorm", "nddr-dwa",
    "relation-graddrop", "sluice-learned", "soft-gradvac", "task_tokens-famo",
)  # fmt: skip


def _maker():
    """Return the script that made the saved work, for its batch."""
    spec = importlib.util.spec_from_file_location("make_saved_work", DATA / "make_saved_work.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved")
    with tarfile.open(DATA / "saved_work.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("name", few(MODELS, keep=["hard-upgrad", "nddr-dwa"]))
def test_a_saved_model_says_what_it_said_and_trains_on_as_it_would_have(saved, name):
    said, maker = json.loads((saved / "models" / "said.json").read_text())[name], _maker()
    model, _ = runs.load_model(saved / "models" / f"{name}.keras")
    raw = model(maker.batch()[0], training=False)
    found = {key: float(np.abs(value).mean()) for key, value in raw.items()}
    assert found == pytest.approx(said["outputs"], rel=1e-4, abs=1e-6)
    history = maker.step(model, 1).history
    assert {key: values[0] for key, values in history.items()} == pytest.approx(
        {key: values[0] for key, values in said["losses"].items()}, rel=1e-3, abs=1e-5, nan_ok=True
    )
    if name != "distillation-stch":  # whose scale is the last warm-up epoch's by now: its sums begin anew with an epoch
        after = float(np.mean([np.abs(value).mean() for value in model.get_weights()]))
        assert after == pytest.approx(said["after"], rel=1e-5)


def test_every_saved_model_is_tried(saved):
    assert sorted(path.stem for path in (saved / "models").glob("*.keras")) == sorted(MODELS)


@pytest.mark.parametrize("name", ["coco", "csv"])
def test_a_saved_pack_gives_the_same_samples(saved, name):
    read = json.loads((saved / "packs" / "read.json").read_text())[name]
    data = pipelines.load("packed", (16, 24), 1, path=saved / "packs" / name, splits=["train"], shuffle=False)
    maker, found = _maker(), []
    for images, labels, _ in data.train:
        flat = {key: np.asarray(value).ravel()[:8].tolist() for key, value in maker.flat(labels).items()}
        found.append(flat | {"pixels": float(np.asarray(images).mean())})
    assert found == read


@pytest.mark.slow
def test_a_finished_run_is_measured_and_predicted_from(saved, tmp_path):
    run = shutil.copytree(saved / "runs" / "finished", tmp_path / "finished")
    before = json.loads((run / "metrics.json").read_text())["validation"]
    after = training.evaluate(run)
    assert after["segmentation"]["mIoU"] == pytest.approx(before["segmentation"]["mIoU"], abs=1e-6)
    assert after["detection"]["AP"] == pytest.approx(before["detection"]["AP"], abs=1e-6)
    model, recipe = runs.load_model(run)
    wanted = prediction.of_split(recipe, "test")
    assert prediction.run(model, wanted, tmp_path / "out", prediction.Options(overlays=1)).path.is_file()


@pytest.mark.slow
def test_an_interrupted_run_goes_on_to_where_the_whole_one_ended(saved, tmp_path):
    run = shutil.copytree(saved / "runs" / "interrupted", tmp_path / "interrupted")
    training.resume(run)
    rows, whole = runs.read_history(run), runs.read_history(saved / "runs" / "finished")
    assert len(rows) == len(whole) == 3
    for name in ("loss", "val_loss", "val_score"):
        assert rows[-1][name] == pytest.approx(whole[-1][name], rel=1e-3)


@pytest.mark.slow
def test_a_saved_model_loads_by_keras_alone_once_visionmtl_is_imported(saved):
    script = (
        "import sys, keras, visionmtl\n"
        f"sys.path.insert(0, {str(DATA)!r})\n"
        "import make_saved_work\n"
        "make_saved_work.register_toy()\n"
        "visionmtl.MultiTaskModel\n"
        f"print(type(keras.saving.load_model({str(saved / 'models' / 'task_tokens-famo.keras')!r})).__name__)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stdout.strip().endswith("MultiTaskModel"), done.stderr[-2000:]
