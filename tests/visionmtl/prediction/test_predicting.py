"""Predictions are written picture by picture: a broken one or a kill costs no other, and all can be gone on with."""

import json
import os
import subprocess
import sys
import time

import numpy as np
import pytest
import reds
from PIL import Image

from visionmtl import cli, prediction, recipe
from visionmtl.errors import UsageError
from visionmtl.prediction import places
from visionmtl.prediction.journal import Journal
from visionmtl.prediction.writing import Writing
from visionmtl.training import runs


@pytest.fixture
def folder(tmp_path):
    """A folder of five pictures of different sizes."""
    for number in range(5):
        reds.picture(tmp_path / "photographs" / f"{number}.png", (40 + number, 60 - number), grey=50 + 20 * number)
    return tmp_path / "photographs"


@pytest.fixture
def by_name(monkeypatch):
    """Commands load a model without weights, whatever is named."""
    monkeypatch.setattr(runs, "load_model", lambda path: (reds.Reds(), None))


def files(root):
    """All files beneath a folder with their content."""
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_one_unreadable_picture_loses_nothing_and_is_told(folder, tmp_path, by_name, capsys):
    (folder / "2.png").write_bytes(b"no picture at all")
    reds.truncated(folder / "3.png")
    out = tmp_path / "out"
    assert cli.main(["predict", "model.keras", str(folder), "--out", str(out), "--batch", "2"]) == 3
    said = capsys.readouterr().out
    assert "Predicted on 3 of 5 pictures" in said
    assert f"Could not read 2:\n  File '{folder / '2.png'}' cannot be read as a picture" in said
    told = reds.records(out / "predictions.jsonl")
    assert {name for name, record in told.items() if "error" in record} == {"2", "3"}
    assert {row["image_id"] for row in json.loads((out / "detections.json").read_text())} == {1, 2, 5}
    assert len(list((out / "overlays").iterdir())) == len(list((out / "masks" / "ground").iterdir())) == 3


def test_what_is_left_out_of_pictures_is_told(tmp_path, capsys):
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "film.gif", save_all=True, append_images=frames[1:])
    for name in ("a.png", "b.png"):
        Image.new("RGBA", (20, 20), (1, 2, 3, 100)).save(tmp_path / name)
    prediction.predict(reds.Reds("scene"), [tmp_path], tmp_path / "out", overlays=0)
    said = capsys.readouterr().out
    assert (
        f"1 picture has several frames or pages, of which the first is read (the first: '{tmp_path / 'film.gif'}')."
        in said
    )
    assert "2 pictures have an alpha channel" in said


def test_a_model_file_names_the_data_of_its_own_training(tmp_path, monkeypatch, capsys):
    model = reds.Reds("scene")
    monkeypatch.setattr(runs, "load_model", lambda path: (model, None))
    command = ["predict", "last.keras", "--split", "test", "--out", str(tmp_path / "out")]
    model.recipe = None
    assert cli.main(command) == 2
    assert "'last.keras' keeps none: give its run folder" in capsys.readouterr().err
    given = recipe.load("garments", ["data.options={train: 2, validation: 2, test: 3}", "data.image_size=[32, 32]"])
    model.recipe = {"name": given.name, "text": given.dump()}
    assert cli.main(command) == 0
    assert list(reds.records(tmp_path / "out" / "predictions.jsonl")) == [f"test-00000{number}" for number in (1, 2, 3)]


def test_a_mended_picture_is_all_that_resuming_does(folder, tmp_path, by_name, monkeypatch):
    whole, broken = (folder / "2.png").read_bytes(), tmp_path / "broken"
    assert cli.main(["predict", "model.keras", str(folder), "--out", str(tmp_path / "whole")]) == 0
    (folder / "2.png").write_bytes(whole[:40])
    command = ["predict", "model.keras", str(folder), "--out", str(broken)]
    assert cli.main(command) == 3
    (folder / "2.png").write_bytes(whole)
    done = []
    write = Writing.write
    monkeypatch.setattr(
        Writing, "write", lambda self, sample, found: done.append(sample.place) or write(self, sample, found)
    )
    assert cli.main([*command, "--resume"]) == 0
    assert done == [2]
    one, other = files(tmp_path / "whole"), files(broken)
    assert reds.records(broken / "predictions.jsonl") == reds.records(tmp_path / "whole" / "predictions.jsonl")
    assert one.keys() == other.keys()
    assert all(one[name] == other[name] for name in one if name != "predictions.jsonl")


@pytest.mark.parametrize("content", [b"", b"no picture at all"])
def test_where_no_picture_can_be_read_there_is_one_sentence(tmp_path, by_name, capsys, content):
    (tmp_path / "broken.jpg").write_bytes(content)
    assert cli.main(["predict", "m", str(tmp_path / "broken.jpg"), "--out", str(tmp_path / "out")]) == 2
    assert "broken.jpg" in capsys.readouterr().err


