"""What users reach as `pipelines.X` is there, whatever else of the package was imported before."""

import pkgutil

import pipelines


def test_every_public_name_is_there():
    assert all(getattr(pipelines, name) is not None for name in pipelines.__all__)


def test_no_file_hides_a_public_name():
    files = {module.name for module in pkgutil.iter_modules(pipelines.__path__)}
    assert files & {*pipelines.__all__} == {"kinds"}  # which is the folder itself
