"""Whatever becomes of a data set, everything in it is accounted for, or a sentence says why it is refused."""

import os
import shutil
import warnings
from pathlib import Path

import folders
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import pipelines
from pipelines import sources
from pipelines.accounts.account import Balance
from pipelines.surveying import Survey

NAMES = [name for name in folders.WRITERS if sources.SOURCES[name].layouts and name != "packed"]
STRAYS = ("notes.txt", "Zoo.JPG", "more.json", "._a.png", "Thumbs.db", "README.md", "a.xml", "x.csv", "c", "ü.yaml")
KINDS = ("truncate", "empty", "delete", "bytes", "garble", "word", "stray", "copy", "upper", "dangle", "loop", "hide")
WORDS = ("", "-1", "nan", "1e9", "0.5", "null", "x", '"', "true", "99")


@st.composite
def changes(draw):
    """What is done to a folder: a list of changes, each to the file of a number."""
    change = st.tuples(st.sampled_from(KINDS), st.integers(0, 30), st.integers(0, 2**16))
    return draw(st.lists(change, min_size=1, max_size=3))


def change(root: Path, kind: str, place: int, number: int) -> None:
    """Change a folder."""
    files = sorted(path for path in root.rglob("*") if path.is_file() and not path.is_symlink())
    if not files:
        return
    file = files[place % len(files)]
    content = file.read_bytes()
    if kind == "truncate":
        file.write_bytes(content[: number % (len(content) + 1)])
    elif kind == "empty":
        file.write_bytes(b"")
    elif kind == "delete":
        file.unlink()
    elif kind == "bytes" and content:
        at = number % len(content)
        file.write_bytes(content[:at] + bytes([number % 256]) + content[at + 1 :])
    elif kind == "garble":
        file.write_bytes(bytes((number * i) % 256 for i in range(50)))
    elif kind == "word" and file.suffix not in (".png", ".jpg", ".npy"):
        words = content.decode("latin-1").split(" ")
        words[number % len(words)] = WORDS[number % len(WORDS)]
        file.write_bytes(" ".join(words).encode("latin-1"))
    elif kind == "stray":
        (file.parent / STRAYS[number % len(STRAYS)]).write_bytes(content if number % 2 else b"something else")
    elif kind == "copy":
        shutil.copy(file, file.with_name(f"{file.stem} copy{file.suffix}"))
    elif kind == "upper":
        file.rename(file.with_name(file.stem + file.suffix.upper()))
    elif kind == "hide":
        shutil.copy(file, file.with_name(f"._{file.name}"))
    elif kind in ("dangle", "loop") and not (link := file.with_name(f"link{number % 3}")).is_symlink():
        link.symlink_to("nowhere" if kind == "dangle" else ".")


def there(root: Path) -> int:
    """Count the files of a folder independently: links to files are files, links to folders here all lead back up."""
    return sum(len(files) + sum(os.path.islink(Path(at, name)) for name in inner) for at, inner, files in os.walk(root))


def look(root: Path, name: str, options: dict) -> Survey | None:
    """Survey a folder; None where it is refused, in one sentence."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return pipelines.survey(name, root, splits=["train", "validation"], **options)
    except pipelines.DataError as error:
        sentence = str(error)
        assert sentence.strip()
        assert "\n" not in sentence
        assert "Traceback" not in sentence
        return None


def objects(survey: Survey) -> int | None:
    """Count the objects that are learnt or ignored; None where there are none to learn."""
    specs = [spec.name for spec in survey.specs if spec.kind == "detection"]
    if not specs:
        return None
    found = [split.counts[specs[0]] for split in survey.splits.values()]
    return sum(int(counts.classes.sum()) + counts.ignored for counts in found)


def check(root: Path, name: str, options: dict) -> Balance | None:
    """See that a folder is refused in a sentence, or that all in it is accounted for."""
    survey = look(root, name, options)
    if survey is None:
        return None
    (account,) = survey.source.accounts
    balance = account.balance()
    assert balance.files == there(root)
    lost = balance.annotations_aside.total() + balance.annotations_lost.total()
    assert balance.annotations_used + lost == balance.annotations.total()
    boxes = objects(survey)
    if boxes is not None:
        assert balance.annotations_used == boxes
    images = sum(split.images for split in survey.splits.values())
    assert images == sum(count for words, count in balance.used.items() if words.startswith("image of"))
    return balance


def one(name: str, tmp_path_factory: pytest.TempPathFactory, done: list) -> None:
    """Write a folder of a source, change it, and check it."""
    place = tmp_path_factory.mktemp("account")
    root, options = folders.WRITERS[name](place / "data")
    for kind, file, number in done:
        change(root, kind, file, number)
    check(root, name, options)
    shutil.rmtree(place)


@pytest.mark.parametrize("name", NAMES)
def test_a_stray_file_is_not_understood_and_a_hidden_one_is_set_aside(name, tmp_path):
    root, options = folders.WRITERS[name](tmp_path / "data")
    (root / "unheard.of").write_text("?")
    (root / "._hidden.jpg").write_text("?")
    balance = check(root, name, options)
    assert balance is not None
    assert balance.lost == {"unheard.of": "no part of this layout"}
    assert balance.aside["hidden"] == ["._hidden.jpg"]
    assert "Not understood: 1 file in" in balance.sentence


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=6, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(done=changes())
def test_after_any_change_the_numbers_add_up_or_a_sentence_says_why_not(name, done, tmp_path_factory):
    one(name, tmp_path_factory, done)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=100, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(done=changes())
def test_after_many_changes_the_numbers_add_up_or_a_sentence_says_why_not(name, done, tmp_path_factory):
    one(name, tmp_path_factory, done)
