"""The stub that trains in place of `visionmtl train`, and data that nobody reads."""

import sys
from pathlib import Path

import pytest

from visionmtl import files, recipe
from visionmtl.comparison import verdicts
from visionmtl.comparison.compare import children, opening
from visionmtl.comparison.compare.surveying import Survey

SMALL = [
    "data.image_size=[32, 32]",
    "data.batch_size=4",
    "data.options={train: 4, validation: 4, test: 4}",
    "tasks={classification: {}, segmentation: {}}",
    "model.weights=null",
    "training.epochs=1",
]


TASKS = {"classification": {"kind": "classification", "classes": 10}}
TASKS["segmentation"] = {"kind": "segmentation", "classes": 11}


@pytest.fixture
def stub(monkeypatch, tmp_path):
    """Have the stub train; a small recipe lies beside."""
    monkeypatch.setattr(children, "COMMAND", (sys.executable, str(Path(__file__).with_name("stub_trainer.py"))))
    monkeypatch.chdir(tmp_path)
    files.write_text(Path("small.yaml"), recipe.load("garments", SMALL).dump())


@pytest.fixture
def quick(monkeypatch):
    """Read no data, and draw nothing of what comes out."""
    monkeypatch.setattr(opening, "look", lambda recipe, evaluate=None: Survey(TASKS, 20, []))
    monkeypatch.setattr(verdicts, "write", lambda folder: "the table")
