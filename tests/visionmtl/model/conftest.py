"""A compiled model for tests of what it is given."""

import pytest
import toys


@pytest.fixture(scope="module")
def compiled():
    """A model that every test of a file may train on."""
    model = toys.model()
    model.compile("sgd", run_eagerly=True)
    return model