def test_a_stop_loses_at_most_a_batch_and_resuming_gives_the_same(folder, tmp_path, by_name, monkeypatch, capsys):
    def command(out):
        return ["predict", "model.keras", str(folder), "--out", str(tmp_path / out), "--batch", "1"]

    assert cli.main(command("whole")) == 0
    seen, outputs = [], prediction.predict.__globals__["Network"].outputs

    def stopping(self, batch):
        if len(seen) == 3:
            raise KeyboardInterrupt
        seen.append(batch)
        return outputs(self, batch)

    with monkeypatch.context() as patch:
        patch.setattr(prediction.predict.__globals__["Network"], "outputs", stopping)
        assert cli.main(command("stopped")) == 130
    assert "3 of 5 pictures are done: --resume goes on with the others." in capsys.readouterr().err
    journal = tmp_path / "stopped" / "predictions.jsonl"
    with open(journal, "ab") as file:  # the machine went off within a line
        file.write(journal.read_bytes()[:50])
    assert cli.main([*command("stopped"), "--resume"]) == 0
    assert "3 of 5 pictures are done: going on with the others." in capsys.readouterr().out
    assert files(tmp_path / "stopped") == files(tmp_path / "whole")


@pytest.mark.slow
def test_a_kill_at_any_moment_loses_no_picture_that_was_recorded(tmp_path):
    for number in range(120):
        reds.picture(tmp_path / "photographs" / f"{number}.png", grey=50 + number)
    script = (
        "import sys, reds\n"
        "from visionmtl import prediction\n"
        f"prediction.predict(reds.Reds('ground'), [{str(tmp_path / 'photographs')!r}], sys.argv[1], batch_size=1)\n"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", script, str(tmp_path / "killed")]
    journal = tmp_path / "killed" / "predictions.jsonl"
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as process:
        while not journal.is_file() or journal.read_bytes().count(b"\n") < 3:
            assert process.poll() is None
            time.sleep(0.01)
        process.kill()
    recorded = journal.read_bytes().count(b"\n")
    written = len(list((tmp_path / "killed" / "masks" / "ground").glob("[!.]*.png")))
    assert recorded <= written <= recorded + 1  # of a batch of one
    assert recorded < 120
    model = reds.Reds("ground")
    prediction.predict(model, [tmp_path / "photographs"], tmp_path / "killed", resume=True, batch_size=1)
    prediction.predict(model, [tmp_path / "photographs"], tmp_path / "whole", batch_size=1)
    assert files(tmp_path / "killed") == files(tmp_path / "whole")


def test_a_picture_whose_file_was_lost_with_the_power_is_done_again(folder, tmp_path):
    model, out = reds.Reds("ground"), tmp_path / "out"
    prediction.predict(model, [folder], out)
    (out / "masks" / "ground" / "1.png").write_bytes(b"")
    prediction.predict(model, [folder], out, resume=True)
    assert np.asarray(Image.open(out / "masks" / "ground" / "1.png")).max() == 1


def test_predictions_are_never_mixed_with_others(folder, tmp_path, by_name, capsys):
    command = ["predict", "model.keras", str(folder), "--out", str(tmp_path / "out")]
    assert cli.main(command) == 0
    for more, expected in (
        ([], "holds predictions already"),
        (["--resume", "--confidence", "0.5"], "holds predictions of other confidences"),
        (["--resume", "--replace"], "give one of both"),
    ):
        assert cli.main([*command, *more]) == 2
        assert expected in capsys.readouterr().err
    reds.picture(folder / "new.png")
    assert cli.main([*command, "--resume"]) == 2
    assert "holds predictions of other pictures" in capsys.readouterr().err
    (tmp_path / "out" / "mine.txt").touch()
    assert cli.main([*command, "--replace"]) == 0
    assert len(reds.records(tmp_path / "out" / "predictions.jsonl")) == 6
    assert (tmp_path / "out" / "mine.txt").exists()


def test_two_processes_do_not_write_into_one_folder(tmp_path):
    with (
        places.held(tmp_path, {}, {}, prediction.Options()),
        pytest.raises(UsageError, match="is being written by another process"),
        places.held(tmp_path, {}, {}, prediction.Options(resume=True)),
    ):
        pass


@pytest.mark.parametrize(("asked", "drawn"), [("none", 0), ("2", 2), ("all", 5)])
def test_overlays_are_drawn_of_as_many_pictures_as_asked_for(folder, tmp_path, by_name, asked, drawn):
    assert cli.main(["predict", "m", str(folder), "--out", str(tmp_path / "out"), "--overlays", asked]) == 0
    assert len(list(tmp_path.glob("out/overlays/*.png"))) == drawn


def test_an_overlay_has_a_key_of_the_classes_that_are_in_its_mask_alone(tmp_path):
    path = reds.picture(tmp_path / "a.png", (384, 500), (10, 5, 200, 205))
    model = reds.Reds("ground")
    prediction.predict(model, [path], tmp_path / "out")
    height, colours = 384, model.tasks["ground"].colours
    key = np.asarray(Image.open(tmp_path / "out" / "overlays" / "a.png"))[height:]
    assert key.shape[1] == 500
    assert all((key == colour).all(axis=-1).any() for colour in colours.values())
    prediction.predict(model, [reds.picture(tmp_path / "a.png", (384, 500), (0, 0, 0, 0))], tmp_path / "none")
    key = np.asarray(Image.open(tmp_path / "none" / "overlays" / "a.png"))[height:]
    assert [(key == colour).all(axis=-1).any() for colour in colours.values()] == [True, False]


def test_a_long_thin_picture_is_not_enlarged_beyond_all_measure(tmp_path):
    path = reds.picture(tmp_path / "line.png", (1, 400), (0, 0, 9, 1))
    prediction.predict(reds.Reds("objects"), [path], tmp_path / "out")
    assert Image.open(tmp_path / "out" / "overlays" / "line.png").size == (1200, 3)


def test_shards_join_into_what_one_process_writes(folder, tmp_path, by_name, capsys):
    (folder / "1.png").write_bytes(b"")

    def command(out, *more):
        return ["predict", "m", str(folder), "--out", str(tmp_path / out), "--format", "coco", *more]

    assert cli.main(command("whole")) == 3
    assert cli.main(command("one", "--shard", "1/2")) == 0
    capsys.readouterr()
    assert cli.main(["predict", "merge", str(tmp_path / "one")]) == 2
    assert "Shard 2/2 is not there" in capsys.readouterr().err
    assert cli.main(command("other", "--shard", "2/2")) == 3
    merged = ["predict", "merge", str(tmp_path / "one"), str(tmp_path / "other"), "--out", str(tmp_path / "all")]
    assert cli.main(merged) == 3
    assert reds.records(tmp_path / "all" / "predictions.jsonl") == reds.records(
        tmp_path / "whole" / "predictions.jsonl"
    )
    assert cli.main([*merged[:-1], str(tmp_path / "one")]) == 2, "masks of the other would be left behind"
    assert "is there already: name a folder that is empty or new by --out" in capsys.readouterr().err
    one, other = files(tmp_path / "all"), files(tmp_path / "whole")
    assert one.keys() == other.keys()
    assert all(one[name] == other[name] for name in one if name != "predictions.jsonl")


def test_shards_of_one_folder_join_in_it(folder, tmp_path, by_name):
    command = ["predict", "m", str(folder), "--out", str(tmp_path / "out"), "--overlays", "none"]
    for shard in ("1/2", "2/2"):
        assert cli.main([*command, "--shard", shard]) == 0
    assert cli.main(["predict", "merge", str(tmp_path / "out")]) == 0
    assert len(reds.records(tmp_path / "out" / "predictions.jsonl")) == 5
    assert not list((tmp_path / "out").glob("predictions-*"))


def test_a_shard_that_is_not_finished_is_not_joined(tmp_path):
    prediction.predict(
        reds.Reds("objects"), [reds.picture(tmp_path / "a.png")], tmp_path / "out", shard=places.Shard(1, 1)
    )
    (tmp_path / "out" / "predictions-1-of-1.jsonl").write_bytes(b"")
    with pytest.raises(UsageError, match=r"has 0 of 1 pictures: go on with it by --shard 1/1 --resume"):
        prediction.merge([tmp_path / "out"])


@pytest.mark.parametrize("text", ["0/4", "5/4", "1", "a/b"])
def test_a_shard_that_is_none_is_refused(text):
    with pytest.raises(UsageError, match="expected a part and how many there are"):
        places.Shard.parsed(text)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--overlays", "some"], "expected all, none, or how many"),
        (["--confidence", "high"], "expected a number, as 0.4 or car=0.6"),
        (["--confidence", "1.5"], "expected a number of at least 0 and up to 1"),
        (["--confidence", "cta=0.5"], "Did you mean 'cat'?"),
        (["--format", "coko"], "Did you mean 'coco'?"),
        (["--batch", "0"], "expected a number of pictures"),
        (["--split", "val"], "Give pictures to predict on, or --split"),
    ],
)
def test_a_wrong_argument_is_told_in_a_sentence(folder, tmp_path, by_name, capsys, arguments, expected):
    assert cli.main(["predict", "m", str(folder), "--out", str(tmp_path / "out"), *arguments]) == 2
    assert expected in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_journal_gives_its_records_in_the_order_of_the_pictures(tmp_path):
    journal = Journal(tmp_path / "a.jsonl")
    journal.add([{"number": 3}, {"number": 1, "name": "é\udc80"}])
    journal.add([{"number": 2}])
    assert [record["number"] for record in Journal(journal.path)] == [1, 2, 3]
    assert 3 in journal
    journal.forget(3)
    assert 3 not in journal
    assert len(journal) == 2
