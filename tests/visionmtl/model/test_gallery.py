"""The worst pictures of a split: those of the largest losses and the surest mistakes, whoever shares the batches."""

import numpy as np
import pytest
import tensorflow as tf
import toys

from visionmtl.model.gallery import LOSS, SURE, Gallery
from visionmtl.report import worst
from visionmtl.workers import ALONE

SPLIT = 10  # samples, in batches of 4: the last is smaller
NAMES = ("scene", "objects", "ground", "range")


def measured(model, batch=4):
    images, labels, weights = toys.batch(model.tasks.values(), SPLIT)
    weights["ground"][3] = 0.0
    data = tf.data.Dataset.from_tensor_slices((images, labels, weights)).batch(batch)
    with model.gallery.collect():
        model.evaluate(data, verbose=0)
    return images, labels


@pytest.fixture(scope="module")
def seen():
    model = toys.model(toys.tasks(*NAMES))
    model.compile("sgd")
    model.gallery = Gallery(model.tasks, most=3)
    return model, *measured(model)


@pytest.mark.slow
def test_the_largest_losses_are_kept_with_their_places_pictures_and_labels(seen):
    model, images, labels = seen
    losses = model.sample_losses(labels, model(images, training=False))
    for name in NAMES:
        loss = losses[name].numpy()
        loss[3] = -1.0 if name == "ground" else loss[3]  # nobody labelled it
        order = np.argsort(-loss)[:3]
        kept = model.gallery.shown[name][LOSS]
        assert [each.place for each in kept] == order.tolist()
        np.testing.assert_allclose([each.loss for each in kept], loss[order], rtol=1e-4)
        image, truth, prediction = kept[0].opened()
        assert image.shape == images.shape[1:]
        whole = model.tasks[name].truth(labels[name])
        for key, value in truth.items():
            np.testing.assert_array_equal(value, whole[key][order[0]])
        assert truth.keys() <= prediction.keys()


@pytest.mark.slow
def test_mistakes_are_kept_where_a_task_can_be_sure(seen):
    model, images, labels = seen
    probabilities = model.predict(images, verbose=0)["scene_probabilities"]
    sure = np.where(probabilities.argmax(1) == labels["scene"], 0, probabilities.max(1))
    kept = model.gallery.shown["scene"][SURE]
    assert [each.place for each in kept] == [place for place in np.argsort(-sure)[:3] if sure[place]]
    assert kept[0].value == pytest.approx(sure.max(), abs=1e-5)
    assert model.gallery.shown["range"][SURE] == []


@pytest.mark.slow
def test_nothing_is_kept_of_what_is_measured_before_or_after(seen):
    model, images, labels = seen
    before = model.gallery.shown["scene"][LOSS]
    model.evaluate(images, labels, batch_size=4, verbose=0)
    assert model.gallery.shown["scene"][LOSS] is before


@pytest.mark.slow
def test_replicas_and_workers_find_the_same(seen):
    model, images, labels = seen
    task = model.tasks["scene"]

    def candidates(rows):
        predictions = {"scene": {"probabilities": tf.one_hot([0] * len(rows), 3)}}
        losses = {"scene": tf.constant(rows, tf.float32) % 7}
        of = {"scene": tf.constant(labels["scene"][rows])}
        return model.gallery.candidates(tf.constant(images[rows]), of, predictions, losses, None)

    alone, shared = Gallery({"scene": task}, 3), Gallery({"scene": task}, 3)
    with alone.collect(), shared.collect():
        alone.update({key: (value,) for key, value in candidates(range(8)).items()}, 1, ALONE)
        halves = candidates(range(4)), candidates(range(4, 8))
        shared.update({key: tuple(half[key] for half in halves) for key in halves[0]}, 2, ALONE)
    assert [(each.place, each.loss) for each in alone.shown["scene"][LOSS]] == [(6, 6.0), (5, 5.0), (4, 4.0)]
    assert alone.shown == shared.shown

    class Two:
        several, number, count = True, 1, 2

        def arrays(self, own):
            other = Gallery({"scene": task}, 3)
            with other.collect():
                first = type("First", (), {"number": 0, "count": 2})
                other.update({key: (value,) for key, value in halves[0].items()}, 1, first)
            told = []
            other.gather(type("Heard", (), {"several": True, "arrays": lambda self, blobs: told.append(blobs) or []})())
            return [*told, own]

    second = Gallery({"scene": task}, 3)
    with second.collect():
        second.update({key: (value,) for key, value in halves[1].items()}, 1, Two)
    second.gather(Two())
    assert second.shown == alone.shown


@pytest.mark.slow
def test_every_kind_is_drawn_named_and_read_again(seen, tmp_path):
    model, *_ = seen
    confidences = {"objects": {"cat": 0.9, "dog": 0.0}}
    worst.keep(tmp_path, "test", model.gallery, confidences, lambda place: f"street/{place}.jpg")
    walls = worst.read(tmp_path)
    shown = [(wall.task, wall.title) for wall in walls if wall.split == "test"]
    assert {name for name, _ in shown} == {*NAMES}
    assert ("range", "Most confident mistakes") not in shown
    first = model.gallery.shown["ground"][LOSS][0]
    wall = next(wall for wall in walls if wall.task == "ground")
    assert wall.pictures[0].told == f"{first.place}.jpg, loss {first.loss:.3g}"
    assert wall.legend["0"] == "#{:02x}{:02x}{:02x}".format(*model.tasks["ground"].colours["0"])
    assert all(picture.path.is_file() for wall in walls for picture in wall.pictures)
    worst.keep(tmp_path, "test", Gallery(model.tasks), {})
    assert worst.read(tmp_path) == []
    assert not [*(tmp_path / "worst" / "test").glob("*.jpg")]


@pytest.mark.parametrize("broken", ["", "[]", '{"cars": 3}', '{"cars": {"orders": {"loss": [3, {"file": 1}]}}}'])
def test_a_broken_index_is_passed_over(tmp_path, broken):
    (tmp_path / "worst" / "test").mkdir(parents=True)
    (tmp_path / "worst" / "test" / "worst.json").write_text(broken)
    assert [picture for wall in worst.read(tmp_path) for picture in wall.pictures] == []
