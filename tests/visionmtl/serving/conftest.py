"""One server for the tests that change nothing of it."""

import pytest
import servers


@pytest.fixture(scope="package")
def toy(tmp_path_factory):
    """A client of a server of the toy."""
    with servers.served(servers.write(tmp_path_factory.mktemp("models") / "street")) as client:
        yield client


@pytest.fixture
def folder(tmp_path):
    """A model of one version."""
    return servers.write(tmp_path / "street")
