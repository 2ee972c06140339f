"""What every source promises, whatever it reads."""

import sys
from dataclasses import fields

import pytest

from pipelines import discovery, sources
from pipelines.accounts.tree import Tree
from pipelines.contract import Request
from pipelines.errors import DataError
from pipelines.sources.base import Format, option

SOURCES = sorted(sources.SOURCES.items())


def test_a_new_source_is_one_file(tmp_path, monkeypatch):
    (tmp_path / "blank.py").write_text(
        'from pipelines.sources.base import Format\n\n\nclass Blank(Format):\n    """White pictures."""\n'
    )
    monkeypatch.setattr(sources, "__path__", [*sources.__path__, str(tmp_path)])
    try:
        assert discovery.classes("pipelines.sources", Format).keys() == {*sources.names(), "blank"}
    finally:
        sys.modules.pop("pipelines.sources.blank", None)
        vars(sources).pop("blank", None)


@pytest.mark.parametrize(("name", "source"), SOURCES)
def test_a_source_says_what_it_reads_in_a_sentence(name, source):
    assert sources.describe(name).endswith(".")
    assert 20 < len(sources.describe(name)) < 120


@pytest.mark.parametrize(("name", "source"), SOURCES)
def test_every_option_is_declared_with_its_meaning(name, source):
    annotated = [
        key
        for each in source.__mro__
        for key, kind in vars(each).get("__annotations__", {}).items()
        if "ClassVar" not in str(kind)
    ]
    assert sources.options(name) == annotated
    assert set(annotated) == {field.name for field in fields(source)}
    for own in source.options():
        assert own.meaning
        assert not own.choices or own.default in own.choices


@pytest.mark.parametrize(("name", "source"), SOURCES)
def test_a_wrong_option_or_choice_is_refused_before_anything_is_read(name, source):
    with pytest.raises(DataError, match=f"Unknown option of source '{name}' 'colour'"):
        sources.get(name, {"colour": 1})
    for own in source.options():
        if own.choices:
            with pytest.raises(DataError, match=f"Unknown {own.name} 'no'. .*Valid: {', '.join(own.choices)}"):
                sources.get(name, {own.name: "no"})


@pytest.mark.parametrize(("name", "source"), SOURCES)
def test_an_empty_folder_is_not_recognised_and_cannot_be_read(name, source, tmp_path):
    assert not any(layout.fits(Tree.of(tmp_path)) for layout in source.layouts)
    with pytest.raises(DataError):
        sources.get(name).read(Request(tmp_path, ("train",), None, (40, 60), 5))


def test_layouts_have_names_of_their_own_and_those_that_they_cover_are_there():
    layouts = [layout for _, source in SOURCES for layout in source.layouts]
    assert len({layout.name for layout in layouts}) == len(layouts)
    assert {name for layout in layouts for name in layout.covers} <= {layout.name for layout in layouts}
    assert all(layout.look and layout.signs for layout in layouts)


def test_options_follow_the_order_of_the_class():
    assert sources.options("garments") == ["train", "validation", "test", "scene_seed"]
    assert option(1, "a number").metadata["meaning"] == "a number"
