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


@pytest.mark.parametrize(
    ("status", "printed", "why"),
    [
        (2, "Training ...\nvisionmtl: There is not enough memory.\n", "There is not enough memory."),
        (2, "visionmtl: An older sentence.\nvisionmtl: The last one,\nof two lines.", "The last one,\nof two lines."),
        (1, "Traceback ...\nKeyError: 'a'\n", "A fault ended it: KeyError: 'a'"),
        (1, "", "A fault ended it: 1"),
        (-9, "Training ...", "The process was killed, as for want of memory"),
        (-11, "Training ...", "The process was ended by SIGSEGV"),
    ],
)
def test_why_a_process_ended_is_told_by_its_log_and_its_status(status, printed, why, tmp_path):
    write_text(tmp_path / "0.txt", printed)
    assert trainer._why(tmp_path / "0.txt", status).startswith(why)
