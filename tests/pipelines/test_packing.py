"""`pipelines.pack`: what is written, what is gone on with after an interruption, and what is refused."""

import errno
import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import pipelines
from pipelines.packs import catalogue, examples, shards
from pipelines.packs.journal import JOURNAL, Journal

SQUARE = (3, 10, 5, 20, 20)
SMALL = 0.0003  # megabytes of a shard that holds one or two of the fixture's images


@pytest.fixture
def data(coco):
    """A COCO folder of five small images in `train` and one in `val`."""
    coco({f"{i}.png": [SQUARE] * i for i in range(5)}, at="data/train")
    return coco({"v.png": [SQUARE]}, at="data/val").parent


@pytest.fixture
def pack(data, tmp_path):
    """A function that packs its training images, in three shards."""

    def pack(out="pack", **options):
        options = {"source": "coco", "path": data, "splits": ["train"], "shard_mb": SMALL, **options}
        return pipelines.pack(out=tmp_path / out, **options)

    return pack


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def names(packed, split="train"):
    return [Path(name).name for name in packed.pack.splits[split].names]


def stop_at(monkeypatch, place, name, count, error):
    """Make a function raise at its call number `count`, from 0."""
    real, calls = getattr(place, name), []

    def stopping(*arguments):
        calls.append(arguments)
        if len(calls) == count + 1:
            raise error
        return real(*arguments)

    monkeypatch.setattr(place, name, stopping)
    return calls


def test_the_shards_are_plain_tfrecord_of_examples(pack, data, tmp_path):
    packed = pack(shard_mb=1, splits=["train", "validation"])
    assert (packed.written, packed.kept, packed.skipped) == (2, 0, ())
    files = sorted(path.name for path in (tmp_path / "pack").iterdir())
    train = "train-00000-of-00001.tfrecord"
    assert files == ["index.npz", "pack.json", train, "validation-00000-of-00001.tfrecord"]
    records = list(tf.data.TFRecordDataset(str(tmp_path / "pack" / train)).as_numpy_iterator())
    assert len(records) == 5
    example = tf.train.Example.FromString(records[2]).features.feature
    assert example["name"].bytes_list.value == [b"train/images/2.png"]
    assert example["image"].bytes_list.value == [(data / "train/images/2.png").read_bytes()]
    assert example["detection/boxes"].float_list.value == [10, 5, 30, 25] * 2
    assert example["detection/classes"].int64_list.value == [0, 0]
    assert example["classification/label"].float_list.value == [1, 0]
    assert example["detection/weight"].float_list.value == [1]


def test_a_picture_that_is_not_read_as_its_file_becomes_png(coco, tmp_path):
    folder = coco({"a.jpg": [SQUARE], "b.jpg": [SQUARE], "c.gif": [SQUARE]}, at="photos")
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    with Image.open(folder / "images/b.jpg") as picture:
        picture.save(folder / "images/b.jpg", exif=exif)
    pipelines.pack("coco", tmp_path / "pack", folder, ["train"])
    records = tf.data.TFRecordDataset(str(tmp_path / "pack/train-00000-of-00001.tfrecord")).as_numpy_iterator()
    starts = [tf.train.Example.FromString(r).features.feature["image"].bytes_list.value[0][:4] for r in records]
    assert starts == [b"\xff\xd8\xff\xe0", b"\x89PNG", b"\x89PNG"]


def test_a_file_that_is_not_the_picture_is_not_kept():
    image = np.arange(2400 * 3, dtype=np.uint8).reshape(40, 60, 3)
    same, lossy = tf.io.encode_png(image, 9).numpy(), tf.io.encode_jpeg(image).numpy()
    assert examples.picture(same, image) == same
    for encoded in (lossy, b"damaged", None):
        np.testing.assert_array_equal(tf.io.decode_png(examples.picture(encoded, image)), image)


@pytest.mark.parametrize("count", range(3))
def test_after_an_interruption_at_any_shard_the_rest_is_written(pack, tmp_path, monkeypatch, count):
    whole = pack("whole")
    assert whole.written == 3
    with monkeypatch.context() as patch:
        stop_at(patch, shards, "write", count, KeyboardInterrupt)
        with pytest.raises(KeyboardInterrupt):
            pack()
    assert not (tmp_path / "pack/pack.json").exists()
    with pytest.raises(pipelines.DataError, match="is the beginning of a pack: the same `visionmtl data pack` goes on"):
        pipelines.load("packed", (40, 60), 1, path=tmp_path / "pack")
    packed = pack()
    assert (packed.written, packed.kept) == (3 - count, count)
    assert contents(tmp_path / "pack") == contents(tmp_path / "whole")


