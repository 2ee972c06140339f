"""Shells complete what a command line may hold, at once, as the lists of `visionmtl list` have it."""

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time

import pytest

from pipelines import sources
from visionmtl import balancing, cli, recipe, sharing
from visionmtl.commands import _words
from visionmtl.commands._lists import LISTS
from visionmtl.commands.command import commands_of

COMMANDS = commands_of("visionmtl.commands")


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """A working directory with two run folders, a folder and a file."""
    monkeypatch.chdir(tmp_path)
    for name in ("runs/garments-1", "runs/garments-2", "elsewhere/mine"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "recipe.yaml").touch()
    (tmp_path / "runs" / "notes").mkdir()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("tr", ["train"]),
        ("--v", ["--version"]),
        ("data ins", ["inspect"]),
        ("train garm", ["garments"]),
        ("train garments training.epo", ["training.epochs="]),
        ("train garments --run here training.optimizer=ad", ["training.optimizer=adam", "training.optimizer=adamw"]),
        ("train garments training.jit=", ["training.jit=false", "training.jit=true"]),
        ("train garments balancing.method=pc", ["balancing.method=pcgrad"]),
        ("train garments --eval", ["--evaluate"]),
        ("train garments --evaluate t", ["test", "train"]),
        ("train --resume ", ["elsewhere/", "runs/", "runs/garments-1", "runs/garments-2"]),
        ("evaluate runs/g", ["runs/garments-1", "runs/garments-2"]),
        ("evaluate runs/", ["runs/garments-1", "runs/garments-2", "runs/notes/"]),
        ("report runs/garments-1 elsewhere/", ["elsewhere/mine"]),
        ("evaluate runs/garments-1 data.source=co", ["data.source=coco"]),
        ("list bal", ["balancing"]),
        ("completion z", ["zsh"]),
        ("data pack here --on-error sk", ["skip"]),
        ("list sharing mt", ["mtan", "mti_net"]),
        ("predict runs/garments-1 --tasks ", []),  # names that only the model knows
        ("predict runs/garments-1 pho", []),  # a file
        ("train garments no.such.key=", []),
        ("nonsense x", []),
    ],
)
def test_what_may_follow(runs, line, expected, capsys):
    assert cli.main(["completion", "answer", f"visionmtl {line}"]) == 0
    assert capsys.readouterr().out.split() == expected


def test_names_are_those_that_the_lists_have():
    assert set(_words.LISTS) == set(LISTS)
    assert sorted(_words._names("balancing")) == sorted(balancing.names())
    assert sorted(_words._names("sharing")) == sorted(sharing.names())
    assert sorted(_words._names("sources")) == sorted(sources.names())
    assert sorted(_words._names("recipes")) == sorted(recipe.built_in())
    every = {f"{key.name}=" for key in recipe.each_key()}
    assert set(_words.answers(COMMANDS, ["check", "garments", ""])) == every


@pytest.mark.parametrize("line", ["visionmtl train garments training.", "visionmtl train garments balancing.method="])
def test_an_answer_imports_nothing_that_takes_long(line):
    code = (
        "import sys; from visionmtl import cli\n"
        f"cli.main(['completion', 'answer', {line!r}])\n"
        "sys.exit(len({'tensorflow', 'keras', 'matplotlib', 'scipy'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0


@pytest.fixture
def program(tmp_path):
    """A folder with the command in it."""
    path = tmp_path / "bin" / "visionmtl"
    path.parent.mkdir()
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m visionmtl "$@"\n')
    path.chmod(0o755)
    return path.parent


@pytest.mark.parametrize(
    ("line", "expected"),
    [("visionmtl tra", "train"), ("visionmtl train garments training.optimizer=s", "sgd"), ("visionmtl t '", "")],
)
def test_bash_completes_words_that_it_breaks_at_an_equals_sign(program, line, expected):
    script = (
        f'PATH="{program}:$PATH"; compopt() {{ :; }}; eval "$(visionmtl completion bash)"\n'
        f'COMP_LINE="{line}"; COMP_POINT=${{#COMP_LINE}}; _visionmtl; printf "%s\\n" "${{COMPREPLY[@]}}"'
    )
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == expected.split()
    assert done.stderr == ""


LINES = [("tra", "train"), ("list balancing pcg", "pcgrad"), ("train garments training.optimizer=ad", "adam")]


@pytest.mark.skipif(shutil.which("fish") is None, reason="there is no fish here")
@pytest.mark.parametrize(("line", "expected"), [*LINES[:2], ("predict runs/garments-1 tra", "track.png")])
def test_fish_completes_and_offers_files_where_nothing_else_is_expected(program, line, expected):
    (program / "track.png").touch()
    script = f"set -x PATH {program} $PATH; visionmtl completion fish | source; complete -C 'visionmtl {line}'"
    done = subprocess.run(
        ["fish", "--no-config", "-c", script], capture_output=True, text=True, check=True, cwd=program
    )
    offered = [each.partition("\t")[0] for each in done.stdout.splitlines()]
    assert any(expected in each for each in offered)
    assert ("track.png" in offered) == (expected == "track.png")
    assert done.stderr == ""


@pytest.mark.skipif(shutil.which("zsh") is None, reason="there is no zsh here")
def test_zsh_completes_at_a_terminal_and_offers_files_where_nothing_else_is_expected(program):
    (program / "track.png").touch()
    lines = {
        "visionmtl tra": "visionmtl train ",
        "visionmtl train garments training.optimizer=ad": "training.optimizer=adam",
        "visionmtl train garments training.epo": "training.epochs=",
        "visionmtl train garments data.path=tra": "data.path=track.png ",
        "visionmtl predict runs/garments-1 tra": "track.png ",
    }
    terminal, inner = pty.openpty()
    environment = os.environ | {"PATH": f"{program}:{os.environ['PATH']}", "TERM": "dumb", "HOME": str(program)}
    shell = subprocess.Popen(
        ["zsh", "-f", "-i"],
        stdin=inner,
        stdout=inner,
        stderr=inner,
        env=environment,
        start_new_session=True,
        cwd=program,
    )
    try:
        # Ctrl-T tells what the line is, and takes it back: what is shown of it is drawn in parts.
        tell = 'tell() { zle -I; print -r -- "<$BUFFER>"; BUFFER= }; zle -N tell; bindkey "^T" tell'
        os.write(terminal, f'{tell}; PROMPT="rea""dy> "; eval "$(visionmtl completion zsh)"\n'.encode())
        until(terminal, "ready> ")
        for line, completed in lines.items():
            os.write(terminal, f"{line}\t\x14".encode())
            assert until(terminal, "<visionmtl.*>").endswith(f"{completed}>")
    finally:
        shell.kill()
        shell.wait()
        os.close(terminal)
        os.close(inner)


def until(terminal, pattern, seconds=60):
    """Read from a terminal until what it shows has a pattern, and return what matches it."""
    shown, end = "", time.monotonic() + seconds
    while not (found := re.search(pattern, shown)):
        assert time.monotonic() < end, shown
        if select.select([terminal], [], [], 1)[0]:
            shown += os.read(terminal, 4096).decode(errors="replace")
    return found[0]


def test_every_shell_has_its_script_and_another_is_told(capsys):
    for shell in ("bash", "zsh", "fish"):
        assert cli.main(["completion", shell]) == 0
        assert "visionmtl completion answer" in capsys.readouterr().out
    assert cli.main(["completion", "tcsh"]) == 2
    assert "expected bash, zsh, fish" in capsys.readouterr().err
