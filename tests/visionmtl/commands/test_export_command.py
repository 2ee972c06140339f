"""`visionmtl export`: what it proves an export on, and what it says of it."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import toys

from pipelines import DataError
from visionmtl import cli, export, prediction
from visionmtl.commands import _evidence

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
    assert found.told == "Proven on 8 pictures of validation, and 4 of them cropped to odd sizes."


def test_an_export_is_proven_on_made_up_pictures_where_validation_is_gone_and_says_why(monkeypatch):
    fault = "no folder 'data/streets'"

    def gone(recipe, split):
        raise DataError(fault)

    monkeypatch.setattr(prediction, "of_split", gone)
    found = _evidence.pictures("a recipe")
    assert fault in found.told
    assert [picture.shape[:2] for picture in found.pictures] == _evidence.SIZES
    assert "keeps no recipe" in _evidence.pictures(None).told


def test_it_says_how_near_each_format_is_and_a_lie_leaves_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(_evidence, "SIZES", [(20, 31), (1, 2)])
    toys.model(toys.tasks("scene")).save("toy.keras")
    assert cli.main(["export", "toy.keras", "--format", "onnx", "--to", "out"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Proven on 2 made-up pictures: the model keeps no recipe with its data."
    assert lines[1].endswith("toy/1")
    assert lines[2].startswith("  onnx: says what the model says, ")
    assert json.loads((tmp_path / "out/toy/1/export.json").read_text())["pictures"] == [[20, 31], [1, 2]]
    monkeypatch.setattr(export.FORMATS["onnx"], "runner", LIE)
    assert cli.main(["export", "toy.keras", "--format", "onnx", "--to", "out"]) == 2
    assert "scene_probabilities differs by" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "out/toy").iterdir()] == ["1"]
