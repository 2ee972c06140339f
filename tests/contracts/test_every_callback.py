"""Every callback through what a session of training asks of it."""

from types import SimpleNamespace

import pytest

import pipelines
from visionmtl import callbacks, recipe


@pytest.mark.parametrize("name", callbacks.CALLBACKS)
def test_it_is_made_for_a_session_and_has_a_public_name(name, tmp_path):
    kind = callbacks.CALLBACKS[name]
    assert getattr(callbacks, kind.__name__) is kind
    model = SimpleNamespace(tasks={"a": None, "b": None}, learnt_sharing=lambda: {})
    datasets = pipelines.Datasets({}, (), {})
    made = kind.of_session(callbacks.Session(recipe.load("garments"), tmp_path, datasets, [], model))
    assert all(type(callback) is kind for callback in made)
    assert not list(tmp_path.iterdir()), "it writes when it is called, not when it is made"


def test_each_has_a_priority_of_its_own():
    assert len({kind.priority for kind in callbacks.CALLBACKS.values()}) == len(callbacks.CALLBACKS)
