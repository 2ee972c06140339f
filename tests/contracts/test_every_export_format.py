"""Every export format through what an export asks of it."""

import json
import os
import subprocess

import pytest
import toys

from visionmtl import export
from visionmtl.errors import UsageError
from visionmtl.export.format import FLOAT32, PRECISIONS

BESIDE = ("labels.json", "signature.json", "README.md", "SHA256SUMS")


@pytest.mark.slow
@pytest.mark.parametrize("name", export.names())
def test_it_says_what_it_is_and_writes_what_it_says_beside_the_labels(name, tmp_path):
    made = export.FORMATS[name]
    assert (made.__doc__ or "").partition("\n")[0].endswith(".")
    version = export.save(toys.model(toys.tasks("scene")), tmp_path / "toy", format=name)
    assert version == tmp_path / "toy" / "1"
    written = {path.name for path in version.iterdir()}
    assert {made.files[0], *BESIDE} <= written <= {*made.files, *BESIDE}
    subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=version, check=True, capture_output=True)
    assert (
        len((version / "SHA256SUMS").read_text().splitlines()) == sum(path.is_file() for path in version.rglob("*")) - 1
    )
    said = json.loads((version / "signature.json").read_text())[name]
    assert said["file"] == made.files[0]
    default = said["signatures"]["serving_default"]
    images = [each for each in default["inputs"] if not each["optional"]]
    assert [(each["name"], each["dtype"], each["shape"][1:]) for each in images] == [
        ("images", "uint8", ["height", "width", 3])
    ]
    outputs = {each["name"]: (each["dtype"], each["shape"][1:]) for each in default["outputs"]}
    assert outputs == {"scene_probabilities": ("float32", [3]), "image_sizes": ("int32", [2])}
    told = [each for own in said["signatures"].values() for side in own.values() for each in side]
    assert all(each["unit"] and each["meaning"] for each in told)


def test_no_two_formats_write_files_of_one_name():
    files = [*BESIDE, *(file for made in export.FORMATS.values() for file in made.files)]
    assert len(set(files)) == len(files)


@pytest.mark.slow
def test_a_failure_leaves_nothing_beside_the_versions_before(tmp_path, monkeypatch):
    model = toys.model(toys.tasks("scene"))
    version = export.save(model, tmp_path / "toy")

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "rename", full)
    with pytest.raises(UsageError, match="toy': the disk is full"):
        export.save(model, tmp_path / "toy")
    assert list((tmp_path / "toy").iterdir()) == [version]


@pytest.mark.parametrize("name", export.names())
def test_each_of_its_precisions_has_a_name_that_is_known_and_a_file_of_its_own(name):
    made = export.FORMATS[name]
    assert made.precisions[0] == FLOAT32
    assert set(made.precisions) <= set(PRECISIONS)
    files = [made(precision).file for precision in made.precisions]
    assert len(set(files)) == len(files)