@pytest.mark.parametrize(
    ("place", "name", "count", "kept"),
    [
        (examples, "write", 3, 1),  # in the middle of the second shard
        (shards.os, "replace", 2, 1),  # before the second shard gets its name; the first name is the journal's
        (Journal, "add", 1, 1),  # before the second shard is noted
        (catalogue, "write", 0, 3),
    ],
)
def test_an_interruption_at_any_step_leaves_nothing_half_done(pack, tmp_path, monkeypatch, place, name, count, kept):
    pack("whole")
    monkeypatch.setattr("pipelines.samples.reading.cpu_count", lambda: 1)  # the samples one after the other
    with monkeypatch.context() as patch:
        stop_at(patch, place, name, count, KeyboardInterrupt)
        with pytest.raises(KeyboardInterrupt):
            pack()
    assert not list((tmp_path / "pack").glob(".*"))
    assert pack().kept == kept
    assert contents(tmp_path / "pack") == contents(tmp_path / "whole")


@pytest.mark.parametrize("harmed", [JOURNAL, "train-00000-of-00003.tfrecord"])
def test_a_journal_cut_off_in_a_line_or_a_shard_damaged_meanwhile_is_made_good(pack, tmp_path, monkeypatch, harmed):
    pack("whole")
    with monkeypatch.context() as patch:
        stop_at(patch, shards, "write", 2, KeyboardInterrupt)
        with pytest.raises(KeyboardInterrupt):
            pack()
    path = tmp_path / "pack" / harmed
    path.write_bytes(path.read_bytes()[:-30] + (b"" if harmed == JOURNAL else bytes(30)))
    assert pack().kept == 1
    assert contents(tmp_path / "pack") == contents(tmp_path / "whole")


def test_a_finished_pack_is_left_as_it_is_by_the_same_call_and_by_others(pack, tmp_path, monkeypatch):
    pack()
    before = contents(tmp_path / "pack")
    calls = stop_at(monkeypatch, shards, "write", 9, KeyboardInterrupt)
    assert (pack().written, pack().kept) == (0, 3)
    for changed, message in (
        ({"divide": True}, r"is a pack of options=\{\}, not \{'divide': True\}: delete it, or choose another folder"),
        ({"shard_mb": 1}, r"shard_mb=0.0003, not 1"),
        ({"splits": ["validation"]}, r"splits=\['train'\], not \['validation'\]"),
    ):
        with pytest.raises(pipelines.DataError, match=message):
            pack(**changed)
    assert contents(tmp_path / "pack") == before
    assert not calls


