"""The toys of `toys.py` as fixtures."""

import pytest
import toys
from toy_backbone import register


@pytest.fixture(scope="session")
def toy_model():
    """Return the function that builds a MultiTaskModel on the toy backbone."""
    return toys.model


@pytest.fixture(scope="module")
def toy_by_name():
    """Make a toy backbone, "toy", one that a recipe can name."""
    from visionmtl import backbones

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(backbones.REGISTRY, "toy", None)  # to be taken out again
        register()
        yield


@pytest.fixture
def toy_batch():
    """Return the function that makes a batch for the toy tasks."""
    return toys.batch


@pytest.fixture
def toy_backbone():
    """Return the function that builds the toy backbone."""
    return toys.backbone
