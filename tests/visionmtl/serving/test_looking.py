"""How large a picture is, seen before it is decoded, for every kind that an export decodes."""

import io

import encoded
import pytest
from PIL import Image

from visionmtl.export.decoding import DAMAGED
from visionmtl.serving import Limits
from visionmtl.serving.runtimes import _looking


@pytest.mark.parametrize("name", [*encoded.PIXELS, *encoded.TURNS])
def test_the_pixels_are_those_that_pillow_sees(name):
    content = (encoded.PIXELS | encoded.TURNS)[name]
    with Image.open(io.BytesIO(content)) as picture:
        assert _looking.count(content) == picture.width * picture.height


@pytest.mark.parametrize("name", encoded.UNREADABLE)
def test_whatever_it_is_given_it_says_a_number_or_nothing(name):
    assert _looking.count(encoded.UNREADABLE[name][0]) is None or _looking.count(encoded.UNREADABLE[name][0]) >= 0


def test_a_header_that_is_meant_to_take_long_does_not():
    assert _looking.count(b"\xff\xd8" + b"\xff" * 30_000_000) is None
    assert _looking.count(b"\xff\xd8" + b"\xff\x01" * 10_000_000) is None


def test_what_is_too_large_or_says_no_size_is_never_decoded():
    wide = io.BytesIO()
    Image.new("1", (6000, 10_000)).save(wide, "PNG")
    contents = [wide.getvalue(), encoded.JPEG, encoded.JPEG[:4]]
    prepared = _looking.looked_at({"encoded": contents}, Limits())
    assert prepared.faults == {0: _looking.too_large(Limits()), 2: DAMAGED}
    assert list(prepared.inputs["encoded"]) == [b"", encoded.JPEG, b""]
    assert prepared.pixels == encoded.RGB.width * encoded.RGB.height
