"""`visionmtl export`: what it proves an export on, and what it says of it."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import toys

from pipelines import DataError
from visionmtl import cli, export, prediction
from visionmtl.commands import _evidence
from visionmtl.errors import UsageError
from visionmtl.training import building

LIE = "answer = lambda images: {'scene_probabilities': np.array([[1, 0, 0]], 'float32')}"


@pytest.fixture
def split(monkeypatch):
    """A validation split of twenty pictures, of which the first cannot be read."""

    def read(place):
        if place == 0:
            raise DataError("Image 'torn.jpg' is truncated or damaged.")
        return np.full((40 + place, 60, 3), place, np.uint8)

    there = SimpleNamespace(files=[f"{place}.jpg" for place in range(20)], read=read)
    monkeypatch.setattr(prediction, "of_split", lambda recipe, name: there)


def test_an_export_is_proven_on_pictures_spread_over_validation_and_on_some_of_odd_sizes(split):
    found = _evidence.pictures("a recipe")
    sizes = [picture.shape[:2] for picture in found.pictures]
    assert [height - 40 for height, _ in sizes[:8]] == [2, 4, 6, 8, 10, 12, 14, 16]
    assert all(height % 2 and width % 2 for height, width in sizes[8:])
    assert found.told == "The proof is on 8 pictures of validation, and 4 of them cropped to odd sizes."


def test_an_export_is_proven_on_made_up_pictures_where_validation_is_gone_and_says_why(monkeypatch):
    fault = "no folder 'data/streets'"

    def gone(recipe, split):
        raise DataError(fault)

    monkeypatch.setattr(prediction, "of_split", gone)
    found = _evidence.pictures("a recipe")
    assert fault in found.told
    assert [picture.shape[:2] for picture in found.pictures] == _evidence.SIZES
    assert "keeps no recipe" in _evidence.pictures(None).told


@pytest.mark.slow
def test_it_says_how_near_each_format_is_and_a_lie_leaves_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(_evidence, "SIZES", [(20, 31), (1, 2)])
    toys.model(toys.tasks("scene")).save("toy.keras")
    assert cli.main(["export", "toy.keras", "--format", "onnx", "--to", "out"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "The proof is on 2 made-up pictures: the model keeps no recipe with its data."
    assert lines[1].endswith("toy/1")
    assert lines[2].startswith("  onnx: says what the model says, ")
    assert json.loads((tmp_path / "out/toy/1/export.json").read_text())["pictures"] == [[20, 31], [1, 2]]
    assert cli.main(["export", "toy.keras", "--tasks", "sceen", "--to", "out"]) == 2
    assert capsys.readouterr().out == ""  # it is told before pictures are read
    monkeypatch.setattr(export.FORMATS["onnx"], "runner", LIE)
    assert cli.main(["export", "toy.keras", "--format", "onnx", "--to", "out"]) == 2
    assert "scene_probabilities differs by" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "out/toy").iterdir()] == ["1"]


def test_int8_is_calibrated_on_pictures_of_train_that_the_seed_draws_and_not_without(split):
    model = SimpleNamespace(image_size=(32, 32), resize="letterbox")
    recipe = SimpleNamespace(training=SimpleNamespace(seed=3))
    drawn, again = (_evidence.calibration(recipe, model) for _ in range(2))
    assert drawn.told == "Calibrated on 19 pictures of train, drawn with seed 3."
    assert {picture.shape for picture in drawn.pictures} == {(32, 32, 3)}
    shades = [int(picture[16, 16, 0]) for picture in drawn.pictures]
    assert sorted(shades) == list(range(1, 20)) != shades
    assert shades == [int(picture[16, 16, 0]) for picture in again.pictures]
    with pytest.raises(UsageError, match="keeps no recipe that says where the data is: give its run folder"):
        _evidence.calibration(None, model)


@pytest.mark.parametrize(("count", "most", "taken"), [(3, 9, [0, 1, 2]), (9, 3, [0, 4, 8]), (1, 1, [0])])
def test_metrics_are_measured_on_batches_spread_over_validation(count, most, taken):
    batches = _evidence.Batches(range(count), count, most)
    assert list(batches) == list(batches) == taken


def test_metrics_are_not_measured_where_validation_is_gone_which_is_told(monkeypatch):
    def gone(*given):
        raise DataError("no folder 'data/streets'")

    monkeypatch.setattr(building, "data", gone)
    monkeypatch.setattr(prediction, "of_split", gone)
    with pytest.raises(
        UsageError, match="int8 is calibrated on pictures of the training split, which fails: no folder"
    ):
        _evidence.calibration(SimpleNamespace(training=SimpleNamespace(seed=3)), None)
    found = _evidence.validation("a recipe", None)
    assert found.batches is None
    assert found.told.endswith("not measured: no folder 'data/streets'")
    assert "keeps no recipe" in _evidence.validation(None, None).told


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["--metric-change", "0.1"], "--metric-change is for other precisions than float32"),
        (["--precision", "int8"], "no format that is asked for has it: savedmodel has float32"),
        (["--precision", "int4"], "Did you mean 'int8'?"),
    ],
)
def test_what_cannot_be_is_told_before_anything_is_read(given, told, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["export", "no-such.keras", *given]) == 2
    assert told in capsys.readouterr().err
