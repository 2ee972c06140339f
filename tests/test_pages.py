"""Pages of documentation: what they take from the code is so now."""

import importlib.util
import re
import shutil
from pathlib import Path

import yaml

import visionmtl

DOCS = Path(__file__).parents[1] / "docs"


def script(name):
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_no_page_is_stale():
    assert script("generate").stale() == [], "run `python docs/generate.py`"


def test_the_citation_is_of_this_version():
    citation = yaml.safe_load((DOCS.parent / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == visionmtl.__version__
    assert citation["license"] == "Apache-2.0"
    bibtex = re.search(r"```bibtex\n(.+?)```", (DOCS.parent / "README.md").read_text(encoding="utf-8"), re.DOTALL)[1]
    assert f"version = {{{citation['version']}}}" in bibtex
    assert f"title = {{{citation['title']}}}" in bibtex


def test_a_page_that_says_something_else_is_stale(tmp_path, monkeypatch):
    generate = script("generate")
    shutil.copytree(DOCS / "images", tmp_path / "images")
    shutil.copy(DOCS.parent / "pyproject.toml", tmp_path.parent)
    for page, _ in generate.BLOCKS.values():
        text = (DOCS / page).read_text(encoding="utf-8")
        (tmp_path / page).write_text(text.replace("pcgrad", "pcgrab"), encoding="utf-8")
    monkeypatch.setattr(generate, "FOLDER", tmp_path)
    assert generate.stale() == ["balancing.md"]


def test_what_a_table_or_prose_holds_is_no_markdown_but_code_is():
    generate = script("generate")
    assert generate.cell("a|b [c] `[d]|e`") == r"a\|b \[c\] `[d]\|e`"
    assert generate.text("{k: v} <name> `{k}`") == r"\{k: v\} &lt;name> `{k}`"
