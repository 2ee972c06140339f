"""What a study learns of a recipe before its first trial, and of a process that failed."""

import json

import pytest

from visionmtl.comparison.tuning import process, trainer
from visionmtl.errors import UsageError
from visionmtl.files import write_text

RECIPE = """
data:
  source: garments
  image_size: [32, 32]
  batch_size: 4
  options: {train: 4, validation: 4, test: 4}
tasks: {segmentation: {}}
model: {backbone: toy, neck: {channels: 8}}
"""


@pytest.mark.slow
@pytest.mark.usefixtures("toy_by_name")
def test_the_tasks_and_the_logs_of_a_recipe_are_known_and_what_it_refuses_is_told(tmp_path):
    write_text(tmp_path / "mine.yaml", RECIPE)
    given = str(tmp_path / "mine.yaml"), []
    process.probe(*given, [["training.learning_rate=0.1"]], str(tmp_path / "known.json"))
    known = trainer.Known(**json.loads((tmp_path / "known.json").read_text()))
    assert known.tasks == ["segmentation"]
    assert known.primary == ["val_segmentation_mIoU"]
    assert {"val_score", "val_loss", "val_segmentation_loss", "val_segmentation_pixel_accuracy"} <= set(known.logs)
    with pytest.raises(UsageError, match="dcie"):
        process.probe(*given, [["tasks.segmentation.dcie=0.5"]], str(tmp_path / "known.json"))
