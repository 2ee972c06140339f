"""TensorBoard in a real browser: `visionmtl tensorboard` opens a run, and each dashboard draws what was written."""

import subprocess
import sys

import browsers
import keras
import numpy as np
import pytest
import tensorflow as tf
import toys

from visionmtl import callbacks, cli, recipe
from visionmtl.board import events, network, overview, profiles, scores
from visionmtl.commands import tensorboard

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(browsers.CHROMIUM is None, reason="there is no chromium"),
]
# The text of a page and of all that its elements keep to themselves.
TEXT = """(() => { const own = each => (each.shadowRoot ? of(each.shadowRoot) : '') + of(each);
    const of = node => [...node.childNodes].map(each => each.nodeType === 3 ? each.data :
    ['STYLE', 'SCRIPT'].includes(each.tagName) ? '' : own(each)).join(' ');
    return of(document.body) })()"""
ALL = """(selector => { const of = node => [...node.querySelectorAll('*')].flatMap(each =>
    [...(each.matches(selector) ? [each] : []), ...(each.shadowRoot ? of(each.shadowRoot) : [])]);
    return of(document) })"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run folder with all that TensorBoard is told of, of a training that was as short as can be."""
    run = tmp_path_factory.mktemp("runs") / "streets-1"
    run.mkdir()
    given = recipe.load("garments")
    (run / "recipe.yaml").write_text(given.dump())
    (run / "about.json").write_text('[{"device": "one CPU", "versions": {"Keras": "3"}}]')
    model, board = toys.model(), run / "tensorboard"
    writers = {name: events.writer(board / name, 1) for name in ("train", "validation")}
    overview.write(writers, run, given, {"score": "metrics/score"})
    for name, writer in writers.items():
        with writer.as_default():
            for step in (20, 40):
                tf.summary.scalar("losses/total", 1 / step, step=step)
                tf.summary.scalar("weights_and_gradients/conflicts", 0.5, step=step)
            if name == "train":
                network.write_graph(model)
                network.write_histograms(model.trainable_variables[:1], 40)
                continue
            tf.summary.scalar("metrics/score", 0.625, step=40)
            curves = np.linspace(1, 0, 1001)[None, :, None] * np.ones((3, 1, 1))
            scores.write("cars", ["van"], {"by_confidence": curves, "confusion": np.eye(2, dtype=int)}, 40)
        writer.close()
    return run


@pytest.fixture(scope="module")
def address(run):
    """Where `visionmtl tensorboard` shows the run."""
    command = [sys.executable, "-m", "visionmtl", "tensorboard", str(run), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            line = process.stdout.readline()
            assert line.startswith(f"TensorBoard of {run}: http"), line + process.stderr.read()
            yield line.split(": ")[1].split(" ")[0]
        finally:
            process.kill()
        assert process.stderr.read() == "", "what TensorBoard notes of itself is nothing to a user"


def test_each_dashboard_draws_its_data(address, tmp_path):
    wanted = {
        "timeseries": "line-chart svg path",
        "images": "img",
        "text": "code",
        "hparams": "vaadin-grid",
        "pr_curves": "tf-pr-curve-card",
        "histograms": "g.histogram path",
        "graphs": "svg g.node",
    }
    with browsers.browser(tmp_path / "profile") as page:
        for dashboard, drawn in wanted.items():
            page.open("about:blank")
            page.open(f"{address}#{dashboard}", 1400, 1200)
            page.wait(f"{ALL}({drawn!r}).length > 0", 120)
            if dashboard == "images":
                page.wait(f"{ALL}('img').some(each => each.naturalWidth > 100)", 120)
            elif dashboard == "pr_curves":
                page.wait(f"/cars: van/.test({TEXT}) && {ALL}('svg path').length > 0", 120)
            elif dashboard == "timeseries":  # it opens on losses, and gradients come last
                page.wait(f"/losses.*metrics.*pictures.*weights_and_gradients/s.test({TEXT})", 120)
            elif dashboard == "text":
                page.wait(f"/uncertainty/.test({TEXT}) && /one CPU/.test({TEXT})", 120)
                page.wait(f"{ALL}('li').some(each => /device.*one CPU/.test(each.textContent))", 120)
            elif dashboard == "hparams":
                page.size(2600, 1200)  # columns out of sight are not drawn
                page.wait(f"/streets-1/.test({TEXT}) && /score/.test({TEXT}) && /0\\.625/.test({TEXT})", 120)


def test_a_profile_that_nothing_here_shows_is_told(tmp_path, monkeypatch, capsys):
    record = tmp_path / "tensorboard" / "train" / "plugins" / "profile" / "now" / "here.xplane.pb"
    record.parent.mkdir(parents=True)
    record.touch()
    (tmp_path / "recipe.yaml").touch()
    (tmp_path / "tensorboard" / "train" / "events.out.tfevents.1").touch()

    def wait(self, seconds):
        raise KeyboardInterrupt

    monkeypatch.setattr(tensorboard.threading.Event, "wait", wait)
    monkeypatch.setattr("tensorboard.program.TensorBoard.launch", lambda self: "http://here/")
    for there in (False, True):
        monkeypatch.setattr(profiles, "can_be_shown", lambda there=there: there)
        assert cli.main(["tensorboard", str(tmp_path)]) == 130
        assert (profiles.INSTALL in capsys.readouterr().out) is not there


def test_what_is_no_run_is_told(tmp_path, capsys):
    assert cli.main(["tensorboard", str(tmp_path)]) == 2
    (tmp_path / "recipe.yaml").write_text("name: streets\n")
    assert cli.main(["tensorboard", str(tmp_path)]) == 2
    assert cli.main(["tensorboard", str(tmp_path / "nowhere")]) == 2
    told = capsys.readouterr().err.splitlines()
    assert [each for each in told if "tmp" in each or "run" in each] == told
    assert "there is no recipe.yaml in it" in told[0]
    assert "has nothing for TensorBoard: its training has not begun yet" in told[1]
    assert "there is no such folder" in told[2]


def test_the_callback_writes_what_is_asked_for(tmp_path):
    model = toys.model(toys.tasks("scene"))
    model.compile("sgd")
    images, labels, weights = toys.batch(model.tasks.values())
    data = tf.data.Dataset.from_tensors((images, labels, weights)).repeat(2)
    board = callbacks.TensorBoard(tmp_path, data, count=2, steps=1, graph=True, histograms=True)
    model.fit(data, validation_data=data, epochs=2, shuffle=False, verbose=0, callbacks=[board])
    tags, steps = {}, {}
    for name in ("train", "validation"):
        for path in (tmp_path / name).glob("events*"):
            for record in tf.data.TFRecordDataset(str(path)):
                event = tf.compat.v1.Event.FromString(record.numpy())
                for value in event.summary.value:
                    tags.setdefault(name, set()).add(value.tag)
                    steps.setdefault((name, value.tag), []).append(event.step)
    assert {"losses/total", "losses/scene", "training/learning_rate"} <= tags["train"]
    assert {"losses/scene", "metrics/scene/accuracy", "pictures/confusion/scene"} <= tags["validation"]
    assert any(tag.startswith("precision_recall/scene/") for tag in tags["validation"]), "of classifiers too"
    assert any(tag.startswith("variables/") for tag in tags["train"])
    assert steps["train", "losses/scene"] == [1, 2, 3, 4]
    assert steps["validation", "losses/scene"] == [2, 4]
    assert keras.ops.convert_to_numpy(model.optimizer.iterations) == 4
