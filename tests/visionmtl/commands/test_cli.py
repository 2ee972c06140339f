"""The command line answers at once, and tells a user's mistake in one sentence."""

import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

import visionmtl
from visionmtl import cli
from visionmtl.commands import quiet
from visionmtl.commands.command import commands_of
from visionmtl.commands.train import Train

COMMANDS = commands_of("visionmtl.commands")
FEW = "data.options={train: 16, validation: 4, test: 4}"  # scenes: each is drawn before it is looked at


def test_help_names_every_command_and_imports_nothing_that_takes_long():
    code = (
        "import sys; from visionmtl import cli\n"
        "late = {'tensorflow', 'keras', 'numpy', 'pydantic', 'matplotlib'}\n"
        "try: cli.main(['--help'])\n"
        "except SystemExit: sys.exit(len(late & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert all(command in result.stdout for command in COMMANDS)


@pytest.mark.parametrize("statement", ["import visionmtl", "import visionmtl.cli", "from visionmtl import recipe"])
def test_importing_the_library_does_not_import_tensorflow(statement):
    code = f"import sys; {statement}; sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_each_command_shows_an_example(command, capsys):
    with pytest.raises(SystemExit) as stopped:
        cli.main([command, "--help"])
    assert stopped.value.code == 0
    assert f"examples:\n  visionmtl {command}" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["train", "garmets"], "Unknown recipe 'garmets'. Did you mean 'garments'?"),
        (["train", "no/such.yaml"], "There is no recipe file 'no/such.yaml'"),
        (["train", "garments", "training.epoch=3"], "unknown key 'training.epoch'. Did you mean 'training.epochs'?"),
        (["train"], "Give a recipe to train, or --resume RUN"),
        (["train", "garments", "--resume", "runs/x"], "Give a recipe to train, or --resume RUN"),
        (["train", "--resume", "no-such-run"], "'no-such-run' is not a run folder"),
        (["evaluate", "no-such-run"], "'no-such-run' is not a run folder"),
        (["evaluate", "no-such-run", "--split", "tset"], "Unknown split 'tset'. Did you mean 'test'?"),
        (["evaluate", "no-such-run", "training.epochs=3"], "evaluate takes data.<key>=value only"),
        (["predict", "no-such.keras", "image.jpg"], "There is no model 'no-such.keras'"),
        (["export", "no-such.keras"], "There is no model 'no-such.keras'"),
        (["evaluate", "no-such-run", "--split", "val"], "'no-such-run' is not a run folder"),
        (["train", "garments", "epochs=3"], "unknown key 'epochs'. Did you mean 'training.epochs'?"),
        (["evaluate", "no-such-run", "--device", "gpu:77"], "There is no device 'gpu:77' here. Valid: cpu"),
        (["evaluate", "no-such-run", "--device", "tpu"], "There is no device 'tpu' here. Valid: cpu"),
        (["evaluate", "no-such-run", "--device", "CPU"], "'no-such-run' is not a run folder"),
        (["predict", "no-such.keras", "image.jpg", "--conf", "half"], "--confidence is 'half': expected a number"),
        (["list", "balancin"], "Unknown list 'balancin'. Did you mean 'balancing'?"),
        (["check", "camvid", "data.path=no-such-folder"], "no-such-folder"),
        (["check", "garments", "data.source=garment"], "Did you mean 'garments'?"),
        (["check", "garments", "model.backbone=resnet5"], "Unknown backbone 'resnet5'. Did you mean 'resnet50'"),
        (["check", "garments", "balancing.method=equall"], "Did you mean 'equal'?"),
        (["check", "garments", "balancing.method=NashMTL"], "Did you mean 'nash_mtl'?"),
        (["check", "garments", "balancing.method=unc"], "Did you mean 'uncertainty'?"),
        (["check", "garments", "model.sharing=hart"], "Did you mean 'hard'?"),
        (["check", "garments", "tasks=[detecton]"], "Task 'detecton' has no labels"),
        (["check", "garments", "--pictures", "seen.jpg"], "name a file that ends in .png"),
        (["check", "garments", "tasks.detection.dept=3", FEW], "Did you mean 'depth'?"),
        (["check", "garments", "data.options.trian=3"], "trian"),
        (["check", "garments", "data.batch_size=100000", FEW], "fewer than one batch of 100000"),
    ],
)
def test_a_mistake_is_one_sentence_and_status_2(arguments, sentence, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.main(arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith("visionmtl: ")
    assert sentence in error
    assert error.count("\n") == 1
    assert not list(tmp_path.iterdir()), "a mistake must leave nothing behind"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["trian"], "unknown command 'trian'. Did you mean 'train'?"),
        (["version"], "unknown command 'version'. Did you mean '--version'?"),
        (["train", "garments", "--evalute", "test"], "--evalute test. Did you mean '--evaluate'?"),
        (
            ["data", "inspekt", "x"],
            "unknown verb of data 'inspekt'. Did you mean 'inspect'? Valid: inspect, pack",
        ),
    ],
)
def test_a_misspelt_command_suggests_the_nearest(arguments, sentence, capsys):
    with pytest.raises(SystemExit) as stopped:
        cli.main(arguments)
    assert stopped.value.code == 2
    assert sentence in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "called"),
    [
        (["train", "garments", "--run", ""], "--run"),
        (["train", " "], "RECIPE"),
        (["train", "garments", ""], "key=value"),
        (["predict", "best.keras", "a.jpg", "", "--out", "there"], "IMAGES"),
        (["export", "best.keras", "--to", ""], "--to"),
    ],
)
def test_an_argument_that_says_nothing_is_refused_as_what_a_variable_left_empty(arguments, called, capsys):
    with pytest.raises(SystemExit) as stopped:
        cli.main(arguments)
    assert stopped.value.code == 2
    assert f"argument {called}: an empty text was given." in capsys.readouterr().err


