"""Every command through what the parser and its help ask of it."""

import argparse
import shlex
from textwrap import dedent

import pytest

from visionmtl.cli import build_parser
from visionmtl.commands.command import commands_of

COMMANDS = commands_of("visionmtl.commands")
WORDS = {name: command for name, command in COMMANDS.items() if not command.verbs} | {
    f"{name} {verb}": command for name, group in COMMANDS.items() for verb, command in group.verbs.items()
}


def parse(arguments):
    """Parse arguments as `main` does: changes to a recipe may stand after an option."""
    _, rest = build_parser(COMMANDS).parse_known_args(arguments)
    assert all("=" in text and not text.startswith("-") for text in rest)


@pytest.mark.parametrize("words", WORDS)
def test_its_help_is_a_sentence_and_its_examples_are_parsed(words):
    command = WORDS[words]
    assert command.summary.endswith(".")
    lines = dedent(command.examples).strip().splitlines()
    assert any(line.startswith(f"visionmtl {words}") for line in lines)
    for line in lines:
        name, *arguments = shlex.split(line)
        assert name == "visionmtl"
        parse(arguments)


def test_the_names_that_help_shows_of_an_argument_are_those_there_are():
    from pipelines import errors, splits, writers
    from visionmtl import merging
    from visionmtl.balancing import advice
    from visionmtl.commands import completion
    from visionmtl.prediction import formats
    from visionmtl.serving import runtimes

    there = {
        "completion shell": completion.SHELLS,
        "data convert to": writers.names(),
        "list by": advice.BY,
        "merge method": merging.METHODS,
        "predict format": formats.names(),
        "predict split": splits.SHORT,
        "serve runtime": runtimes.RUNTIMES,
    } | {f"data {verb} on_error": errors.ON_ERROR for verb in COMMANDS["data"].verbs}
    shown = {}
    for words, command in WORDS.items():
        parser = argparse.ArgumentParser()
        command.add_arguments(parser)
        named = {each.dest: each.metavar for each in parser._actions if str(each.metavar).startswith("{")}
        shown |= {f"{words} {dest}": set(metavar.strip("{}").split(",")) for dest, metavar in named.items()}
    assert shown == {name: set(there[name]) for name in shown}
    assert len(shown) > 7


@pytest.mark.parametrize("words", ["", *COMMANDS, *WORDS])
def test_its_help_fits_eighty_columns_and_its_broken_examples_are_the_command_lines_they_were(
    words, capsys, monkeypatch
):
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit):
        build_parser(COMMANDS).parse_args([*words.split(), "--help"])
    shown = capsys.readouterr().out
    assert [line for line in shown.splitlines() if len(line) > 80 or line != line.rstrip()] == []
    if words in WORDS:
        whole = [
            shlex.split(line) for line in shown.replace("\\\n", " ").splitlines() if line.startswith("  visionmtl")
        ]
        assert whole == [shlex.split(line) for line in dedent(WORDS[words].examples).strip().splitlines()]
        assert " ".join(shown.split()).count(WORDS[words].summary) == 1
        for word in WORDS[words].more.split():
            assert word in shown.split(), word
