"""Apache Beam predicts what `visionmtl predict` predicts, on several processes, whatever becomes of one of them."""

import io
import json
import os
import signal
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import toys
from PIL import Image

beam = pytest.importorskip("apache_beam")

from apache_beam.options.pipeline_options import PipelineOptions  # noqa: E402
from apache_beam.testing.util import assert_that, equal_to  # noqa: E402

from visionmtl import export, prediction  # noqa: E402
from visionmtl.errors import UsageError  # noqa: E402
from visionmtl.prediction import beam as ours  # noqa: E402
from visionmtl.prediction.beam import storage  # noqa: E402
from visionmtl.prediction.beam.served import Served  # noqa: E402

ROOT = Path(__file__).parents[3]
PROCESSES = 2
SERVERS = "apache_beam.runners.worker.sdk_worker_main"


@pytest.fixture(scope="module")
def model():
    return toys.model(toys.tasks("scene", "objects", "ground", "range"))


@pytest.fixture(scope="module")
def exported(model, tmp_path_factory):
    return export.save(model, tmp_path_factory.mktemp("saved") / "street", confidences=0.02).parent


@pytest.fixture
def folder(tmp_path):
    """A folder of pictures of several formats and sizes, one of them turned, and one that cannot be read."""
    random = np.random.default_rng(0)
    for number, suffix in enumerate(("png", "jpg", "webp", "tif", "bmp", "gif")):
        path = tmp_path / "photographs" / ("inner" if number % 2 else "") / f"{number}.{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        picture = Image.fromarray(random.integers(0, 256, (30 + number, 50 - 2 * number, 3), np.uint8))
        turn = picture.getexif()
        turn[0x0112] = 6
        picture.save(path, **({"exif": turn} if suffix in ("jpg", "webp") else {}))
    (tmp_path / "photographs" / "torn.jpg").write_bytes(b"\xff\xd8\xff no picture")
    return tmp_path / "photographs"


def written(root):
    """All that is said of pictures beneath a folder of predictions: the records by number, other files as they are."""
    kept = {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}
    del kept["predict.json"]  # what predicted differs
    lines = [json.loads(line) for line in kept.pop("predictions.jsonl").splitlines()]
    assert len({line["number"] for line in lines}) == len(lines)
    return kept, sorted(lines, key=lambda line: line["number"])


def several(monkeypatch):
    """Options by which pipelines run in several processes, which find these packages."""
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")
    return PipelineOptions(runner="DirectRunner", direct_running_mode="multi_processing", direct_num_workers=PROCESSES)


# Where pictures are computed together, processors round the last digit of a number by its place among the others: one
# at a time they come to the same bits; of three, depth to that digit and all else to the same bits.
@pytest.mark.parametrize("batch_size", [1, 3])
def test_it_writes_what_predict_writes_of_all_formats_by_several_processes(
    model, exported, folder, tmp_path, monkeypatch, batch_size
):
    prediction.predict(model, [folder], tmp_path / "direct", confidence=0.02, overlays=0, batch_size=1)
    done = ours.predict(exported, [folder], tmp_path / "beam", several(monkeypatch), batch_size=batch_size)
    assert (done.pictures, done.unreadable) == (7, 1)
    (files, lines), (expected, theirs) = written(tmp_path / "beam"), written(tmp_path / "direct")
    assert files.keys() == expected.keys()
    if batch_size > 1:
        for name in [name for name in files if name.startswith("depth/")]:
            found, direct = np.load(io.BytesIO(files.pop(name))), np.load(io.BytesIO(expected.pop(name)))
            np.testing.assert_array_max_ulp(found, direct, maxulp=2)
    assert (files, lines) == (expected, theirs)


