"""What people copy runs: the notebooks of `examples/`, and the Python in README.md and the pages, on small models."""

import ast
import contextlib
import functools
import io
import json
import re
from pathlib import Path

import folders
import numpy as np
import pytest
import toys
from PIL import Image

import pipelines
import visionmtl
from pipelines import kinds
from visionmtl import tasks

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "examples").glob("*.ipynb"))
# README comes last, for it loads what the tour exports.
PAGES = [*(f"docs/{name}.md" for name in ("custom-task", "balancing", "tasks", "data", "tour")), "README.md"]
FENCE = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def small(tmp_path, monkeypatch):
    """A folder to work in, a toy in place of each backbone, and nothing registered that stays."""

    def model(of, backbone=None, image_shape=(64, 64, 3), weights=None, **options):
        made = toys.model(of, backbone=toys.backbone(size=image_shape[0]), image_shape=image_shape, **options)
        made.compile = functools.partial(made.compile, run_eagerly=True)  # tracing takes longer than these few steps
        return made

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VISIONMTL_QUICK", "1")
    monkeypatch.setattr(visionmtl, "MultiTaskModel", model)
    monkeypatch.setattr(tasks, "KINDS", dict(tasks.KINDS))
    monkeypatch.setattr(kinds, "_REGISTERED", dict(kinds._REGISTERED))
    return tmp_path


def run(source, names):
    """Run a cell, and return what its last line is if that is an expression, as Jupyter does."""
    tree = ast.parse(source)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "cell", "exec"), names)
    return eval(compile(ast.Expression(last.value), "cell", "eval"), names) if last else None


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_and_ends_with_a_picture(path, small):
    cells = [cell for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]
    names, shown = {"__name__": "__main__"}, None
    with contextlib.redirect_stdout(io.StringIO()):
        for cell in cells:
            shown = run("".join(cell["source"]), names)
    assert isinstance(shown, Image.Image)
    pixels = np.asarray(shown.convert("RGB"))
    assert min(pixels.shape[:2]) > 100
    assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 100, "it shows something"


def test_notebooks_hold_nothing_that_was_printed():
    assert len(NOTEBOOKS) == 5
    for path in NOTEBOOKS:
        first, *_ = cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        assert first["cell_type"] == "markdown", "it says what it is"
        assert all(cell.get("outputs", []) == [] and cell.get("execution_count") is None for cell in cells)


@pytest.mark.slow
def test_the_python_of_readme_and_pages_runs(small):
    """In the order of a page, over what the page before made: a data set, a model, an export of it."""
    folders.coco(small / "data" / "camvid", {"train": "abcdefgh", "val": "ij"})
    Image.new("RGB", (60, 40), (90, 90, 90)).save(small / "street.jpg")
    cats = pipelines.load("coco", (64, 64), 8, path="data/camvid", splits=["train"]).train
    names = {"__name__": "__main__", "pipelines": pipelines, "visionmtl": visionmtl, "dataset": cats.map(as_in_readme)}
    for page in PAGES:
        for source in FENCE.findall((ROOT / page).read_text(encoding="utf-8")):
            if "MultiWorkerMirroredStrategy" not in source:  # which is of several machines
                with contextlib.redirect_stdout(io.StringIO()):
                    run(source.replace("(288, 384)", "(64, 64)").replace("epochs=20", "epochs=1"), names)
    assert names["predictions"]["segmentation_classes"].shape == (1, 40, 60)


def as_in_readme(images, labels, weights):
    """Return a batch as the tasks of README's first lines have it, from one of a cat."""
    objects, weight = labels["detection"], weights["detection"]
    said = {"weather": objects["classes"][:, 0], "objects": objects, "street": labels["segmentation"]}
    return images, said, dict.fromkeys(said, weight)
