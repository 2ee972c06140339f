"""`visionmtl tensorboard`."""

import argparse
import contextlib
import io
import logging
import threading
from pathlib import Path

from visionmtl.board import profiles
from visionmtl.commands.command import Command
from visionmtl.commands.quiet import quiet_import
from visionmtl.errors import UsageError, check_number


class TensorBoard(Command):
    """Open TensorBoard on a run, or on several beside each other, until Ctrl-C."""

    rank = 2
    examples = """
        visionmtl tensorboard runs/garments-1
        visionmtl tensorboard runs/garments-1 runs/garments-2
        visionmtl tensorboard runs/garments-1 --host 0.0.0.0 --port 8080
    """

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("runs", metavar="RUN", nargs="+", help="run folders, finished or not")
        parser.add_argument("--host", default="127.0.0.1", help="the address to listen at; default this machine alone")
        parser.add_argument(
            "--port", type=int, metavar="N", help="the port, 0 for a free one; default the first from 6006"
        )

    def run(self, args: argparse.Namespace) -> None:
        folders = list(dict.fromkeys(Path(run) for run in args.runs))
        for folder in folders:
            _check(folder)
        if args.port is not None:
            check_number("tensorboard", "--port", args.port, at_least=0, below=65536, whole=True)
        try:
            with quiet_import():
                from tensorboard import default, program
        except ImportError:
            raise UsageError("TensorBoard is not installed: pip install tensorboard.") from None
        board = program.TensorBoard(plugins=default.get_plugins())
        wanted = ["tensorboard", *_shown(folders), "--host", args.host, "--reload_interval", "15"]
        board.configure([*wanted, *([] if args.port is None else ["--port", str(args.port)])])
        logging.getLogger("tensorboard").setLevel(logging.ERROR)
        try:
            with contextlib.redirect_stderr(io.StringIO()):  # a note of how it reads files
                address = board.launch()
        except program.TensorBoardServerException as error:
            raise UsageError(f"TensorBoard cannot listen: {error.msg}") from None
        if any(map(profiles.of, folders)) and not profiles.can_be_shown():
            print(f"Steps were profiled, which TensorBoard shows once its plugin is installed: {profiles.INSTALL}.")
        print(f"TensorBoard of {', '.join(map(str, folders))}: {address} (Ctrl-C ends it)", flush=True)
        while True:  # until a signal, which ends it as any other command
            threading.Event().wait(3600)


def _check(folder: Path) -> None:
    """Refuse what is no run folder, or a run of which nothing was written for TensorBoard."""
    if not (folder / "recipe.yaml").is_file():
        hint = "there is no such folder" if not folder.is_dir() else "there is no recipe.yaml in it"
        raise UsageError(
            f"'{folder}' is no run folder: {hint}. Give one that `visionmtl train` made, as runs/garments-1."
        )
    if not any((folder / "tensorboard").rglob("events.out.tfevents.*")):
        raise UsageError(
            f"'{folder}' has nothing for TensorBoard: its training has not begun yet, or was told by training.log to"
            " write nothing for it."
        )


def _shown(folders: list[Path]) -> list[str]:
    """Return the arguments that name what is shown: of several runs, each by its name."""
    if len(folders) == 1:
        return ["--logdir", str(folders[0] / "tensorboard")]
    for folder in folders:
        if any(sign in str(folder) for sign in ",:"):
            raise UsageError(
                f"'{folder}' has a comma or a colon in its name, which TensorBoard takes for several: show it alone."
            )
    labels = [folder.name or str(folder) for folder in (each.resolve() for each in folders)]
    twice = len(set(labels)) < len(labels)
    pairs = [
        f"{folder if twice else label}:{folder / 'tensorboard'}" for folder, label in zip(folders, labels, strict=True)
    ]
    return ["--logdir_spec", ",".join(pairs)]