def test_the_beginning_of_another_pack_is_refused(pack, data, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        stop_at(patch, shards, "write", 1, KeyboardInterrupt)
        with pytest.raises(KeyboardInterrupt):
            pack()
    before = contents(tmp_path / "pack")
    (data / "train/images/new.png").touch()
    for options in ({"tasks": ["detection"]}, {"shard_mb": 1}, {}):
        with pytest.raises(pipelines.DataError, match="holds the beginning of another pack, of other data or options"):
            pack(**options)
    assert contents(tmp_path / "pack") == before


def test_a_source_that_changed_is_told_before_anything_is_packed_again(pack, data, monkeypatch):
    pack()
    (data / "val/images/new.png").touch()
    with pytest.raises(pipelines.DataError, match=r"has changed since .*'val/images/new.png' is new\): delete that"):
        pack()
    real = shards.write

    def changing(path, records):
        (data / "train/images/0.png").touch()
        return real(path, records)

    monkeypatch.setattr(shards, "write", changing)
    with pytest.raises(pipelines.DataError, match=r"changed while it was packed \('train/images/0.png' has changed\)"):
        pack("other")


def test_a_broken_sample_stops_or_is_left_out_and_the_counts_add_up(pack, data, tmp_path):
    for name in ("train/images/1.png", "train/images/4.png", "val/images/v.png"):
        content = (data / name).read_bytes()
        (data / name).write_bytes(content[:60])
    with pytest.raises(pipelines.DataError, match=r"1.png' is truncated or damaged"):
        pack()
    with pytest.raises(pipelines.DataError, match="Split 'validation' has no image that can be used. The first of 1 "):
        pack("none", on_error="skip", splits=["validation"])
    packed = pack(on_error="skip")
    assert names(packed) == ["0.png", "2.png", "3.png"]
    assert ["1.png' is" in packed.skipped[0], "4.png' is" in packed.skipped[1], len(packed.skipped)] == [True, True, 2]
    loaded = pipelines.load("packed", (40, 60), 1, path=tmp_path / "pack", splits=["train"])
    assert loaded.sizes == {"train": 3}


def test_what_was_left_out_is_told_again_when_gone_on_with(pack, data, tmp_path, monkeypatch):
    (data / "train/images/0.png").write_bytes((data / "train/images/0.png").read_bytes()[:60])
    with monkeypatch.context() as patch:
        stop_at(patch, shards, "write", 1, KeyboardInterrupt)
        with pytest.raises(KeyboardInterrupt):
            pack(on_error="skip")
    with pytest.raises(pipelines.DataError, match=r"0.png' is truncated or damaged"):
        pack()
    packed = pack(on_error="skip")
    assert (packed.kept, len(packed.skipped)) == (1, 1)


def test_a_full_disk_is_one_sentence_and_the_same_call_goes_on(pack, monkeypatch):
    with monkeypatch.context() as patch:
        stop_at(patch, shards.os, "replace", 2, OSError(errno.ENOSPC, "No space left on device"))
        with pytest.raises(pipelines.DataError, match=r"Cannot write '.*of-00003.tfrecord': the disk is full. Once"):
            pack()
    assert pack().kept == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"source": "coc"}, "Unknown source 'coc'. Did you mean 'coco'?"),
        ({"dvide": True}, "Unknown option of source 'coco' 'dvide'. Did you mean 'divide'?"),
        ({"splits": ["tran"]}, "Unknown split 'tran'. Did you mean 'train'?"),
        ({"tasks": ["detecton"]}, "Task 'detecton' has no labels"),
        ({"on_error": "skp"}, "Unknown on_error 'skp'. Did you mean 'skip'?"),
        ({"shard_mb": 0}, "A shard of 0 MB: expected a number above 0"),
        ({"source": "packed"}, "is a pack already"),
        ({"source": "garments", "path": None}, "draws its pictures at the size they are asked for"),
        ({"out": "data/pack"}, "lies within the data itself: choose a folder beside"),
        ({"out": "data"}, "lies within the data itself"),
        ({"out": "full"}, "full' is not empty, and no pack"),
        ({"out": "full/notes.txt"}, "notes.txt' is a file"),
    ],
)
def test_a_mistake_is_one_sentence_and_writes_nothing(pack, tmp_path, options, message):
    (tmp_path / "full").mkdir()
    (tmp_path / "full/notes.txt").write_text("mine")
    with pytest.raises(pipelines.DataError) as raised:
        pack(**options)
    assert message in str(raised.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "full"]
    assert not (tmp_path / "data/pack").exists()


def test_samples_are_divided_into_runs_of_about_the_size_asked_for():
    sizes = np.random.default_rng(0).integers(1, 9, 50)
    for target in (1, 10, 40, 1000):
        runs = shards.divide(sizes, target)
        assert [start for start, _ in runs] + [50] == [0] + [end for _, end in runs]
        totals = [sizes[start:end].sum() for start, end in runs]
        assert max(totals) < target + 2 * sizes.max()
        assert len(runs) <= 1 + sizes.sum() / target


def test_what_is_written_of_a_pack_is_read_back(pack, tmp_path, data):
    written, read = pack().pack, catalogue.read(tmp_path / "pack")
    assert (read.specs, read.absent, read.origin) == (written.specs, written.absent, written.origin)
    assert read.request == json.loads(json.dumps(written.request))
    assert sorted(read.origin.files)[:2] == ["train/annotations.json", "train/images/0.png"]
    for key, split in written.splits.items():
        again = read.splits[key]
        assert (again.shards, again.names, again.follow) == (split.shards, split.names, "boxes")
        np.testing.assert_array_equal(again.lengths, split.lengths)
        np.testing.assert_array_equal(again.objects["detection"], split.objects["detection"])
