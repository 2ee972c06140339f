"""The package's public names are there when asked for, and not before."""

import pytest

import visionmtl


@pytest.mark.parametrize("name", visionmtl.__all__)
def test_every_public_name_is_there(name):
    assert getattr(visionmtl, name) is not None


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'MultiTaskModle'"):
        visionmtl.MultiTaskModle  # noqa: B018


def test_every_public_name_is_listed():
    assert set(dir(visionmtl)) == set(visionmtl.__all__)
