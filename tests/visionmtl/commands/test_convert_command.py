"""`visionmtl data convert`: what is printed, and what is told of mistakes."""

import pytest

import pipelines
from visionmtl import cli


@pytest.mark.slow
def test_a_set_is_written_counted_and_used_as_the_last_line_says(cats, printed):
    assert cli.main(["data", "convert", "cats", "--to", "yolo"]) == 0
    shown = printed()
    assert ("train 3 3 0 3" in shown, "validation 2 2 0 2" in shown) == (True, True)
    told = "5 masks written to masks/: Ultralytics trains on them with semantic.yaml, visionmtl finds them by data.yaml"
    assert shown[shown.index("Not written as it was: 1") + 1] == told
    assert shown[-1] == "Use it with: data.source=yolo data.path=cats-yolo"
    assert pipelines.load("yolo", (40, 60), 1, path="cats-yolo").sizes == {"train": 3, "validation": 2}


def test_options_that_reading_wants_are_told(cats, printed):
    options = ["data.path=cats", "data.options.classes=[cat, dog]", "--split", "val", "--out", "out", "--link"]
    assert cli.main(["data", "convert", "voc", *options, "--to", "voc"]) == 0
    assert printed()[-1].endswith("""data.path=out data.options.classes='["cat", "dog"]'""")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["cats", "--to", "voco"], "Unknown format to write 'voco'. Did you mean 'voc'?"),
        (["cts", "--to", "voc"], "'cts' is neither a source nor a folder"),
        (["cats", "--to", "voc", "--out", "cats"], "'cats' lies within the data itself"),
        (["cats", "--to", "coco", "--tasks", "depth"], "Task 'depth' has no labels in 'cats'"),
        (["cats", "--to", "coco", "data.options.link=1"], "Unknown option of source 'voc' 'link'"),
        (["cats", "--to", "coco", "--on-error", "skp"], "Did you mean 'skip'?"),
    ],
)
def test_a_mistake_is_one_sentence(cats, capsys, arguments, sentence):
    assert cli.main(["data", "convert", *arguments]) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert error.count("\n") == 1
