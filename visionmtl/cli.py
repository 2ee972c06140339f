"""The command line: visionmtl train | evaluate | predict | export | list | check | data.

TensorFlow is imported by the commands that compute, never by the parser: `visionmtl --help` answers at once.
"""

import argparse
import contextlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from textwrap import dedent, indent
from typing import Any

from pipelines.splits import split_called
from visionmtl.errors import UsageError, nearest, one_of, own_mistake
from visionmtl.recipe import yamlfile

COMMANDS = ("train", "evaluate", "predict", "export", "list", "check", "data")
VERBS = ("inspect", "pack")
LISTS = ("backbones", "sharing", "balancing", "recipes", "sources", "keys")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0 done, 2 the user's mistake, 130 interrupted."""
    argv = sys.argv[1:] if argv is None else list(argv)
    parser = build_parser()
    words = [(argv[:1], COMMANDS, "command"), (argv[1:2] if argv[:1] == ["data"] else [], VERBS, "verb of data")]
    for word, valid, what in words:
        if word and word[0] not in valid and not word[0].startswith("-"):
            parser.error(f"unknown {what} '{word[0]}'.{nearest(word[0], valid)} Valid: {', '.join(valid)}.")
    args, rest = parser.parse_known_args(argv)
    # argparse takes no key=value that stands after an option; a user may.
    strangers = [text for text in rest if text.startswith("-") or "=" not in text or not hasattr(args, "overrides")]
    if strangers:
        parser.error(f"unrecognized arguments: {' '.join(strangers)}")
    if rest:
        args.overrides += rest
    try:
        args.run_command(args)
    except KeyboardInterrupt as stopped:
        print(f"\nvisionmtl: stopped. {stopped}".rstrip(), file=sys.stderr)
        return 130
    except Exception as error:
        sentence = own_mistake(error)
        if sentence is None:
            raise
        print(f"visionmtl: {sentence}", file=sys.stderr)
        return 2
    return 0


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = argparse.ArgumentParser(
        prog="visionmtl", description="Train one model that classifies, detects and segments, and ship it."
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def add(among: Any, name: str, summary: str, example: str) -> argparse.ArgumentParser:
        return among.add_parser(
            name,
            help=summary,
            description=summary,
            epilog=f"examples:\n{indent(dedent(example).strip(), '  ')}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )

    def command(
        name: str, function: Callable, example: str, *arguments: tuple[str, dict[str, Any]], among: Any = commands
    ) -> None:
        sub = add(among, name, (function.__doc__ or "").partition("\n")[0], example)
        for flag, options in arguments:
            sub.add_argument(flag, **options)
        sub.set_defaults(run_command=function)

    recipe = ("recipe", {"help": "a YAML file or a built-in name, see `visionmtl list recipes`"})
    optional_recipe = ("recipe", recipe[1] | {"nargs": "?"})
    overrides = (
        "overrides",
        {"nargs": "*", "metavar": "key=value", "help": "changes to the recipe, see `visionmtl list keys`"},
    )
    run = ("run", {"metavar": "RUN", "help": "a run folder"})
    model = ("model", {"metavar": "MODEL", "help": "a run folder, whose best model is taken, or a .keras file"})

    command(
        "train",
        train,
        """
          visionmtl train garments
          visionmtl train camvid data.path=data/camvid training.epochs=5
          visionmtl train garments --evaluate test
          visionmtl train --resume runs/camvid-1
        """,
        optional_recipe,
        overrides,
        ("--evaluate", {"metavar": "SPLIT", "help": "another split to measure in the end, beside validation"}),
        ("--run", {"metavar": "DIR", "help": "the run folder to make; default runs/<recipe>-<n>"}),
        ("--resume", {"metavar": "RUN", "help": "go on with a run that was interrupted"}),
    )
    command(
        "evaluate",
        evaluate,
        """
          visionmtl evaluate runs/garments-1
          visionmtl evaluate runs/camvid-1 --split test data.path=data/camvid
        """,
        run,
        overrides,
        ("--split", {"default": "validation", "help": "train, validation (the default) or test"}),
    )
    command(
        "predict",
        predict,
        """
          visionmtl predict runs/camvid-1 street.jpg --out predictions
          visionmtl predict best.keras photographs/ --out predictions
          visionmtl predict runs/garments-1 --split test
        """,
        model,
        ("images", {"nargs": "*", "metavar": "IMAGE", "help": "JPEG or PNG files, or folders of them"}),
        ("--split", {"help": "take pictures from this split of the run's data instead"}),
        ("--out", {"default": "predictions", "metavar": "DIR", "help": "where to write; default predictions"}),
    )
    command(
        "export",
        export,
        """
          visionmtl export runs/camvid-1
          visionmtl export runs/camvid-1 --to saved_models --name streets
        """,
        model,
        ("--to", {"default": "saved_models", "metavar": "DIR", "help": "where exports land; default saved_models"}),
        ("--name", {"help": "of the export; default the recipe's, or the file's"}),
    )
    command(
        "list",
        list_,
        """
          visionmtl list
          visionmtl list keys
        """,
        ("what", {"nargs": "?", "metavar": "WHAT", "help": f"one of {', '.join(LISTS)}; default all of their names"}),
    )
    command(
        "check",
        check,
        """
          visionmtl check mine.yaml
          visionmtl check camvid data.path=data/camvid
        """,
        recipe,
        overrides,
    )
    data = add(commands, "data", "Look at a data set, or pack it.", "visionmtl data inspect data/camvid")
    verbs = data.add_subparsers(title="verbs", metavar="VERB", required=True)
    source = ("source", {"metavar": "SOURCE", "help": "a folder or CSV file, or a name of `visionmtl list sources`"})
    data_keys = ("overrides", {"nargs": "*", "metavar": "key=value", "help": "data.path and data.options.<option>"})
    one_split = ("--split", {"help": "train, validation or test alone; default all that are there"})
    command(
        "inspect",
        inspect,
        """
          visionmtl data inspect data/camvid
          visionmtl data inspect voc data.path=data/VOC2012 data.options.lists=Segmentation
          visionmtl data inspect garments --out scenes.png
        """,
        source,
        data_keys,
        one_split,
        ("--out", {"metavar": "PNG", "help": "the contact sheet to write; default <name>-contact.png"}),
        among=verbs,
    )
    command(
        "pack",
        pack,
        """
          visionmtl data pack data/camvid --out data/camvid-packed
          visionmtl data pack tfds data.options.name=voc --out /mnt/fast/voc --shard-mb 512 --on-error skip
          visionmtl train camvid data.source=packed data.path=data/camvid-packed
        """,
        source,
        data_keys,
        one_split,
        ("--out", {"metavar": "DIR", "required": True, "help": "the folder to write, or to go on with"}),
        ("--shard-mb", {"type": float, "default": 256, "metavar": "MB", "help": "of a shard, about; default 256"}),
        ("--on-error", {"default": "stop", "help": "stop (the default) at what is broken, or skip it and list it"}),
        among=verbs,
    )
    return parser


def train(args: argparse.Namespace) -> None:
    """Train a recipe into a run folder."""
    from visionmtl import recipe

    if bool(args.recipe) == bool(args.resume) or (args.resume and args.run):
        raise UsageError("Give a recipe to train, or --resume RUN alone to go on with a run.")
    plan = None if args.resume else recipe.load(args.recipe, args.overrides)
    with _quiet_import():
        from visionmtl import training
    if plan is None:
        training.resume(args.resume, also=args.evaluate)
    else:
        training.train(plan, args.run, also=args.evaluate)


def evaluate(args: argparse.Namespace) -> None:
    """Measure a run's best model on a split, and keep the figures beside the run's."""
    with _quiet_import():
        from visionmtl import training
    training.evaluate(args.run, args.split, args.overrides)


def predict(args: argparse.Namespace) -> None:
    """Predict on images: pictures with the predictions drawn on, and a COCO-style JSON."""
    with _quiet_import():
        from visionmtl import prediction
        from visionmtl.training import runs
    model, plan = runs.load_model(args.model)
    if bool(args.images) == bool(args.split):
        raise UsageError("Give pictures to predict on, or --split to take them from the run's data.")
    files = args.images
    if args.split:
        if plan is None:
            raise UsageError(
                f"--split needs a run folder, whose recipe says where the data is; '{args.model}' is a file."
            )
        files = prediction.save_split(plan, model, args.split, Path(args.out, "pictures"))
    prediction.predict(model, files, args.out, plan.data.resize if plan else "stretch")


def export(args: argparse.Namespace) -> None:
    """Write a SavedModel that needs TensorFlow and nothing else."""
    with _quiet_import():
        from visionmtl import export
        from visionmtl.training import runs
    model, plan = runs.load_model(args.model)
    name = args.name or (plan.name if plan else Path(args.model).stem)
    folder = export.save(model, Path(args.to, name), resize=plan.data.resize if plan else "stretch")
    print(f"Exported to {folder}")


def list_(args: argparse.Namespace) -> None:
    """Show the names a recipe can use."""
    if args.what in (None, "recipes", "keys"):
        from visionmtl import recipe
    if args.what is None:
        print(f"visionmtl list WHAT, where WHAT is one of: {', '.join(LISTS)}")
    elif one_of(args.what, LISTS, "list") == "recipes":
        _print_list((name, recipe.summary(name)) for name in recipe.built_in())
    elif args.what == "keys":
        _print_list((f"{key.name}={key.default}", key.description) for key in recipe.each_key())
    else:
        with _quiet_import():
            import pipelines
            from pipelines.sources import SOURCES
            from visionmtl import backbones
            from visionmtl.balancing import catalogue
            from visionmtl.report import tables
            from visionmtl.sharing import SCHEMES
        if args.what == "backbones":
            _print_list((name, backbones.describe(name)) for name in backbones.names())
        elif args.what == "balancing":
            print(tables.table(catalogue.Entry._fields, catalogue.entries()))
            print(f"\n{catalogue.NOTE}")
        else:
            registries: dict[str, dict[str, Any]] = {"sharing": SCHEMES, "sources": SOURCES}
            registry = registries[args.what]
            _print_list((name, (entry.__doc__ or "").strip().partition("\n")[0]) for name, entry in registry.items())
        if args.what == "sources":
            print("\nTheir own options:")
            _print_list((name, ", ".join(pipelines.options(name))) for name in SOURCES)


def check(args: argparse.Namespace) -> None:
    """Read a recipe and its data, and show what would be trained."""
    from visionmtl import recipe

    plan = recipe.load(args.recipe, args.overrides)
    with _quiet_import():
        from visionmtl import training
    training.check(plan)


def inspect(args: argparse.Namespace) -> None:
    """Count what is in a data set, list what is broken, and draw pictures with their labels."""
    path, options = _data_keys(args, "inspect")
    with _quiet_import():
        from visionmtl.commands import inspection
    inspection.inspect(args.source, path, options, args.split, args.out)


def pack(args: argparse.Namespace) -> None:
    """Write a data set as shards of TFRecord, to be read faster, or elsewhere."""
    path, options = _data_keys(args, "pack")
    with _quiet_import():
        from visionmtl.commands import packing
    packing.pack(args.source, args.out, path, options, args.split, args.shard_mb, args.on_error)


def _data_keys(args: argparse.Namespace, verb: str) -> tuple[str | None, dict[str, Any]]:
    """Return what a verb of `data` was told of the path and the options of its source; check its split."""
    path, options = None, {}
    for text in args.overrides:
        name, _, value = text.partition("=")
        if name == "data.path":
            path = value
        elif name.startswith("data.options."):
            options[name.removeprefix("data.options.")] = yamlfile.parse(value, f"'{text}' on the command line").value
        else:
            raise UsageError(f"data {verb} takes data.path=DIR and data.options.<option>=value only, not '{text}'.")
    if args.split:
        split_called(args.split, UsageError)
    return path, options


def _print_list(rows: Iterable[tuple[str, str]]) -> None:
    rows = list(rows)
    width = max(len(name) for name, _ in rows)
    for name, meaning in rows:
        print(f"{name:<{width}}  {meaning}".rstrip())


@contextlib.contextmanager
def _quiet_import() -> Iterator[None]:
    """Import TensorFlow without its greetings: it writes them before it reads its own log level.

    Set TF_CPP_MIN_LOG_LEVEL=0 to hear everything.
    """
    if os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3") == "0":
        yield
        return
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        import tensorflow

        tensorflow.config.list_physical_devices()  # looks for GPUs, and complains where there are none
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
