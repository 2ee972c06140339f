"""`visionmtl data split`: what is printed, and what is told of mistakes."""

import pytest

import pipelines
from visionmtl import cli


@pytest.mark.slow
def test_a_set_is_divided_counted_and_used_as_the_last_line_says(cats, printed):
    assert cli.main(["data", "split", "cats", "--by", "image", "--fractions", "0.6", "0.2", "0.2"]) == 0
    shown = printed()
    for line in (
        "train 3 60.0% 3",
        "test 1 20.0% 1",
        "detection objects in train objects in validation objects in test",
        "cat 3 (60%) 1 (20%) 1 (20%)",
        "background 6,000 (60%) 2,000 (20%) 2,000 (20%)",
    ):
        assert line in shown
    assert shown[-1] == "Use it with: data.source=voc data.path=cats data.options.split_lists=cats-splits"
    data = pipelines.load("voc", (40, 60), 1, path="cats", split_lists="cats-splits")
    assert data.sizes == {"train": 3, "validation": 1, "test": 1}


def test_a_table_beside_the_data_gives_the_groups(cats, printed, tmp_path):
    rows = "\n".join(f"{name}.jpg,{'tom' if name in 'abd' else 'tim'}" for name in "abcde")
    (tmp_path / "owners.csv").write_text(f"file,owner\n{rows}")
    command = ["data", "split", "cats", "--by", "column:owner", "--table", "owners.csv", "--fractions", "0.5", "0.5"]
    assert cli.main([*command, "--out", "lists"]) == 0
    assert "train 3 60.0% 1" in printed()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["cats", "--by", "owner"], "Groups by 'owner' are unknown"),
        (["cats", "--by", "column:owner"], "'cats' has no CSV files: name the table that has the column"),
        (["cats", "--by", "image", "--fractions", "0.5"], "Fractions are 0.5: expected two or three above 0"),
        (["cts", "--by", "image"], "'cts' is neither a source nor a folder"),
        (["cats", "--by", "image", "data.options.seed=1"], "Unknown option of source 'voc' 'seed'"),
    ],
)
def test_a_mistake_is_one_sentence(cats, capsys, arguments, sentence):
    assert cli.main(["data", "split", *arguments]) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert error.count("\n") == 1
