"""The report: right, escaped, linked relatively, and written from whatever parts a run folder has."""

import json
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from visionmtl import report


class Page(HTMLParser):
    """Collects links, cells and text, and refuses a tag that is closed out of turn."""

    def __init__(self, text):
        super().__init__()
        self.links, self.images, self.cells, self.tags, self.open = [], [], [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.tags.append(tag)
        self.links += [values["href"]] if "href" in values else []
        self.images += [values["src"]] if "src" in values else []
        if tag not in {"meta", "img"}:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] in {"td", "th", "dd"}:
            self.cells.append(data)


def page(run):
    path = report.write(run)
    assert path == run / "report.html"
    return Page(path.read_text(encoding="utf-8"))


@pytest.fixture
def run(tmp_path):
    run = tmp_path / "camvid-1"
    for name in ("plots/weights.png", "plots/a curve.png", "plots/metrics.png", "samples/01.png"):
        (run / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(run / name)
    (run / "recipe.yaml").write_text("name: camvid\nnote: <b>R&D</b>\n")
    (run / "history.csv").write_text("epoch,loss,val_score\n1,2,0.25\n2,1.5,\n3,1.4,0.75\n4,1.3,nan\n")
    metrics = {"validation": {"cars": {"AP": 0.24, "AP75": None, "AP/van": 0.11}}, "test": {"cars": {"AP": 0.2}}}
    (run / "metrics.json").write_text(json.dumps(metrics | {"seconds": 725.2, "parameters": 3712345}))
    return run


def test_results_and_facts_are_shown(run):
    cells = page(run).cells
    assert cells[:4] == ["3,712,345", "12 min 5 s", "4", "0.750 in epoch 3"]
    assert cells[4:14] == ["task", "metric", "validation", "test", "cars", "AP", "0.240", "0.200", "AP75", "-"]
    assert cells[-3:] == ["cars", "AP/van", "0.110"]


def test_pictures_are_linked_relatively_in_order_and_exist(run):
    shown = page(run)
    expected = ["samples/01.png", "plots/metrics.png", "plots/weights.png", "plots/a%20curve.png"]
    assert shown.images == shown.links == expected


def test_everything_is_escaped(run):
    (run / "metrics.json").write_text(json.dumps({"<i>": {"<script>": {"<u>": 1.0}}}))
    shown = page(run)
    assert not {"i", "script", "u", "b"} & set(shown.tags)
    assert "<script>" in shown.cells


def test_commands_quote_a_folder_with_spaces(tmp_path):
    run = tmp_path / "my runs"
    run.mkdir()
    report.write(run)
    assert f"visionmtl export &#x27;{run}&#x27;" in (run / "report.html").read_text()


def test_an_empty_run_folder_gives_a_page(tmp_path):
    assert page(tmp_path).images == []


@pytest.mark.parametrize(
    "broken", ["{", "[1]", '{"validation": 3, "seconds": "long"}', '{"validation": {"cars": 0.5}}']
)
def test_a_broken_part_does_not_stop_the_rest(run, broken):
    (run / "metrics.json").write_text(broken)
    (run / "history.csv").write_text("epoch,val_score\n1,what\n")
    assert len(page(run).images) == 4
