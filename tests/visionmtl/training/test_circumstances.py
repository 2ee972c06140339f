"""What a run keeps of its sessions, and how its page tells it."""

import json
import subprocess
from pathlib import Path

from visionmtl import report
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
    assert f"{first['begun']}: visionmtl train &#39;my recipe.yaml&#39;, on the CPU, visionmtl " in page
    assert ", on 2 devices, " in page


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
