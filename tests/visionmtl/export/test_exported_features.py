"""The features of an export: what the model's heads read, once for heads that are added later."""

import keras
import numpy as np
import pytest
import tensorflow as tf
import toys

from visionmtl import export, images, sharing

ALIKE = {"hard", "cascade", "distillation", "fusion", "mti_net"}


@pytest.mark.slow
@pytest.mark.parametrize("scheme", sharing.names())
def test_they_are_what_the_heads_read_under_the_task_s_name_where_each_reads_its_own(toy_model, scheme):
    model = toy_model(toys.tasks("scene", "ground"), sharing=scheme)
    named = model.features.named()
    if scheme in ALIKE:
        assert [*named] == ["P2", "P3"]
    assert {name.rpartition("_")[2] for name in named} == {"P2", "P3"}
    assert keras.Model(model.input, named).count_params() < model.count_params()
    alone = model.subset("ground").features.named()
    assert {"P2"} <= {*alone} <= {"P2", "P3"}
    pictures = toys.batch(images=1)[0]
    same = keras.Model(model.input, named["P2" if "P2" in named else "ground_P2"])(pictures)
    subset = model.subset("ground")
    np.testing.assert_array_equal(keras.Model(subset.input, subset.features.named()["P2"])(pictures), same)


@pytest.mark.slow
def test_an_export_gives_them_of_pixels_and_of_encoded_pictures(toy_model, tmp_path):
    model = toy_model(toys.tasks("scene", "ground"), resize="letterbox")
    served = tf.saved_model.load(export.save(model, tmp_path)).signatures
    picture = np.random.default_rng(0).integers(0, 256, (24, 48, 3)).astype("uint8")
    fitted, window = images.fit(picture[None], (32, 32), "letterbox")
    expected = keras.Model(model.input, model.features.named())(fitted)
    pixels = served["serving_features"](images=tf.constant(picture[None]))
    encoded = served["serving_features_bytes"](encoded=tf.stack([tf.io.encode_png(picture), b"no picture"]))
    assert {*pixels} == {"P2", "P3", "windows", "image_sizes"}
    assert {*encoded} == {*pixels, "errors"}
    for name, maps in expected.items():
        np.testing.assert_allclose(pixels[name], maps, atol=1e-5)
        np.testing.assert_allclose(encoded[name][:1], maps, atol=1e-5)
        assert not np.any(encoded[name][1])
    for answer in (pixels, encoded):
        np.testing.assert_allclose(answer["windows"][0], window, atol=1e-6)
        assert answer["image_sizes"][0].numpy().tolist() == [24, 48]
    assert [bool(error) for error in encoded["errors"].numpy()] == [False, True]


@pytest.mark.slow
def test_where_the_heads_read_no_maps_there_are_none_to_give(toy_model, tmp_path, monkeypatch):
    model = toy_model(toys.tasks("scene"))
    monkeypatch.setattr(model.features, "_layers", frozenset())
    served = tf.saved_model.load(export.save(model, tmp_path)).signatures
    assert {*served} == {"serving_default", "serving_bytes"}
