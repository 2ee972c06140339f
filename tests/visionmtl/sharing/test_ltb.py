"""Learning to branch: the forward rule against the paper's in float64, the schedule, and the tree that comes of it."""

import keras
import numpy as np
import pytest
import tensorflow as tf
import toys

from visionmtl import sharing
from visionmtl.errors import UsageError
from visionmtl.export import narrowing
from visionmtl.model import growing
from visionmtl.sharing.base.choices import Choice, Path, chosen, gumbel, straight_through, temperature

TREE = {"scene": [1, 3], "weather": [1, 1], "ground": [2, 2]}


def softmax(x):
    x = np.exp(x - x.max(-1, keepdims=True))
    return x / x.sum(-1, keepdims=True)


@pytest.mark.parametrize("coldness", [0.1, 1.0, 3.0])
def test_a_draw_and_its_gradient_are_the_papers(coldness):
    rng = np.random.default_rng(0)
    probabilities = softmax(rng.normal(size=(5, 3)))
    noise, slope = rng.gumbel(size=(5, 3)), rng.normal(size=(5, 3))
    logits = tf.Variable(np.log(probabilities) + 7.0)  # a number a row more is the same probabilities
    with tf.GradientTape() as tape:
        drawn = straight_through(logits, tf.constant(noise), coldness)
        value = tf.reduce_sum(drawn * slope)
    assert drawn.dtype == tf.float64
    disturbed = np.log(probabilities) + noise
    np.testing.assert_array_equal(drawn, np.eye(3)[disturbed.argmax(-1)])
    soft = softmax(disturbed * coldness)
    expected = coldness * soft * (slope - (soft * slope).sum(-1, keepdims=True))
    np.testing.assert_allclose(tape.gradient(value, logits), expected, atol=1e-12)


def test_maps_are_those_of_the_nodes_on_the_way_from_a_task_to_the_root():
    rng = np.random.default_rng(1)
    maps = [[rng.normal(size=(2, 3, 3, 4)) for _ in range(3)] for _ in range(3)]  # by level and branch
    choices = [softmax(rng.normal(size=(3, 3))), softmax(rng.normal(size=(3, 3))), softmax(rng.normal(size=(1, 3)))]
    read = chosen(tf.constant(choices[0]), [tf.constant(x) for x in maps[0]])
    np.testing.assert_allclose(read, np.einsum("ji,ibhwc->jbhwc", choices[0], maps[0]), atol=1e-12)
    path = Path(3, dtype="float64")
    found = path([tf.constant(x) for x in (*choices, *maps[0], *maps[1], *maps[2])])
    rows = [choices[2] @ choices[1] @ choices[0], choices[2] @ choices[1], choices[2]]
    for row, of, each in zip(rows, maps, found, strict=True):
        np.testing.assert_allclose(each, np.einsum("i,ibhwc->bhwc", row[0], of), atol=1e-12)


def test_draws_have_the_probabilities_of_the_logits_and_are_those_of_their_number_and_seed():
    begins = []
    for seed in (0, 1, 0):
        keras.utils.set_random_seed(seed)
        choice = Choice(200, 3, name="choice")
        choice.build(None)
        begins.append(int(choice.draws))
    assert begins[0] == begins[2] != begins[1]
    choice.logits.assign(np.tile(np.log([[0.6, 0.3, 0.1]]), (200, 1)))
    drawn = [np.asarray(choice(tf.zeros(1), training=True)) for _ in range(20)]
    np.testing.assert_allclose(np.mean(drawn, axis=(0, 1)), [0.6, 0.3, 0.1], atol=0.03)
    assert set(np.unique(drawn)) == {0.0, 1.0}
    assert np.any(drawn[0] != drawn[1])
    choice.draws.assign(begins[0] + 1)
    np.testing.assert_array_equal(choice(tf.zeros(1), training=True), drawn[1])
    for settled in (lambda: None, choice.settle):
        settled()
        np.testing.assert_array_equal(choice(tf.zeros(1), training=False), np.eye(3)[np.zeros(200, int)])
    np.testing.assert_array_equal(choice(tf.zeros(1), training=True), choice(tf.zeros(1), training=False))
    assert np.isfinite(gumbel((100_000,), [1, 2])).all()


def test_the_temperature_falls_as_in_libmtl_over_as_many_epochs_as_there_are():
    for epoch in range(0, 200, 7):
        assert temperature(10.0, epoch, 200) == pytest.approx(200 / 20 / np.sqrt(epoch + 1), rel=0.003 * (epoch + 1))
    assert temperature(10.0, 30, 60) == pytest.approx(temperature(10.0, 100, 200))
    assert temperature(10.0, 199, 200) == pytest.approx(10 / np.sqrt(200), rel=0.003)