def test_a_terminal_says_what_is_waited_for_while_tensorflow_is_imported(monkeypatch, capsys):
    terminal = SimpleNamespace(stdout=SimpleNamespace(isatty=lambda: True), modules={})
    monkeypatch.setattr(quiet, "sys", terminal)
    with quiet.quiet_import():
        assert capsys.readouterr().out.strip() == "Starting TensorFlow ..."
    assert capsys.readouterr().out.isspace(), "and leaves nothing"


def test_what_may_be_left_out_is_not_asked_for(capsys):
    for words, lacking in {"evaluate": "RUN", "predict": "MODEL", "data inspect": "SOURCE"}.items():
        with pytest.raises(SystemExit):
            cli.main(words.split())
        assert capsys.readouterr().err.endswith(f"the following arguments are required: {lacking}\n")


def test_the_version_is_that_of_the_package(capsys):
    with pytest.raises(SystemExit) as stopped:
        cli.main(["--version"])
    assert stopped.value.code == 0
    assert capsys.readouterr().out == f"visionmtl {visionmtl.__version__}\n"


def test_changes_may_stand_after_an_option(monkeypatch):
    seen = {}
    monkeypatch.setattr(Train, "run", lambda self, args: seen.update(vars(args)))
    assert cli.main(["train", "garments", "training.epochs=2", "--run", "here", "training.seed=3"]) == 0
    assert seen["overrides"] == ["training.epochs=2", "training.seed=3"]
    assert seen["run"] == "here"


@pytest.mark.parametrize(
    ("error", "what"),
    [
        (OSError(28, "No space left on device", "runs/garments-1/best.keras"), " 'runs/garments-1/best.keras'"),
        (OSError("Can't write data (file write failed: errno = 28, error message = 'No space left on device')"), ""),
    ],
    ids=["of a file", "of HDF5"],
)
def test_a_full_disk_is_one_sentence(monkeypatch, capsys, error, what):
    def full(self, args):
        raise error

    monkeypatch.setattr(Train, "run", full)
    assert cli.main(["train", "garments"]) == 2
    told = capsys.readouterr().err
    assert told.startswith(f"visionmtl: Cannot write{what}: the disk is full. ")
    assert told.count("\n") == 1


def test_an_interrupt_says_how_to_go_on(monkeypatch, capsys):
    def stop(self, args):
        raise KeyboardInterrupt("Go on with: visionmtl train --resume runs/garments-1")

    monkeypatch.setattr(Train, "run", stop)
    assert cli.main(["train", "garments"]) == 130
    assert "stopped by Ctrl-C. Go on with: visionmtl train --resume runs/garments-1" in capsys.readouterr().err


def test_a_reader_that_has_read_enough_gets_no_stack_trace():
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "visionmtl", "list", "keys"],
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, "")


def test_a_fault_of_ours_keeps_its_stack_trace(monkeypatch):
    def fail(self, args):
        raise KeyError("ours")

    monkeypatch.setattr(Train, "run", fail)
    with pytest.raises(KeyError):
        cli.main(["train", "garments"])
