"""Videos are predicted on frame by frame: each at its own time, upright, and what is broken is told."""

import json
from fractions import Fraction

import numpy as np
import pytest
import reds

from visionmtl import cli, prediction
from visionmtl.errors import UsageError
from visionmtl.prediction.video import needed
from visionmtl.prediction.video.run import Work
from visionmtl.training import runs

av = pytest.importorskip("av", reason="the extra video is not there")
films = pytest.importorskip("films")

EVEN = [3600 * number for number in range(12)]  # 25 a second
UNEVEN = [0, 3600, 3700, 9000, 9001, 20000, 90000, 90090]


@pytest.fixture
def by_name(monkeypatch):
    """Commands load a model without weights, whatever is named."""
    monkeypatch.setattr(runs, "load_model", lambda path: (reds.Reds("objects", "ground", "scene"), None))


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def predicted(path, out, *more):
    """Predict on a film by the command line; return the record of it and those of its frames."""
    status = cli.main(["predict", "m", str(path), "--out", str(out), "--batch", "5", *more])
    (record,) = lines(out / "predictions.jsonl")
    return status, record, lines(out / record["records"]) if "records" in record else []


@pytest.mark.parametrize(("name", "times"), [("a.mp4", EVEN), ("a.mkv", EVEN), ("a.mp4", UNEVEN), ("late.mp4", EVEN)])
def test_every_frame_keeps_its_time(tmp_path, by_name, name, times):
    late = 180_000 if "late" in name else 0
    path = films.film(tmp_path / name, [late + time for time in times])
    there, _, rate = films.read(path)
    status, record, told = predicted(path, tmp_path / "out")
    written, pictures, new_rate = films.read(tmp_path / "out" / record["video"])
    assert status == 0
    assert record["faults"] == []
    assert record["frames"] == len(told) == len(written) == len(times)
    assert written == [time - there[0] for time in there]
    assert [each["seconds"] for each in told] == [round(float(time), 6) for time in written]
    assert times is UNEVEN or new_rate == rate == Fraction(record["rate"])
    assert pictures[0].shape[1] == 6 * 96  # enlarged, as pictures are, to be read
    assert pictures[0].shape[0] > 6 * 64  # and the key of the ground's colours


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("turned", [0, 90, 180, 270])
def test_a_frame_is_turned_as_its_film_says(tmp_path, turned, mirrored):
    stored = films.picture()
    shown = np.rot90(stored, turned // 90)  # counterclockwise, then mirrored, as FFmpeg has it
    shown = shown[:, ::-1] if mirrored else shown
    path = films.film(tmp_path / "a.mp4", [0], frames=[stored], turned=turned, mirrored=mirrored, aspect=Fraction(4, 3))
    prediction.predict(reds.Reds("scene"), [path], tmp_path / "out")
    (record,) = lines(tmp_path / "out" / "predictions.jsonl")
    assert (record["height"], record["width"]) == shown.shape[:2]
    _, (picture,), _ = films.read(tmp_path / "out" / record["video"])
    drawn, told = np.split(picture, [6 * shown.shape[0]])  # six times as large
    red = drawn[::6, ::6, 0].astype(int) - drawn[::6, ::6, 1] > 90
    expected = shown[..., 0] > 200
    assert (red != expected).mean() < 0.03  # but for blurred edges
    assert (told < 90).any()  # what is said in words
    with av.open(str(tmp_path / "out" / record["video"])) as container:
        aspect = container.streams.video[0].codec_context.sample_aspect_ratio
    assert aspect == (Fraction(3, 4) if turned in (90, 270) else Fraction(4, 3))


def test_objects_are_followed_over_frames_unless_that_is_turned_off(tmp_path, by_name):
    frames = [films.picture(number) for number in range(10)]
    frames[6] = np.full_like(frames[6], 90)  # in which the whole picture is found instead
    path = films.film(tmp_path / "a.mp4", EVEN[:10], frames=frames)
    _, _, told = predicted(path, tmp_path / "out", "--overlays", "none")
    (first,) = zip(*(each["objects"]["objects"] for each in told), strict=True)
    assert {(each["class"], each["track"]) for each in first} == {("cat", 1)}
    assert [each["found"] for each in first] == [number != 6 for number in range(10)]
    assert np.diff([each["bbox"][0] for each in first]) == pytest.approx(2, abs=1)
    _, record, alone = predicted(path, tmp_path / "raw", "--overlays", "none", "--no-smoothing")
    assert "video" not in record
    assert not (tmp_path / "raw" / "videos").exists()
    assert all("track" not in each for line in alone for each in line["objects"]["objects"])
    assert [line["objects"]["objects"][0]["bbox"][2] > 90 for line in alone] == [number == 6 for number in range(10)]


def test_masks_of_frames_are_written_if_asked_for(tmp_path, by_name):
    path = films.film(tmp_path / "a.mp4", EVEN[:2])
    _, _, told = predicted(path, tmp_path / "out", "--overlays", "none")
    assert list(told[0]["predictions"]) == ["scene"]
    _, _, told = predicted(path, tmp_path / "all", "--overlays", "none", "--maps")
    assert told[1]["predictions"]["ground"] == "masks/ground/a/000001.png"
    assert (tmp_path / "all" / told[1]["predictions"]["ground"]).is_file()


def test_what_is_broken_is_told_and_all_else_is_predicted(tmp_path, by_name, capsys):
    path = films.film(tmp_path / "hit.mp4", [3600 * number for number in range(40)])
    content = bytearray(path.read_bytes())
    for place in range(len(content) // 2, len(content) // 2 + 120):
        content[place] ^= 0x5A
    path.write_bytes(content)
    cut = films.film(tmp_path / "cut.mp4", EVEN)
    cut.write_bytes(cut.read_bytes()[:-300])
    (tmp_path / "none.mp4").write_text("no film")
    there, _, _ = films.read(path)
    out = tmp_path / "out"
    names = [str(tmp_path / name) for name in ("hit.mp4", "cut.mp4", "none.mp4")]
    assert cli.main(["predict", "m", *names, "--out", str(out), "--overlays", "none"]) == 3
    hit, *others = lines(out / "predictions.jsonl")
    assert 30 < hit["frames"] == len(lines(out / hit["records"])) == len(there) < 40
    assert any(fault.startswith("The file says that it has 40 frames, and ") for fault in hit["faults"])
    assert any("could not be decoded" in fault for fault in hit["faults"])
    assert all("' cannot be read: " in each["error"] for each in others)
    said = capsys.readouterr().out
    assert f"Predicted on {hit['frames']} frames of '{path}'" in said
    assert f"Could not read: Video '{tmp_path / 'none.mp4'}' cannot be read" in said
    assert cli.main(["predict", "m", names[2], "--out", str(tmp_path / "other")]) == 2
    assert "none.mp4" in capsys.readouterr().err


def test_going_on_does_what_is_not_done_and_a_stop_leaves_no_half_film(tmp_path, by_name, monkeypatch, capsys):
    names = [str(films.film(tmp_path / name, EVEN[:6])) for name in ("a.mp4", "b.mp4")]
    command = ["predict", "m", *names, "--out", str(tmp_path / "out"), "--batch", "2"]
    seen, predict = [], Work._predicted

    def stopping(self, batch):
        if len(seen) == 4:  # within the second film
            raise KeyboardInterrupt
        seen.append(batch)
        return predict(self, batch)

    with monkeypatch.context() as patch:
        patch.setattr(Work, "_predicted", stopping)
        assert cli.main(command) == 130
    assert "b.mp4' is begun anew, and had 2 frames: --resume goes on" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "out" / "videos").iterdir()] == ["a.mp4"]
    assert cli.main([*command, "--resume", "--no-smoothing"]) == 2
    assert "boxes that are smoothed otherwise" in capsys.readouterr().err
    before = (tmp_path / "out" / "videos" / "a.mp4").stat().st_mtime_ns
    assert cli.main([*command, "--resume"]) == 0
    assert (tmp_path / "out" / "videos" / "a.mp4").stat().st_mtime_ns == before
    assert len(lines(tmp_path / "out" / "predictions.jsonl")) == 2


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        (["--format", "coco"], "--format is of pictures, and videos were given"),
        (["--shard", "1/2"], "--shard is of pictures"),
        (["--overlays", "3"], "all frames are drawn on, or none"),
        (["--annotations", "a.json"], "leave --annotations out"),
        (["photo.jpg"], "'photo.jpg' is none: predict on videos and on pictures one by one"),
    ],
)
def test_what_a_video_cannot_have_is_refused_before_anything_is_read(tmp_path, monkeypatch, capsys, more, expected):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.mp4").touch()
    assert cli.main(["predict", "no-such-model", "a.mp4", *more]) == 2
    assert expected in capsys.readouterr().err
    assert cli.main(["predict", "no-such-model", "photo.jpg", "--maps"]) == 2
    assert "--no-smoothing and --maps are of videos" in capsys.readouterr().err


def test_without_the_package_a_sentence_says_how_to_have_it(tmp_path, monkeypatch):
    (tmp_path / "a.mp4").touch()
    monkeypatch.setattr(needed, "av", None)
    with pytest.raises(UsageError, match=r"pip install 'visionmtl\[video\]'"):
        prediction.predict(reds.Reds("scene"), [tmp_path / "a.mp4"], tmp_path / "out")
