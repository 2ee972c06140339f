"""A picture in memory is read as its file is, and a fault of it is a sentence without a path."""

import io

import encoded as files
import numpy as np
import pytest
from PIL import Image

from pipelines import DataError
from pipelines.pixels import encoded

READ = files.PIXELS | files.TURNS | {name: content for name, (content, _) in files.REFUSED.items()}
MOST = 1_000_000


def read(content):
    return encoded.decode(content, encoded.inspect(content, MOST))


def test_every_picture_is_read_as_its_file_is(tmp_path):
    different = [
        name for name, content in READ.items() if not np.array_equal(read(content), files.by_predict(content, tmp_path))
    ]
    assert different == []


@pytest.mark.parametrize("name", files.UNREADABLE)
def test_what_cannot_be_read_is_a_sentence_of_the_picture(name):
    with pytest.raises(DataError, match=r"^The picture .*\.$") as caught:
        read(files.UNREADABLE[name][0])
    assert not {"/", "0x", "''"} & set(str(caught.value).split())
    assert "object at" not in str(caught.value)


def test_too_many_pixels_are_refused_by_the_header_alone():
    file = io.BytesIO()
    Image.new("1", (5000, 5000)).save(file, "PNG")
    with pytest.raises(DataError, match="more than 1,000,000 pixels"):
        encoded.inspect(file.getvalue()[:60], MOST)