@pytest.mark.slow
def test_a_training_searches_and_settles_and_all_that_is_kept_of_it_is_its_tree(capsys):
    tasks = toys.tasks(*TREE)
    model = toys.model(tasks, sharing="ltb")
    model.compile(keras.optimizers.SGD(0.01))
    choices = {layer.name: layer for layer in model.layers if isinstance(layer, Choice)}
    assert set(choices) == {"ltb_P3_choice", *(f"ltb_{task}_choice" for task in model.tasks)}
    assert all(model.own_rates[name] == 10 for name in choices)
    seen, begins = [], [int(choice.draws) for choice in choices.values()]
    look = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: seen.append(
            [float(v) for c in choices.values() for v in (c.coldness, c.searching)]
        )
    )
    data = tf.data.Dataset.from_tensors(toys.batch(tasks, images=2))
    model.fit(data, epochs=3, shuffle=False, verbose=0, callbacks=[look])
    colds = [1 / temperature(10.0, epoch, 2) for epoch in (0, 1, 1)]
    assert [row[::2] for row in seen] == [pytest.approx([cold] * 4) for cold in colds]
    assert [row[1::2] for row in seen] == [[1] * 4, [1] * 4, [0] * 4]
    assert [int(choice.draws) - 3 for choice in choices.values()] == begins

    level = np.full((3, 3), -1.0)
    level[[0, 1, 2], [0, 1, 0]] = 0
    choices["ltb_P3_choice"].logits.assign(level)
    for task, path in TREE.items():
        choices[f"ltb_{task}_choice"].logits.assign(np.eye(3)[[path[-1] - 1]])
    learnt = model.learnt_sharing()
    assert list(learnt) == ["choice of P2", "choice of P3", "tree at P2", "tree at P3"]
    np.testing.assert_allclose(learnt["choice of P2"].values, softmax(level), atol=1e-6)
    np.testing.assert_array_equal(learnt["tree at P2"].values, np.eye(3)[[0, 0, 1]])
    assert model.sharing.told(model) == [
        "The tree of sharing 'ltb', each task's branch at P2, P3: scene: [1, 3], weather: [1, 1], ground: [2, 2]."
    ]
    small = growing.settled(model)
    assert small.sharing == sharing.get("ltb", tree=TREE)
    assert growing.settled(small) is small
    stages = [layer for layer in small.parts["backbone"] if layer in small.parts["P2"]]
    assert (len(stages), len(small.parts["P3"])) == (2, 3)
    images = toys.batch(tasks, images=2)[0]
    for key, value in model(images).items():
        np.testing.assert_array_equal(small(images)[key], value)
    part = growing.settled(model.subset("ground"))
    assert len(part.parts["backbone"]) == 2
    np.testing.assert_array_equal(part(images)["ground_logits"], model(images)["ground_logits"])
    assert [each.count_params() for each in map(narrowing.settled, (model, small))] == [small.count_params()] * 2
    told = capsys.readouterr().out
    assert f"{small.count_params():,} of {model.count_params():,} parameters" in told
    assert told.count("ground: [2, 2]") == 1


@pytest.mark.slow
def test_a_task_more_chooses_among_the_branches_that_there_are():
    model = toys.model(toys.tasks("scene", "ground"), sharing={"name": "ltb", "branches": 2})
    model.get_layer("ltb_P3_choice").logits.assign([[0, 1], [1, 0]])
    grown = model.add_task(toys.task("weather"))
    images = toys.batch(images=2)[0]
    for key, value in model(images).items():
        np.testing.assert_array_equal(grown(images)[key], value)
    learning = {variable.path.split("/")[0] for variable in grown.trainable_variables}
    assert "ltb_weather_choice" in learning
    assert not {"ltb_P3_choice", "ltb_scene_choice"} & learning


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"branches": 0}, "branches=0: expected a whole"),
        ({"temperature": 0}, "temperature=0: expected a number above 0"),
        ({"search": 1.5}, "search=1.5: expected a number above 0 and up to 1"),
        ({"tree": TREE, "branches": 2}, "a tree and branches=2, which is of a search: leave one of them out"),
        ({"tree": [1, 2]}, r"tree=\[1, 2\]: expected {task: \[branch, ...\]}"),
        ({"tree": TREE | {"grund": [1, 1]}}, "Unknown task of the tree.*'grund'. Did you mean 'ground'"),
        ({"tree": {"scene": [1, 1]}}, "a tree without the task 'weather'"),
        ({"tree": TREE | {"ground": [0, 1]}}, r"given \[0, 1\] for 'ground' in its tree"),
        ({"tree": TREE | {"ground": [1, 1, 1]}}, "expected a branch for each of P2, P3"),
        ({"tree": TREE | {"ground": [2, 1]}}, "'weather' and 'ground' share branch 1 at P3, but not the one before it"),
    ],
)
def test_what_is_no_search_or_no_tree_is_refused(options, message):
    with pytest.raises(UsageError, match=message):
        toys.model(toys.tasks(*TREE), sharing={"name": "ltb", **options})
