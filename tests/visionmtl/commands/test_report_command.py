"""`visionmtl report`: pages of runs, finished or not, and one that compares them."""

import pytest

from visionmtl import cli


@pytest.fixture
def runs(tmp_path):
    folders = [tmp_path / "streets-1", tmp_path / "streets-2"]
    for folder in folders:
        folder.mkdir()
        (folder / "recipe.yaml").write_text("name: streets\n")
    return [str(folder) for folder in folders]


def test_it_writes_the_page_of_each_run_and_one_of_all(runs, tmp_path, capsys):
    assert cli.main(["report", runs[0]]) == 0
    assert (tmp_path / "streets-1" / "report.html").is_file()
    assert not (tmp_path / "runs.html").exists()
    assert cli.main(["report", *runs, f"{runs[0]}/"]) == 0
    assert f"'{runs[0]}' is given twice: it is taken once." in capsys.readouterr().out
    assert cli.main(["report", *runs, "--out", str(tmp_path / "two.html")]) == 0
    for name in ("streets-2/report.html", "runs.html", "two.html"):
        assert (tmp_path / name).is_file(), name
    assert f"Report {tmp_path / 'two.html'}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nowhere"], "'nowhere' is no run folder"),
        (["--out", "a.html"], "give two or more"),
        (["{same}", "--out", "a.html"], "give two or more"),
        (["{other}", "{compared}"], "is a folder of `visionmtl compare`, which writes its own page"),
        (["{other}", "--out", "a.png"], "a file that ends in .html"),
    ],
)
def test_a_mistake_is_told_in_a_sentence_and_nothing_is_written(arguments, told, runs, tmp_path, capsys):
    names = {"{other}": runs[1], "{same}": f"{runs[1]}/../streets-1", "{compared}": str(tmp_path / "compare-1")}
    (tmp_path / "compare-1").mkdir()
    for file in ("recipe.yaml", "comparison.yaml"):
        (tmp_path / "compare-1" / file).write_text("name: streets\n")
    given = [names.get(each, each) for each in arguments]
    assert cli.main(["report", runs[0], *given]) == 2
    assert told in capsys.readouterr().err
    assert not list(tmp_path.rglob("*.html"))
