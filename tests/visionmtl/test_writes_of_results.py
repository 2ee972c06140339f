"""Every file of a run, a prediction, a report and an export is written whole, or one sentence says why not."""

import contextlib
import errno
import json
import os
from pathlib import Path
from types import SimpleNamespace

import chaos_artefacts
import numpy as np
import pytest
import tensorflow as tf
from chaos_shim import Shim
from matplotlib.figure import Figure

from visionmtl import callbacks, csvfile, files, prediction, recipe, report
from visionmtl.drawing import samples
from visionmtl.errors import UsageError
from visionmtl.export import versions
from visionmtl.report.plots import axes
from visionmtl.sharing import Matrix
from visionmtl.step.position import Position
from visionmtl.tasks import Depth, Segmentation
from visionmtl.training import runs

JUDGED = {".json", ".jsonl", ".csv", ".png", ".yaml", ".html", ".ckpt"}  # whose half is known for one
PIXELS = np.full((8, 8, 3), 90, np.uint8)
DATASET = tf.data.Dataset.from_tensors((PIXELS[None], {}, {}))


class Blank:
    """A model without tasks, which predicts nothing and is saved as a line of text."""

    tasks, image_size, weights = {}, (8, 8), ()
    resize, confidences, recipe = "stretch", None, None

    def __call__(self, images, training=False):
        return {}

    def predict(self, images, batch_size, verbose):
        return {}

    def decode(self, outputs, size, window):
        return {}

    def learnt_sharing(self):
        return {"gates": Matrix(np.eye(2), ["a", "b"], ["a", "b"])}

    position, balancer = Position(), SimpleNamespace(variables=[])

    def training_state(self):
        return {"weights": []}

    def save(self, path):
        Path(path).write_text("weights")


def watched(callback, hook, *arguments):
    """Call one method of a callback that watches a blank model."""
    callback.set_model(Blank())
    getattr(callback, hook)(*arguments)


def new_run(folder):
    runs.new(recipe.load("garments"), _next(folder))


def _next(folder):
    """A folder in this one that is not there yet."""
    return folder / f"run-{len(list(folder.parent.rglob('run-*')))}"


WRITERS = {
    "array": lambda folder: files.write_array(folder / "a.npy", np.ones(3)),
    "copy": lambda folder: files.copy(Path(__file__), folder / "best.keras"),
    "csv": lambda folder: csvfile.write(folder / "a.csv", [{"epoch": 1}]),
    "history": lambda folder: watched(callbacks.History(folder / "history.csv"), "on_epoch_end", 0, {"loss": 1.0}),
    "gradients": lambda folder: watched(callbacks.GradientWatch(folder / "gradients.csv"), "on_epoch_end", 0),
    "sharing": lambda folder: watched(callbacks.SharingWatch(folder / "sharing.csv"), "on_epoch_end", 0),
    "model": lambda folder: watched(callbacks.Checkpoint(folder / "last.keras"), "on_epoch_end", 0),
    "backup": lambda folder: watched(callbacks.Backup(folder), "on_epoch_begin", 0),
    "recipe": new_run,
    "metrics": lambda folder: runs.keep_metrics(folder, {"seconds": 1.0}),
    "report": report.write,
    "plot": lambda folder: axes.write(Figure(), folder / "losses.png"),
    "samples": lambda folder: samples.save_samples(Blank(), folder, DATASET, count=1),
    "mask": lambda folder: Segmentation("ground", 2).describe({"classes": PIXELS[..., 0]}, folder, "a"),
    "depth": lambda folder: Depth("depth").describe({"depth": PIXELS[..., 0]}, folder, "a"),
    "predictions": lambda folder: prediction.predict(Blank(), [folder.parent / "photograph.png"], _next(folder)),
    "export": lambda folder: versions.write(folder, lambda partial: files.write_text(partial / "model", "graph")),
}


@pytest.fixture
def folder(tmp_path):
    """A folder to write to, beside a photograph."""
    files.write_picture(tmp_path / "photograph.png", PIXELS)
    return tmp_path / "out"


def tree(folder):
    """What is in a folder, file by file."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", WRITERS)
def test_a_full_disk_leaves_what_was_there_and_is_one_sentence(name, folder, monkeypatch):
    WRITERS[name](folder)
    before = tree(folder)
    assert before

    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(args[0]))

    monkeypatch.setattr(os, "replace", full)
    monkeypatch.setattr(os, "rename", full)
    with pytest.raises(UsageError, match=r"^Cannot write '.*': the disk is full\. [^\n]*\.$"):
        WRITERS[name](folder)
    assert tree(folder) == before


@pytest.mark.parametrize("name", WRITERS)
def test_a_place_that_cannot_be_written_is_one_sentence(name, folder):
    folder.write_text("no folder")
    with pytest.raises(UsageError, match=r"^[^\n]*out[^\n]*\.$"):
        WRITERS[name](folder)
    assert folder.read_text() == "no folder"


def interrupting(number, half):
    """Return a strike that interrupts once: in the middle of the first write from a change on, or before the change."""
    struck = []

    def strike(at, kind, path):
        if not struck and at >= number and (kind == "half") == half:
            struck.append(path)
            raise KeyboardInterrupt

    return strike


@pytest.mark.parametrize("half", [True, False], ids=["within a write", "between writes"])
@pytest.mark.parametrize("name", WRITERS)
def test_an_interrupt_leaves_each_file_as_it_was_or_as_it_was_to_be(name, half, folder):
    WRITERS[name](folder)
    with Shim(folder.parent, lambda *change: None).installed() as shim:
        WRITERS[name](folder)
    known = {(path.name, content) for path, content in tree(folder).items()}
    for number in sorted({1, shim.count // 3, 2 * shim.count // 3, shim.count} - {0}):
        before = tree(folder)
        with Shim(folder.parent, interrupting(number, half)).installed(), contextlib.suppress(KeyboardInterrupt):
            WRITERS[name](folder)
        for path, content in tree(folder).items():
            assert not files.files.is_partial(path.name)
            if before.get(path) != content and (path.name, content) not in known:
                assert path.suffix in JUDGED
                assert chaos_artefacts.broken(path) is None
                lines = path.read_bytes().split(b"\n") if path.suffix == ".jsonl" else [b""]
                assert all(map(json.loads, lines[:-1])), "the last may be cut: it is as good as not there"
        assert before.keys() <= tree(folder).keys()
    WRITERS[name](folder)
