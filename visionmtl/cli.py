"""The command line: the parser of what `commands/` holds, and one command run.

TensorFlow is imported by the commands that compute, never by the parser: `visionmtl --help` answers at once.
"""

import argparse
import contextlib
import os
import re
import sys
from collections.abc import Mapping, Sequence
from textwrap import dedent, indent

from visionmtl import __version__, stopping
from visionmtl.commands._help import Formatter
from visionmtl.commands.command import Command, commands_of
from visionmtl.errors import WorkerGoneError, nearest, own_mistake


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status.

    0 done; 2 the user's mistake, or a place that cannot be written; 3 done but for pictures that cannot be read; 75
    what a signal stopped, to be gone on with; 130 Ctrl-C; 129, 138 and 143 what SIGHUP, SIGUSR1 and SIGTERM stopped
    with nothing to go on from; 141 unread. A fault of ours raises, which makes 1.
    """
    return run(parsed(argv))


def parsed(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Return what a command line asks for: the command, and what was given to it.

    Raises:
        SystemExit: it asks for help, or for what there is not, which was told; its status is 0 or 2.
    """
    argv = sys.argv[1:] if argv is None else list(argv)
    commands = commands_of("visionmtl.commands")
    parser = build_parser(commands)
    _check_words(parser, argv, commands)
    args, rest = parser.parse_known_args(argv)
    # argparse takes no key=value that stands after an option; a user may.
    strangers = [text for text in rest if text.startswith("-") or "=" not in text or not hasattr(args, "overrides")]
    if strangers:
        parser.error(f"unrecognized arguments: {' '.join(strangers)}.{_suggestion(strangers[0], args)}")
    if rest:
        args.overrides = [*args.overrides, *rest]
    _refuse_empty(parser, args)
    return args


def run(args: argparse.Namespace) -> int:
    """Do what a command line asks for, and return the exit status; see `main`."""
    stop = stopping.Stop()
    try:
        with stopping.signals(stop):
            status = args.run_command(args)
        sys.stdout.flush()
    except BrokenPipeError:  # who reads has read enough, as `head` has
        _silence()
        return 141
    except KeyboardInterrupt as stopped:
        return _stopped(stopped if isinstance(stopped, stopping.Stopped) else stopping.saying(stopped, str(stopped)))
    except Exception as error:
        sentence = own_mistake(error)
        if sentence is None and stop.number is not None:  # what a signal broke off has failed in a way of its own
            return _stopped(stopping.Stopped(stop.number))
        if sentence is None:
            raise
        print(f"visionmtl: {sentence}", file=sys.stderr)
        return error.status if isinstance(error, WorkerGoneError) else 2
    return status or 0


def _stopped(stopped: stopping.Stopped) -> int:
    """Tell what stopped a command, and how to go on; return the exit status."""
    with contextlib.suppress(OSError):  # the terminal may be gone
        print(f"\nvisionmtl: stopped by {stopped.name}. {stopped}".rstrip(), file=sys.stderr, flush=True)
    try:
        sys.stdout.flush()
    except OSError:  # who read it was stopped too, as `tee` by Ctrl-C
        _silence()
    return stopped.status


def _silence() -> None:
    """Write to nowhere from here on: Python flushes once more as it ends, and would end with a status of its own."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def build_parser(commands: Mapping[str, Command]) -> argparse.ArgumentParser:
    """Return the parser of commands by name."""
    parser = argparse.ArgumentParser(
        prog="visionmtl", description="Train one model that classifies, detects and segments, and ship it."
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    _add(parser, commands, "command")
    return parser


def _add(parser: argparse.ArgumentParser, commands: Mapping[str, Command], what: str) -> None:
    """Let a parser take one of several commands, or one of a command's verbs."""
    among = parser.add_subparsers(title=f"{what}s", metavar=what.upper(), required=True)
    for name, command in commands.items():
        own = among.add_parser(
            name,
            help=command.summary,
            description=command.summary,
            epilog=f"examples:\n{indent(dedent(command.examples).strip(), '  ')}\n\n{dedent(command.more).strip()}",
            formatter_class=Formatter,
        )
        if command.verbs:
            _add(own, command.verbs, "verb")
        else:
            command.add_arguments(own)
            own.set_defaults(run_command=command.run, options=re.findall(r"--[\w-]+", own.format_usage()))


def _check_words(parser: argparse.ArgumentParser, argv: Sequence[str], commands: Mapping[str, Command]) -> None:
    """Stop at a command, or a verb of one, that there is not, and suggest the nearest."""
    valid, what, options = commands, "command", ["--version", "--help"]
    for word in argv:
        if not valid or word.startswith("-"):
            return
        if word not in valid:
            parser.error(f"unknown {what} '{word}'.{nearest(word, [*valid, *options])} Valid: {', '.join(valid)}.")
        valid, what, options = valid[word].verbs, f"verb of {word}", []


def _refuse_empty(parser: argparse.ArgumentParser, args: argparse.Namespace) -> None:
    """Stop at an argument that is there and says nothing, as `--run "$RUN"` of a variable that was never set."""
    for name, given in vars(args).items():
        if any(isinstance(text, str) and not text.strip() for text in (given if isinstance(given, list) else [given])):
            option = f"--{name.replace('_', '-')}"
            called = option if option in args.options else {"overrides": "key=value"}.get(name, name.upper())
            parser.error(f"argument {called}: an empty text was given. Is a variable of the shell not set?")


def _suggestion(stranger: str, args: argparse.Namespace) -> str:
    """Suggest the option nearest to one that the command does not have."""
    return nearest(stranger.partition("=")[0], args.options) if stranger.startswith("-") else ""
