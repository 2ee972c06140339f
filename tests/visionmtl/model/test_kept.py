"""What a model was trained with, and how sure it must be, lie in its file."""

import keras
import numpy as np
import pytest
import tensorflow as tf
import toys

from visionmtl.errors import UsageError
from visionmtl.tasks import Classification, Detection

CHOSEN = {"objects": {"cat": 0.25, "dog": 0.5}}
RECIPE = {"name": "street", "text": "data:\n  resize: letterbox\n"}


@pytest.fixture(scope="module")
def trained():
    return toys.model(resize="letterbox", recipe=RECIPE, confidences=CHOSEN)


def test_a_file_says_what_a_model_was_trained_with(trained, tmp_path):
    trained.save(tmp_path / "a.keras")
    loaded = keras.saving.load_model(tmp_path / "a.keras")
    assert (loaded.resize, loaded.recipe, loaded.confidences) == ("letterbox", RECIPE, CHOSEN)


def test_a_model_of_which_nothing_is_said_has_the_old_defaults():
    model = toys.model()
    config = {key: value for key, value in model.get_config().items() if key not in ("resize", "recipe", "confidences")}
    old = type(model).from_config(config)
    assert (old.resize, old.recipe, old.confidences) == ("stretch", None, {"objects": None})


@pytest.mark.slow
def test_it_stays_with_a_model_that_grows_or_is_made_smaller(trained):
    grown = trained.add_task(Detection("signs", ["stop"]))
    assert (grown.resize, grown.recipe) == ("letterbox", RECIPE)
    assert grown.confidences == CHOSEN | {"signs": None}
    assert trained.subset("objects").confidences == CHOSEN
    assert trained.subset("scene").confidences == {}


def test_a_number_is_the_confidence_of_every_class():
    model = toys.model()
    model.confidences = {"objects": 0.5}
    assert model.confidences == {"objects": {"cat": 0.5, "dog": 0.5}}
    model.confidences = None
    assert model.confidences == {"objects": None}


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("resize", "leterbox", "Did you mean 'letterbox'"),
        ("recipe", "street", "was given the recipe 'street'"),
        ("confidences", {"object": 0.5}, "Did you mean 'objects'"),
        ("confidences", {"scene": 0.5}, "task that finds objects 'scene'"),
        ("confidences", {"objects": {"cat": 0.5, "dgo": 0.5}}, "Did you mean 'dog'"),
        ("confidences", {"objects": {"cat": 0.5}}, "no confidence of class 'dog'"),
        ("confidences", {"objects": {"cat": 0.5, "dog": 50}}, "confidence of dog=50"),
    ],
)
def test_what_cannot_be_is_refused(trained, name, value, message):
    with pytest.raises(UsageError, match=message):
        setattr(trained, name, value)


def test_decoded_by_confidences_only_what_is_sure_enough_is_left(trained):
    outputs = trained(toys.batch()[0], training=False)
    every = trained.decode(outputs)
    scores, classes = every["objects_scores"].numpy(), every["objects_classes"].numpy()
    middle = {name: float(np.median(scores[classes == place])) for place, name in enumerate(("cat", "dog"))}
    sure = trained.decode(outputs, confidences={"objects": middle})
    least = np.array([*middle.values()], "float32")
    for image in range(len(scores)):
        left = (classes[image] >= 0) & (scores[image] >= least[classes[image]])
        count = int(sure["objects_count"][image])
        assert count == left.sum()
        for name in ("boxes", "scores", "classes"):
            expected = every[f"objects_{name}"][image].numpy()[left]
            np.testing.assert_array_equal(sure[f"objects_{name}"][image, :count], expected, err_msg=name)
        assert (sure["objects_classes"][image, count:].numpy() == -1).all()
    assert 0 < int(tf.reduce_sum(sure["objects_count"])) < int(tf.reduce_sum(every["objects_count"]))


def test_confidences_are_chosen_by_what_was_measured_and_kept_where_nothing_was_found():
    task, other = toys.task("objects"), Classification("scene", 2)
    model = toys.model([task, other], confidences=CHOSEN)
    model.compile()
    model.choose_confidences()
    assert model.confidences == CHOSEN
    _, labels, weights = toys.batch([task])
    (metric,) = model.task_metrics["objects"]
    statistics = metric.statistics(labels["objects"], task.truth(labels["objects"]), weights["objects"])
    metric.update({key: np.asarray(value) for key, value in statistics.items()})
    model.choose_confidences()
    assert model.confidences == {"objects": {"cat": 0.5, "dog": 0.5}}  # of scores that are 1
