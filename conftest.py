"""The examples of the docstrings run as tests: what they take as given is made here, small, and only where it is named.

An example is written to be copied: it may name `model`, `dataset`, `tasks` and the like without making them, and files
such as `photo.jpg` or `data/camvid` without writing them. `STAND_INS` and `FILES` below say what these are in a test.
"""

import re
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

# They are loaded as plugins; read for examples as well, they would be several modules of one name.
collect_ignore_glob = ["conftest.py", "tests/conftest.py", "tests/*/conftest.py"]

MANY = {"train": "abcdefgh", "val": "ij"}  # pictures, enough for a batch of eight
SAVED_WORK = Path(__file__).parent / "tests" / "data" / "saved_work.tar.xz"


def _tasks() -> list:
    import visionmtl

    return [
        visionmtl.Classification("classification", 3),
        visionmtl.Detection("detection", ["car"]),
        visionmtl.Segmentation("segmentation", 3),
    ]


def _model() -> Any:
    import toys

    model = toys.model(_tasks())
    model.compile("sgd", run_eagerly=True)
    return model


def _dataset() -> Any:
    import tensorflow as tf
    import toys

    return tf.data.Dataset.from_tensors(toys.batch(_tasks(), images=2))


def _recipe() -> Any:
    from visionmtl import recipe

    return recipe


def _module(name: str) -> Callable[[], Any]:
    return lambda: __import__(name)


# By the name in an example; each is made anew, for the examples in which the name stands.
STAND_INS: dict[str, Callable[[], Any]] = {
    "Path": lambda: Path,
    "dataclasses": _module("dataclasses"),
    "json": _module("json"),
    "keras": _module("keras"),
    "np": _module("numpy"),
    "pipelines": _module("pipelines"),
    "recipe": _recipe,
    "tf": _module("tensorflow"),
    "visionmtl": _module("visionmtl"),
    "dataset": _dataset,
    "boxed": _dataset,
    "masked": _dataset,
    "model": _model,
    "tasks": _tasks,
}


def _photo(path: Path) -> None:
    from PIL import Image

    Image.new("RGB", (60, 40), (90, 90, 90)).save(path)


def _coco(path: Path) -> None:
    import folders

    folders.coco(path, MANY)


def _voc(path: Path) -> None:
    import folders

    folders.voc(path, MANY)


def _run(path: Path) -> None:
    with tarfile.open(SAVED_WORK) as archive:
        archive.extractall(path.parent, filter="data")
    (path.parent / "runs" / "finished").rename(path)


# By the path in an example, from the folder in which it runs.
FILES: dict[str, Callable[[Path], None]] = {
    "photo.jpg": _photo,
    "data/camvid": _coco,
    "data/bccd": _voc,
    "runs/garments-1": _run,
}


@pytest.fixture(autouse=True)
def _given(
    request: pytest.FixtureRequest,
    doctest_namespace: dict[str, Any],
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[None]:
    """Give an example what it names, in a folder of its own, and leave behind what was known before."""
    if not isinstance(request.node, pytest.DoctestItem):
        yield
        return
    import keras

    from pipelines import kinds
    from visionmtl import tasks

    source = "".join(example.source for example in request.node.dtest.examples)
    folder = tmp_path_factory.mktemp("example")
    monkeypatch.chdir(folder)
    for path, write in FILES.items():
        if path in source:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            write(folder / path)
    doctest_namespace.clear()
    doctest_namespace.update({name: make() for name, make in STAND_INS.items() if re.search(rf"\b{name}\b", source)})
    monkeypatch.setattr(tasks, "KINDS", dict(tasks.KINDS))
    monkeypatch.setattr(kinds, "_REGISTERED", dict(kinds._REGISTERED))
    talks = keras.config.is_interactive_logging_enabled()
    keras.config.disable_interactive_logging()
    yield
    if talks:
        keras.config.enable_interactive_logging()