def servers():
    """The processes of Beam that this one started."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes().split(b"\0")
            environment = path.with_name("environ").read_bytes()
        except OSError:
            continue
        if SERVERS.encode() in command and f"{MARK}={os.getpid()}".encode() in environment.split(b"\0"):
            found.append(int(path.parent.name))
    return found


MARK = "OF_THE_TEST"


def test_of_a_killed_worker_all_is_done_again_and_nothing_twice(model, exported, tmp_path, monkeypatch):
    random = np.random.default_rng(0)
    (tmp_path / "photographs").mkdir()
    for number in range(150):
        picture = Image.fromarray(random.integers(0, 256, (24, 24 + number % 9, 3), np.uint8))
        picture.save(tmp_path / "photographs" / f"{number}.png")
    monkeypatch.setenv(MARK, str(os.getpid()))
    options, out, killed = several(monkeypatch), tmp_path / "beam", []

    def kill():
        while not list(out.glob("masks/ground/*.png")):
            time.sleep(0.005)
        killed.append(servers()[0])
        os.kill(killed[0], signal.SIGKILL)

    killer = threading.Thread(target=kill, daemon=True)
    killer.start()
    with pytest.raises(RuntimeError):
        ours.predict(exported, [tmp_path / "photographs"], out, options, batch_size=1)
    assert killed
    assert not list(out.glob("predictions-*-of-*"))
    assert 0 < len(list(out.glob("masks/ground/*.png"))) < 150
    ours.predict(exported, [tmp_path / "photographs"], out, options, batch_size=1)
    direct = {"confidence": 0.02, "overlays": 0, "batch_size": 1}
    prediction.predict(model, [tmp_path / "photographs"], tmp_path / "direct", **direct)
    assert written(out) == written(tmp_path / "direct")


def test_paths_and_bytes_in_a_pipeline_of_ones_own_give_records(exported, folder, tmp_path):
    path = str(folder / "0.png")
    expected = None
    for given in (path, (path, Path(path).read_bytes())):
        records = []
        with beam.Pipeline() as pipeline:
            found = pipeline | beam.Create([given]) | ours.Predict(exported, tmp_path / "out", {"cat": 0.5, "": 0.0})
            (
                found
                | beam.Map(lambda record: json.dumps(record, sort_keys=True))
                | beam.io.WriteToText(str(tmp_path / "records"), shard_name_template="")
            )
        records = [json.loads(line) for line in (tmp_path / "records").read_text().splitlines()]
        assert expected in (None, records)
        expected = records
    (record,) = expected
    assert record["image_id"] == record["file_name"] == path
    assert (tmp_path / "out" / record["predictions"]["ground"]).is_file()
    assert {found["class"] for found in record["objects"]["objects"] if found["score"] < 0.5} == {"dog"}


def test_an_export_that_takes_one_picture_is_given_one_at_a_time(model, exported, folder, tmp_path):
    fixed = export.save(model, tmp_path / "fixed", confidences=0.02, batch=1)
    given = [ours.Picture.of(folder / name) for name in ("0.png", "torn.jpg", "2.webp")]
    answers = []
    for version in (fixed, exported / "1"):
        served = ours.Predict(version, tmp_path)
        handler = Served(str(version), served.exported.tasks)
        found = list(handler.run_inference(given, handler.load_model()))
        answers.append([result.inference.get("size", "error") for result in found])
    assert answers[0] == answers[1] == [(30, 50), "error", (46, 32)]


def test_a_bundle_that_is_done_twice_is_in_a_shard_once(tmp_path):
    records = [{"number": number, "file_name": str(number)} for number in (3, 1, 2)]
    for _ in range(2):
        with beam.Pipeline() as pipeline:
            paths = pipeline | beam.Create(records) | ours.Write(tmp_path, 2)
            assert_that(paths, equal_to([str(tmp_path / f"predictions-{number}-of-2.jsonl") for number in (1, 2)]))
    said = {path.name: path.read_text().splitlines() for path in tmp_path.iterdir()}
    numbers = {name: sorted(json.loads(line)["number"] for line in lines) for name, lines in said.items()}
    assert numbers == {"predictions-1-of-2.jsonl": [1, 3], "predictions-2-of-2.jsonl": [2]}


def test_two_workers_that_write_one_file_each_write_it_whole(tmp_path):
    path = tmp_path / "masks" / "one.png"
    with storage.written(str(path)) as first:
        first.write(b"the ")
        with storage.written(str(path)) as second:
            second.write(b"the same")
        assert path.read_bytes() == b"the same"
        first.write(b"same")
    assert path.read_bytes() == b"the same"
    assert list(path.parent.iterdir()) == [path]


def test_predictions_of_others_are_not_written_over(exported, folder, tmp_path):
    ours.predict(exported, [folder / "0.png"], tmp_path / "out")
    with pytest.raises(UsageError, match="holds predictions already: begin anew by replace=True"):
        ours.predict(exported, [folder / "0.png"], tmp_path / "out")
    with pytest.raises(UsageError, match="holds predictions of other pictures and other confidences"):
        ours.predict(exported, [folder], tmp_path / "out", confidence=0.5)
    assert ours.predict(exported, [folder], tmp_path / "out", confidence=0.5, replace=True).pictures == 7


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"export": "nowhere"}, "'nowhere' is no exported SavedModel: expected a folder with saved_model.pb"),
        ({"batch_size": 0}, "batch_size is 0: expected a number of pictures"),
        ({"confidence": {"cow": 0.5}}, "Unknown class of a confidence 'cow'"),
    ],
)
def test_a_wrong_argument_is_told_before_anything_runs(exported, tmp_path, given, expected):
    with pytest.raises(UsageError, match=expected):
        ours.Predict(**{"export": exported, "out": tmp_path} | given)
