"""A sample's place in a pass leads to its file, also where others of the split were left out."""

import numpy as np
import pytest
from PIL import Image

import pipelines


@pytest.mark.slow
def test_the_place_of_a_sample_in_an_evaluation_leads_to_its_file(tmp_path):
    for split, count in (("train", 4), ("validation", 7)):
        for number in range(count):
            path = tmp_path / split / ("cat" if number % 2 else "dog") / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.full((8, 8, 3), 10 * number, np.uint8)).save(path)
    (tmp_path / "validation" / "dog" / "2.png").write_bytes(b"no picture")
    data = pipelines.load("folder", (8, 8), 4, path=tmp_path, on_error="skip")
    pixels = np.concatenate([images.numpy()[:, 0, 0, 0] for images, *_ in data.validation])
    called = [data.called("validation", place) for place in range(len(pixels))]
    assert sorted(pixels) == [0, 10, 30, 40, 50, 60]
    assert [10 * int(name.rpartition("/")[2].removesuffix(".png")) for name in called] == pixels.tolist()
    assert data.called("validation", 6) == data.called("train", 0) == data.called("test", 0) == ""


def test_samples_to_look_at_are_spread_whole_and_without_what_cannot_be_read(tmp_path):
    for number in range(5):
        path = tmp_path / "train" / ("cat" if number % 2 else "dog") / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((4, 8, 3), 10 * number, np.uint8)).save(path)
    specs = [pipelines.LabelSpec("classification", "classification", ("dog", "cat"))]
    data = pipelines.load("folder", (8, 8), 4, path=tmp_path, splits=["train"], specs=specs)
    (tmp_path / "train" / "dog" / "4.png").write_bytes(b"no picture")
    found = data.examples(3, (16, 16))
    assert len(found) == 2, "three were asked for, one of which is broken by now"
    for each in found:
        assert each.image[8, 8, 0] == 10 * int(each.name.rpartition("/")[2].removesuffix(".png"))
        assert each.image[0, 0, 0] == 114, "grey beyond the picture"
        assert each.labels["classification"].tolist() == [int("cat" in each.name)]
