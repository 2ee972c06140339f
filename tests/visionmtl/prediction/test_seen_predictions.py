"""Predictions out of several views of each picture: in its pixels, and never mixed with others."""

import json

import numpy as np
import pytest
import reds
import toys

from visionmtl import prediction
from visionmtl.errors import UsageError
from visionmtl.model.seeing import Looks
from visionmtl.prediction.network import Network
from visionmtl.prediction.reading import Sample, samples


@pytest.fixture(scope="module")
def model():
    return toys.model(toys.tasks("objects", "ground"))


@pytest.mark.slow
def test_every_view_of_a_letterboxed_picture_comes_back_to_its_pixels(model):
    picture = np.random.default_rng(0).integers(0, 256, (30, 50, 3), dtype=np.uint8)
    mirrored = picture[:, ::-1].copy()
    network = Network(model, "letterbox", Looks(model, "flip,0.75"))

    def found(pixels) -> dict:
        batch: list[Sample] = list(samples([0], lambda _: pixels, (32, 32), "letterbox", lambda _: False))
        return network.decoded(network.outputs(batch), [0], batch[0])[0]

    one, two = found(picture), found(mirrored)
    assert one["ground"]["classes"].shape == (30, 50)
    np.testing.assert_array_equal(one["ground"]["classes"], two["ground"]["classes"][:, ::-1])
    np.testing.assert_allclose(one["objects"]["scores"], two["objects"]["scores"], atol=1e-6)
    assert 32 < one["objects"]["boxes"].max() <= 50


@pytest.mark.slow
def test_predictions_of_other_views_are_not_gone_on_with(tmp_path, capsys):
    model = toys.model(toys.tasks("scene"))
    reds.picture(tmp_path / "photo.png", (40, 60))
    out = tmp_path / "out"
    prediction.predict(model, [tmp_path / "photo.png"], out, tta="0.75,flip", overlays=0)
    assert "Views of each picture: 32 x 32, 24 x 24, each mirrored too." in capsys.readouterr().out
    assert json.loads((out / "predict.json").read_text())["tta"] == "flip,0.75"
    prediction.predict(model, [tmp_path / "photo.png"], out, tta="flip,0.75", overlays=0, resume=True)
    with pytest.raises(UsageError, match="holds predictions of other views"):
        prediction.predict(model, [tmp_path / "photo.png"], out, overlays=0, resume=True)
