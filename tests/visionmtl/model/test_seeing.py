"""A model that looks at pictures several times: the networks it has for that, and what is measured of it."""

import keras
import numpy as np
import pytest
import tensorflow as tf
import toys

from visionmtl.errors import UsageError
from visionmtl.model.seeing import Looks
from visionmtl.tasks.classification import Classification


def seen(looks, images):
    return looks.decode(looks.outputs(tf.constant(images)))


@pytest.mark.slow
def test_with_mirrors_a_mirrored_picture_is_told_apart_by_nothing_but_sides():
    model = toys.model(toys.tasks(*toys.MAKERS))
    images, _, _ = toys.batch(images=2)
    looks = Looks(model, "flip,0.75")
    one, two = seen(looks, images), seen(looks, images[:, :, ::-1])
    for task in ("scene", "weather"):
        np.testing.assert_allclose(one[task]["probabilities"], two[task]["probabilities"], atol=1e-6)
    np.testing.assert_array_equal(one["ground"]["classes"], two["ground"]["classes"][:, :, ::-1])
    np.testing.assert_allclose(one["range"]["depth"], two["range"]["depth"][:, :, ::-1], rtol=1e-5)
    np.testing.assert_allclose(one["objects"]["scores"], two["objects"]["scores"], atol=1e-6)


@pytest.mark.slow
def test_the_picture_itself_is_among_the_views():
    model = toys.model(toys.tasks("scene"))
    images, _, _ = toys.batch(images=2)
    plain = model(images)
    outputs = Looks(model, "0.75").outputs(tf.constant(images), plain)
    assert outputs[0] is plain
    small = model(tf.constant(images))["scene_logits"], outputs[1]["scene_logits"]
    assert np.abs(small[0] - small[1]).max() > 0


@pytest.mark.slow
def test_what_is_seen_larger_is_farther_than_it_seems():
    looks = Looks(toys.model(toys.tasks("range")), "2")
    flat = [{"range_log_depth": tf.fill((1, side, side, 1), 1.0)} for side in (16, 32)]
    np.testing.assert_allclose(looks.decode(flat)["range"]["depth"], np.full((1, 32, 32), 1.5 * np.e), rtol=1e-6)


@pytest.mark.slow
def test_what_is_measured_is_of_all_views_and_the_loss_of_the_pictures_alone():
    model = toys.model(toys.tasks("ground"))
    model.compile("sgd", run_eagerly=True)
    images, labels, weights = toys.batch(model.tasks.values())
    batch = tf.data.Dataset.from_tensors((images, labels, weights))
    plain = model.evaluate(batch, verbose=0, return_dict=True)
    model.looks = Looks(model, "flip,0.5")
    merged = model.evaluate(batch, verbose=0, return_dict=True)
    classes = seen(model.looks, images)["ground"]["classes"]
    assert merged["ground_pixel_accuracy"] == pytest.approx(np.mean(classes == labels["ground"]))
    assert merged["ground_pixel_accuracy"] != plain["ground_pixel_accuracy"]
    counted, sure, right = model.task_metrics["ground"][0].calibration.sum(axis=1)
    every_fourth = classes[:, ::2, ::2] == labels["ground"][:, ::2, ::2]
    assert (counted, right) == (every_fourth.numpy().size, every_fourth.numpy().sum())
    maps = [view["ground_logits"] for view in model.looks.outputs(tf.constant(images))]
    upright = [view[:, :, ::-1] if mirrored % 2 else view for mirrored, view in enumerate(maps)]
    mean = np.mean([tf.nn.softmax(tf.image.resize(view, maps[0].shape[1:3])) for view in upright], axis=0)
    assert sure == pytest.approx(mean.max(axis=-1).sum())
    assert merged["loss"] == plain["loss"]
    model.looks = None
    assert model.evaluate(batch, verbose=0, return_dict=True) == plain


@keras.saving.register_keras_serializable("test_seeing")
class Unmerged(Classification):
    """A task of one's own that knows nothing of views."""

    merging = ""
    merged = Classification.__mro__[1].merged


@pytest.mark.slow
def test_a_task_that_cannot_merge_takes_the_picture_alone_which_is_told():
    model = toys.model([Unmerged("age", 3), *toys.tasks("scene")])
    images, _, _ = toys.batch(images=2)
    looks = Looks(model, "flip")
    plain = model.decode(model(images))
    np.testing.assert_array_equal(seen(looks, images)["age"]["probabilities"], plain["age_probabilities"])
    assert np.abs(seen(looks, images)["scene"]["probabilities"] - plain["scene_probabilities"]).max() > 0
    assert "age: the picture alone, as it has no way to merge views" in looks.told()
    assert looks.told().startswith("Views of each picture: 32 x 32, each mirrored too. ")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("views", "why"),
    [
        ("1.1", "32 x 32 is 32 x 32 in multiples of 8, which another view is"),
        ("0.72,0.78", "at scale 0.78 .* is 24 x 24"),
        ("flip,fuse", "no task of the model finds any"),
    ],
)
def test_views_that_the_model_has_no_use_for_are_refused(views, why):
    with pytest.raises(UsageError, match=why):
        Looks(toys.model(toys.tasks("scene")), views)


@pytest.mark.slow
def test_two_devices_measure_all_views_as_one_does(two_devices):
    def measured(place):
        with place.scope():
            model = toys.model(toys.tasks("objects"))
            model.compile("sgd")
            model.looks = Looks(model, "flip,vote")
        batch = toys.batch(model.tasks.values())
        return model.evaluate(tf.data.Dataset.from_tensors(batch), verbose=0, return_dict=True)

    one = measured(tf.distribute.get_strategy())
    assert measured(tf.distribute.MirroredStrategy(two_devices)) == pytest.approx(one, rel=1e-5)
