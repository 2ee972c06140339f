"""What a run keeps of its sessions, and how its page tells it."""

import json
import subprocess
from pathlib import Path

import numpy as np
from PIL import Image
from report_pages import page

from pipelines.datasets import Datasets
from pipelines.samples.showing import Example
from visionmtl import report
from visionmtl.tasks import Classification, Segmentation
from visionmtl.training import circumstances


def test_each_session_adds_a_line_that_the_page_shows(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.argv", ["/somewhere/bin/visionmtl", "train", "my recipe.yaml"])
    circumstances.keep(tmp_path, "the CPU")
    circumstances.keep(tmp_path, "2 devices")
    first, second = json.loads((tmp_path / "about.json").read_text())
    assert first["command"] == "visionmtl train 'my recipe.yaml'"
    assert (first["device"], second["device"]) == ("the CPU", "2 devices")
    assert first["versions"].keys() == {"visionmtl", "Keras", "TensorFlow", "Python"}
    page = report.write(tmp_path).read_text()
    assert page.count("<code>visionmtl train &#39;my recipe.yaml&#39;</code>") == 2
    assert f"{first['begun'][:10]} {first['begun'][11:16]} UTC, on the CPU, visionmtl " in page
    assert page.index("UTC, on 2 devices, ") < page.index("Begun before, and gone on with: 1") < page.index("the CPU")


def test_a_run_that_was_interrupted_has_the_sizes_of_its_data_and_training_pictures_with_their_labels(tmp_path):
    mask, grey = np.zeros((1, 8, 8), np.int32), np.full((8, 8, 3), 90, np.uint8)
    mask[0, 4:] = 1
    tasks, labels = [Classification("scene", ["in", "out"]), Segmentation("street", ["road", "car"])], {"street": mask}
    samples = [
        Example("train", f"a/{number}.png", grey, labels | {"scene": np.array([1])}, {"scene": 1.0, "street": number})
        for number in (1.0, 0.0)
    ]
    datasets = Datasets({}, (), {"train": 367, "test": 12}, examples=lambda count, size: samples[:count])
    circumstances.keep_data(tmp_path, datasets, tasks)
    drawn = sorted((tmp_path / "labels").glob("*.jpg"))
    pixels = [np.asarray(Image.open(path), int)[2:6, 4:] for path in drawn]
    assert [np.ptp(each[..., 0] - each[..., 2]) > 40 for each in pixels] == [True, False], "it has no mask"
    shown = page(tmp_path)
    assert shown.cells[:2] == ["367", "12"]
    assert shown.images == ["1.0.png", "0.0.png"]
    assert "street:" in shown.text
    assert "car" in shown.text
    datasets.sizes["train"] = 366
    circumstances.keep_data(tmp_path, datasets, tasks)
    assert page(tmp_path).cells[0] == "366"
    for broken in ("[", "[3]", '{"legends": [], "pictures": [1, {"file": 2}]}'):
        (tmp_path / "labels" / "labels.json").write_text(broken)
        assert page(tmp_path).images == []


def test_a_file_that_is_broken_is_begun_anew_and_stops_no_page(tmp_path):
    (tmp_path / "about.json").write_text('{"begun"')
    assert report.write(tmp_path).is_file()
    circumstances.keep(tmp_path, "the CPU")
    assert len(json.loads((tmp_path / "about.json").read_text())) == 1


def test_the_commit_is_that_of_the_folder_and_none_of_a_repository_around_it(tmp_path):
    def git(*words):
        name = ["-c", "user.name=a", "-c", "user.email=a@b"]
        subprocess.run(["git", "-C", str(tmp_path), *name, *words], check=True, capture_output=True)

    inside = tmp_path / "inside"
    inside.mkdir()
    file = Path(inside, "file")
    file.write_text("one")
    assert circumstances.commit(inside) is None
    git("init")
    assert circumstances.commit(inside) is None
    git("add", ".")
    git("commit", "-m", "one")
    known = circumstances.commit(inside)
    assert len(known) >= 7
    file.write_text("two")
    assert circumstances.commit(inside) == f"{known}+"
