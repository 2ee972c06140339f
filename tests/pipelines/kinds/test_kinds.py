"""The registry of kinds of label, and that nothing else tests a kind by its name."""

import ast
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import pipelines
from pipelines import LabelSpec, kinds
from pipelines.kinds.kind import Count, Kind


def test_kinds_are_the_files_of_the_folder():
    assert pipelines.__getattr__("kinds") is kinds
    folder = Path(kinds.__file__).parent
    assert kinds.names() == sorted(kinds.names())
    assert all((folder / f"{name}.py").is_file() for name in kinds.names())


def test_a_name_stands_for_one_kind(monkeypatch):
    class Another(kinds.get("depth")):
        pass

    monkeypatch.setattr(kinds, "_REGISTERED", {})
    kinds.register("another", Another)
    kinds.register("another", Another)
    assert isinstance(kinds.of(LabelSpec("a", "another")), Another)
    for name in ("another", "depth"):
        with pytest.raises(pipelines.DataError, match=f"There is a kind of label '{name}' already"):
            kinds.register(name, type("Third", (Another,), {}))
    with pytest.raises(pipelines.DataError, match="Unknown kind of label 'anothr'. Did you mean 'another'"):
        kinds.get("anothr")


def test_a_kind_that_leaves_a_question_open_cannot_be_used():
    class Silent(Kind):
        def unlabelled(self, shape, rows):
            return tf.constant(0)

    with pytest.raises(TypeError, match="abstract"):
        Silent(LabelSpec("a", "depth"))
    assert Count(np.zeros(2)).sizes.shape == (0, 2)


def named_outside_of_kinds(path, names):
    """The lines of a file that name a kind: all but in docstrings, or in the sources, which make specs, all that test.

    Sources call their tasks as the kinds are called; there what compares or looks up `kind` itself is looked for.
    """
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documentation = {
        node.body[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None
    }
    tests = ast.Compare | ast.Match | ast.Subscript
    for node in ast.walk(tree):
        if not {"sources", "writers"} & set(path.parts):
            if isinstance(node, ast.Constant) and node.value in names and node not in documentation:
                yield node.lineno
        elif isinstance(node, tests):
            inner = list(ast.walk(node.subject if isinstance(node, ast.Match) else node))
            about = any(isinstance(x, ast.Attribute) and x.attr == "kind" for x in inner)
            about |= any(isinstance(x, ast.Name) and x.id == "kind" for x in inner)
            if about and (isinstance(node, ast.Match | ast.Subscript) or _constants(node) & names):
                yield node.lineno


def _constants(node):
    return {x.value for x in ast.walk(node) if isinstance(x, ast.Constant) and isinstance(x.value, str)}


def test_no_kind_is_tested_by_its_name_outside_its_folder():
    root = Path(pipelines.__file__).parent
    files = [path for path in root.rglob("*.py") if path.parent.name != "kinds"]
    assert len(files) > 50
    names = set(kinds.names())
    found = [f"{path.relative_to(root)}:{line}" for path in files for line in named_outside_of_kinds(path, names)]
    assert not found


def test_the_reading_of_sources_finds_what_it_looks_for(tmp_path):
    lines = [
        'a = spec.kind == "detection"',
        'b = spec.kind in ("depth", "segmentation")',
        'c = {"detection": 1}[spec.kind]',
        'match spec.kind:\n    case "depth":\n        d = 1',
    ]
    for folder in ("joining", "sources"):
        for number, line in enumerate(lines):
            path = tmp_path / folder / f"{number}.py"
            path.parent.mkdir(exist_ok=True)
            path.write_text(line)
            assert list(named_outside_of_kinds(path, set(kinds.names()))), (folder, line)
    path = tmp_path / "sources" / "fine.py"
    path.write_text('made = LabelSpec("detection", "detection", names)["x"]\nk = own.kind != spec.kind')
    assert not list(named_outside_of_kinds(path, set(kinds.names())))
