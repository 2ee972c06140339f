"""`visionmtl list` says all that there is of a name, in 100 columns."""

import re
from pathlib import Path

import pytest

from visionmtl import balancing, cli, tasks
from visionmtl.balancing.advice import BY
from visionmtl.commands._lists import LISTS


def said(capsys, *words):
    assert cli.main(["list", *words]) == 0
    return capsys.readouterr().out


def widest(text):
    return max(map(len, text.splitlines()))


def test_all_names_are_listed_where_no_list_is_named(capsys):
    out = said(capsys)
    assert widest(out) <= 100
    for words in ("pcgrad", "cross_stitch", "efficientnet_lite0", "garments", "detection", "voc", "training.epochs"):
        assert words in out


@pytest.mark.parametrize("what", LISTS)
def test_every_name_of_a_list_has_a_line_and_can_be_asked_about(what, capsys):
    listed = said(capsys, what)
    assert widest(listed) <= 100
    for name in dict(LISTS[what].each()):
        about = LISTS[what].about(name)
        assert name in listed
        assert name in about
        assert what == "recipes" or widest(about) <= 100, "a recipe is shown as it is"


def test_a_list_fits_a_narrower_terminal(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "72")
    assert widest(said(capsys, "sources")) <= 72


def test_a_method_is_told_with_its_options_ranges_defaults_paper_and_cost(capsys):
    out = " ".join(said(capsys, "balancing", "cagrad").split())
    for words in ("c=0.5", "a number of at least 0", "update_every=1", "Liu et al. 2021", "1 forward, K backward"):
        assert words in out


def test_a_kind_of_label_is_told_alike_in_the_list_and_by_itself(capsys):
    about = said(capsys, "tasks", "multi_label")
    (told,) = (line.split(maxsplit=1)[1] for line in said(capsys, "tasks").splitlines() if line.startswith("multi"))
    assert told.startswith("Say of each class")
    assert told in about


@pytest.mark.parametrize("what", ["sharing", "tasks", "balancing", "sources"])
def test_every_option_is_explained(what):
    for name, _ in LISTS[what].each():
        for line in LISTS[what].about(name).partition("Options, each with its default:\n")[2].splitlines():
            assert not re.fullmatch(r"  \w+=\S*", line), f"{name}: {line}"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["balancing", "PCGrad"], "Unknown balancing method 'PCGrad'. Did you mean 'pcgrad'?"),
        (["pcgrad"], "'pcgrad' is a name of a list: visionmtl list balancing pcgrad"),
        (["PCGrad"], "'PCGrad' is no list, but may be a name of a list: visionmtl list balancing pcgrad"),
        (["Balancing"], "Unknown list 'Balancing'. Did you mean 'balancing'?"),
    ],
)
def test_a_wrong_name_is_met_by_the_nearest(words, sentence, capsys):
    assert cli.main(["list", *words]) == 2
    told = capsys.readouterr().err
    assert sentence in told
    assert len(told) < 240, "what is near is enough: there is no list of all"


@pytest.mark.parametrize("by", ["symptom", "task"])
def test_advice_on_balancing_names_methods_and_what_was_measured(by, capsys):
    out = " ".join(said(capsys, "balancing", "--by", by).split())
    text = (Path(__file__).parents[3] / "benchmarks" / "RESULTS.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^###? (.+)\n((?:(?!##).*\n)*)", text, re.MULTILINE))
    for each in BY[by]:
        assert each.seen in out
        assert bool(each.measured) == bool(each.section) == bool(each.quotes)
        there = " ".join(sections.get(each.section, "").split())
        assert [quote for quote in each.quotes if quote not in there] == []
        figures = set(re.findall(r"[+-]?\d+(?:\.\d+)?%?", each.measured))
        assert figures <= set(re.findall(r"[+-]?\d+(?:\.\d+)?%?", " ".join(each.quotes))), each.seen
        words = re.findall(r"\b[a-z]+_[a-z_]+\b", each.take)
        assert set(words) <= {*balancing.names(), "update_every"}
    if by == "task":
        assert {each.seen for each in BY[by]} <= set(tasks.KINDS)
    assert cli.main(["list", "sharing", "--by", by]) == 2
    assert "--by gives advice on balancing" in capsys.readouterr().err
