"""All that `pipelines` writes or removes: one sentence when it cannot, and what was there stays."""

import errno
import os
import re
from pathlib import Path

import pytest

import pipelines
from pipelines import files
from pipelines.packs import journal

FOLDER = Path(pipelines.__file__).parent
REASONS = {
    errno.ENOSPC: "the disk is full",
    errno.EROFS: "it lies on a disk that can only be read",
    errno.EACCES: "there is no permission to write there",
}
STEPS = {  # of a pack: what is called, and the name of the file that it is called for
    "the journal": (files.os, "replace", "journal.jsonl"),
    "a shard": (files.os, "replace", "train-00001-of-00002.tfrecord"),
    "a line of the journal": (journal.os, "fsync", "journal.jsonl"),
    "the arrays": (files.os, "replace", "index.npz"),
    "the contents": (files.os, "replace", "pack.json"),
    "the end of the journal": (Path, "unlink", "journal.jsonl"),
}


@pytest.fixture
def pack(coco, tmp_path):
    """A function that packs four small images in two shards."""
    coco({f"{i}.png": [(3, 10, 5, 20, 20)] * i for i in range(4)})

    def pack(out="pack"):
        return pipelines.pack("coco", tmp_path / out, tmp_path / "data", ["train"], shard_mb=0.0004)

    return pack


def fail(monkeypatch, place, name, target, number):
    """Make a function of the system fail for one file."""
    real = getattr(place, name)

    def failing(*arguments, **options):
        last = arguments[-1]
        called = Path(os.readlink(f"/proc/self/fd/{last}")) if isinstance(last, int) else Path(last)
        if called.name == target:
            raise OSError(number, os.strerror(number))
        return real(*arguments, **options)

    monkeypatch.setattr(place, name, failing)


@pytest.mark.parametrize(
    ("step", "number"), [*((step, errno.ENOSPC) for step in STEPS), *(("a shard", n) for n in REASONS)]
)
def test_a_pack_that_cannot_be_written_is_one_sentence_and_is_gone_on_with(pack, tmp_path, monkeypatch, step, number):
    whole = pack("whole")
    with monkeypatch.context() as patch:
        fail(patch, *STEPS[step], number)
        with pytest.raises(pipelines.DataError) as raised:
            pack()
    place = re.escape(str(tmp_path / "pack" / STEPS[step][2]))
    assert re.fullmatch(rf"Cannot (write|remove) '{place}': {REASONS[number]}\. [A-Z][^.]*\.", str(raised.value))
    assert not list((tmp_path / "pack").glob(".*"))
    assert pack().pack.specs == whole.pack.specs
    for path in (tmp_path / "whole").iterdir():
        assert (tmp_path / "pack" / path.name).read_bytes() == path.read_bytes()


def test_a_cache_that_cannot_be_made_anew_is_one_sentence(coco, tmp_path, load, monkeypatch):
    for split in ("train", "val"):
        coco({"a.png": []}, at=f"data/{split}")
    options = {"splits": ["train", "val"], "cache": tmp_path / "cache"}
    load(tmp_path / "data", **options)
    (shard,) = (tmp_path / "cache").rglob("train-*.tfrecord")
    shard.write_bytes(b"")
    monkeypatch.setattr(files.shutil, "rmtree", lambda path: (_ for _ in ()).throw(OSError(errno.EROFS, "", str(path))))
    with pytest.raises(pipelines.DataError, match="Cannot remove '.*/cache/coco-.*': it lies on a disk that can only"):
        load(tmp_path / "data", **options)


def test_whatever_is_written_is_written_whole():
    # The writer, and what it removes that was left by halves; a script that made what is embedded.
    allowed = {"files.py", "leftovers.py", "make_garments.py"}
    for path in FOLDER.rglob("*.py"):
        text = path.read_text()
        if path.parent.name == "writers":  # they fill a folder that is renamed once it is whole
            continue
        if path.name not in allowed:
            receivers = re.findall(r"([\w.]+)\.(?:write_text|write_bytes|touch|open\(\"w)", text)
            assert set(receivers) <= {"partial"}, path
            assert not re.search(
                r"(?<!\.)\bopen\([^)\n]*\"[wx]|os\.(replace|rename|remove)|shutil\.|\.unlink\(", text
            ), path
        if path.name != "journal.py":  # a line is added to it, which is passed over if it is cut off
            assert '"a"' not in text, path
