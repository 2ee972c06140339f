"""Every export format through what an export asks of it."""

import os

import pytest
import toys

from visionmtl import export
from visionmtl.errors import UsageError


@pytest.mark.parametrize("name", export.names())
def test_it_says_what_it_is_and_its_failure_leaves_nothing(name, tmp_path, monkeypatch):
    assert (export.FORMATS[name].__doc__ or "").partition("\n")[0].endswith(".")
    model = toys.model(toys.tasks("scene"))
    version = export.save(model, tmp_path / "toy", format=name)
    assert version == tmp_path / "toy" / "1"
    assert list(version.iterdir())

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "rename", full)
    with pytest.raises(UsageError, match="toy': the disk is full"):
        export.save(model, tmp_path / "toy", format=name)
    assert list((tmp_path / "toy").iterdir()) == [version]
