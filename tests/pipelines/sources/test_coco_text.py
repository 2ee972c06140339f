"""The text of a COCO file: its encoding, and what is said where it is no JSON."""

import json
import warnings

import pytest

import pipelines


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "latin-1"])
def test_a_json_may_have_a_mark_and_another_encoding(wild, tmp_path, encoding):
    wild()
    path = tmp_path / "data" / "annotations.json"
    content = json.loads(path.read_text())
    content["categories"][0]["name"] = "Kätzchen"
    path.write_text(json.dumps(content, ensure_ascii=False), encoding=encoding)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert pipelines.load(str(path.parent), (40, 60), 1, splits=["train"]).specs[0].classes == ("Kätzchen",)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text[:-1] + ",\n}", r"line 2, column 1: a trailing comma|line \d+, column \d+: a trailing comma"),
        (lambda text: text.replace('"images": [', '"images": [ '), None),
        (lambda text: text[:200], "it may be cut off"),
        (lambda text: text + "\n" + text, r"has one object a line \(JSON lines\)"),
        (lambda text: text.replace(":", "=", 1), r"is not valid JSON: line 1, column \d+: Expecting ':'"),
        (lambda text: "", "is empty"),
        (lambda text: text + "]", "more follows after its end"),
    ],
)
def test_a_text_that_is_no_json_is_told_with_the_place(wild, tmp_path, change, message):
    wild()
    path = tmp_path / "data" / "annotations.json"
    path.write_text(change(path.read_text()))
    if message is None:
        assert pipelines.load("coco", (40, 60), 1, path=path.parent, splits=["train"]).sizes == {"train": 2}
        return
    with pytest.raises(pipelines.DataError, match=message):
        pipelines.load("coco", path=path.parent, splits=["train"])
