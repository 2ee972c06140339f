"""The model card: what the run and the model say, and no number from anywhere else."""

import re

import pytest
import toys
import yaml

from visionmtl import export, recipe
from visionmtl.export import card, labels, signature
from visionmtl.export.format import Serving

FIGURES = {
    "validation": {"objects": {"AP": 0.375, "AP/cat": 0.5}, "scene": {"accuracy": None}, "ground": {"mIoU": 0.125}},
    "test": {"objects": {"AP": 0.25}},
    "seconds": 90.0,
}


@pytest.fixture
def written(toy_model, tmp_path):
    """Return a function that writes the card of a model as an export does, and returns its head and its text."""

    def write(model, origin=None):
        formats = {"savedmodel": Written()}
        serving = Serving(confidences=model.confidences)
        labels.write(model, tmp_path, serving)
        signature.write(model, tmp_path, formats)
        card.write(model, tmp_path, "street", formats, serving, origin or export.Origin())
        text = (tmp_path / "README.md").read_text()
        _, head, body = text.split("---\n", 2)
        return yaml.safe_load(head), body

    return write


class Written(export.FORMATS["savedmodel"]):
    """A format of which nothing is written."""

    def signatures(self, folder):
        tensor = signature.Tensor("images", "uint8", (-1, -1, -1, 3))
        return {"serving_default": signature.Signature([tensor], [])}


def test_a_card_has_the_figures_of_its_tasks_by_split_as_hubs_read_them(toy_model, written):
    model = toy_model(toys.tasks("scene", "objects"))
    read = recipe.load("garments", ["data.cache_folder=/home/somebody/secret/cache"])
    model.recipe = {"name": "garments", "text": read.dump()}
    model.confidences = {"objects": {"cat": 0.25, "dog": 0.5}}
    head, body = written(model, export.Origin(FIGURES, {"train": 1600, "validation": 400}))
    results = head["model-index"][0]["results"]
    assert [(each["task"], each["dataset"]["split"], each["metrics"]) for each in results] == [
        ({"type": "object-detection", "name": "objects"}, split, [{"type": "AP", "name": "AP", "value": value}])
        for split, value in (("validation", 0.375), ("test", 0.25))
    ]
    assert head["license"] == "unknown"
    assert {"object-detection", "image-classification", "savedmodel"} <= {*head["tags"]}
    assert "| objects | AP | 0.375 | 0.25 |" in body
    assert "| train | 1,600 |" in body
    assert "cat 0.25, dog 0.5" in body
    assert "at 128 x 128 pixels, not at the 32 x 32 of this export" in body
    assert "cache_folder: cache" in body
    assert not re.search("somebody|mIoU|ground", body)


def test_what_nobody_said_is_left_to_be_filled_in(toy_model, written):
    model = toy_model(toys.tasks("scene"))
    model.recipe = {"name": "toy", "text": "no recipe at all"}
    head, body = written(model)
    assert head["pipeline_tag"] == "image-classification"
    assert "model-index" not in head
    assert "without the folder of its run" in body
    assert body.count("unknown: fill in") == 6
    assert "None: it was not compared" in body
