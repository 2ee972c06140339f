"""Every export format through what an export asks of it."""

import os

import pytest
import toys

from visionmtl import export
from visionmtl.errors import UsageError


@pytest.mark.parametrize("name", export.names())
def test_it_says_what_it_is_and_writes_what_it_says_beside_the_labels(name, tmp_path):
    made = export.FORMATS[name]
    assert (made.__doc__ or "").partition("\n")[0].endswith(".")
    version = export.save(toys.model(toys.tasks("scene")), tmp_path / "toy", format=name)
    assert version == tmp_path / "toy" / "1"
    written = {path.name for path in version.iterdir()}
    assert {made.files[0], "labels.json"} <= written <= {*made.files, "labels.json"}


def test_no_two_formats_write_files_of_one_name():
    files = ["labels.json", *(file for made in export.FORMATS.values() for file in made.files)]
    assert len(set(files)) == len(files)


def test_a_failure_leaves_nothing_beside_the_versions_before(tmp_path, monkeypatch):
    model = toys.model(toys.tasks("scene"))
    version = export.save(model, tmp_path / "toy")

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "rename", full)
    with pytest.raises(UsageError, match="toy': the disk is full"):
        export.save(model, tmp_path / "toy")
    assert list((tmp_path / "toy").iterdir()) == [version]
