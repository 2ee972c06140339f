"""A version that comes is taken up without a failed request, and a broken one is refused."""

import hashlib
import shutil
import threading
import time

import pytest
import servers

from visionmtl.errors import UsageError
from visionmtl.serving import Limits
from visionmtl.serving.metrics import Metrics
from visionmtl.serving.versions import Versions

PICTURE = servers.png(51)


def wait(condition):
    """Return once something is so."""
    for _ in range(2000):
        if condition():
            return
        time.sleep(0.005)
    raise AssertionError("it never was so")


def shade(client):
    picture = client.post("/predict", content=PICTURE).json()
    return picture["version"], picture["pictures"][0]["predictions"]["scene"]["red"]


def test_versions_are_swapped_under_load_without_a_failed_request(folder):
    seen, ended = [], threading.Event()
    with servers.served(folder, every=0.02) as client:

        def ask():
            while not ended.is_set():
                answer = client.post("/predict", content=PICTURE)
                assert answer.status_code == 200
                seen.append((answer.json()["version"], answer.json()["pictures"][0]["predictions"]["scene"]["red"]))

        threads = [threading.Thread(target=ask) for _ in range(3)]
        for each in threads:
            each.start()
        wait(lambda: seen)  # of the first: on busy cores the next could be there before anyone has asked
        for number in (2, 3):
            servers.write(folder, number, offset=(number - 1) / 10)
            wait(lambda: seen[-1][0] == number)  # noqa: B023
        ended.set()
        for each in threads:
            each.join()
        states = client.get("/v1/models/street").json()["model_version_status"]
    assert set(seen) == {(1, 0.2), (2, 0.3), (3, 0.4)}
    assert [(each["version"], each["state"]) for each in states] == [("3", "AVAILABLE"), ("2", "END"), ("1", "END")]


def test_a_broken_version_is_refused_and_told_once_and_taken_once_it_is_mended(folder):
    with servers.served(folder, every=0.02) as client:
        servers.write(folder, 2)
        wait(lambda: shade(client)[0] == 2)
        (folder / "3").mkdir()
        (folder / "3" / "labels.json").write_text("{")
        (folder / "3" / servers.FILE).write_text("{}")
        wait(lambda: client.told[1:])
        time.sleep(0.1)
        assert len(client.told) == 2
        assert client.told[1].startswith("Version 3 is refused, and version 2 served on. ")
        state = client.get("/v1/models/street/versions/3").json()["model_version_status"][0]
        assert state["state"] == "END"
        assert str(folder) not in str(state)
        assert shade(client)[0] == 2
        shutil.rmtree(folder / "3")
        servers.write(folder, 3)
        wait(lambda: shade(client)[0] == 3)


def test_a_version_that_is_removed_gives_way_to_the_newest_other_one(folder):
    servers.write(folder, 2, offset=0.1)
    with servers.served(folder, every=0.02) as client:
        assert shade(client) == (2, 0.3)
        shutil.rmtree(folder / "2")
        wait(lambda: shade(client) == (1, 0.2))
        shutil.rmtree(folder / "1")
        time.sleep(0.1)
        assert shade(client) == (1, 0.2)


def versions(folder, runtime=None, precision=None):
    servers.register()
    return Versions(folder, runtime, precision, Limits(), Metrics(), tell=lambda line: None)


def test_what_is_no_model_with_versions_is_refused(folder, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("")
    for path, sentence in {
        folder / "none": "is not there",
        tmp_path / "file": "is no folder",
        tmp_path / "empty": "holds no version",
        tmp_path: "holds the models street: give one of them",
        folder / "1": "is one version: give the folder of all versions",
    }.items():
        with pytest.raises(UsageError, match=sentence):
            versions(path)


def test_a_version_without_its_files_is_refused_by_a_sentence(folder, tmp_path):
    with pytest.raises(UsageError, match=r"has no model.onnx; there is model.toy"):
        versions(folder, "onnx")
    with pytest.raises(UsageError, match=r"has no model.int8.tflite; there is model.toy"):
        versions(folder, precision="int8")
    with pytest.raises(UsageError, match="'savedmodel'"):
        versions(folder, "savedmodell")
    (folder / "1" / "labels.json").unlink()
    with pytest.raises(UsageError, match=r"has no labels.json"):
        versions(folder)
    (folder / "1" / servers.FILE).unlink()
    with pytest.raises(UsageError, match="it is no exported model"):
        versions(folder)


def test_a_version_that_is_not_what_was_exported_is_refused_but_its_card_may_be_filled_in(folder):
    sums = folder / "1" / "SHA256SUMS"
    content = (folder / "1" / servers.FILE).read_bytes()
    (folder / "1" / "README.md").write_text("license: mit")
    sums.write_text(f"{hashlib.sha256(content).hexdigest()}  {servers.FILE}\n{'0' * 64}  README.md\n")
    assert versions(folder).current.number == 1
    (folder / "1" / servers.FILE).write_bytes(content + b" ")
    with pytest.raises(UsageError, match=r"model.toy' is not what was exported"):
        versions(folder)


def test_where_the_newest_is_broken_at_the_start_the_one_before_is_served(folder):
    servers.write(folder, 2, labels=[])
    assert versions(folder).current.number == 1
