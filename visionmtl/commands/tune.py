"""`visionmtl tune`."""

import argparse
from pathlib import Path

from visionmtl import known_by
from visionmtl.commands.arguments import add_overrides
from visionmtl.commands.command import Command
from visionmtl.commands.quiet import quiet_import
from visionmtl.errors import UsageError


class Tune(Command):
    """Search the best settings of a recipe by trials."""

    rank = 3
    examples = """
        visionmtl tune garments --search training.learning_rate=1e-4..1e-2
        visionmtl tune garments --search balancing.method=equal,pcgrad,cagrad --search balancing.c=0.1..0.9 --trials 40
        visionmtl tune garments balancing.method=fixed --search balancing.weights=simplex --objectives tasks
        visionmtl tune runs/tune-garments-1
        visionmtl tune runs/tune-garments-1 --export best.yaml
    """
    more = """
        what --search takes, once for each key:
          training.learning_rate=1e-4..1e-2   a range, by its logarithm where it spans a factor of ten or more;
                                              linear:1..40 and log:1..4 say it
          training.epochs=5..20               whole numbers
          balancing.method=equal,pcgrad       choices; lists too: data.image_size=[64, 64],[96, 96]
          balancing.weights=simplex           a weight of each task, their sum the number of tasks;
                                              balancing.weights.cars=0.5..4 is that of one
          balancing.c=0.1..0.9                a hyperparameter counts where a method is drawn that takes it;
                                              balancing.cagrad.c is that of one method, model.sharing.hard.until of a
                                              scheme

        A trial is a run folder, trials/<n> in that of the study. Trials that fall behind on validation are pruned, by
        hyperband; with several objectives none is, as nothing says which trial is worse. Exit statuses are those of
        `visionmtl train`; what was stopped or killed goes on by `visionmtl tune FOLDER`.
    """

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        help_ = "a YAML file or a built-in name; or the folder of a study, which goes on"
        parser.add_argument("recipe", metavar="RECIPE", help=help_)
        add_overrides(parser)
        help_ = "what may be drawn for a key; once for each"
        parser.add_argument("--search", metavar="KEY=VALUES", action="append", default=[], help=help_)
        parser.add_argument("--trials", metavar="N", type=int, help="how many there are in the end; default 20")
        help_ = "logs to raise, min:LOG to lower, by commas; or tasks, the main metric of each"
        parser.add_argument("--objectives", metavar="LOGS", help=help_)
        parser.add_argument("--seed", metavar="N", type=int, help="of what is drawn; default 0")
        parser.add_argument("--no-pruning", action="store_true", help="train every trial to its end")
        parser.add_argument("--run", metavar="DIR", help="the folder to make; default runs/tune-<recipe>-<n>")
        parser.add_argument("--export", metavar="FILE", help="write the best trial's recipe there")
        parser.add_argument("--trial", metavar="N", type=int, help="the trial to export, instead of the best")

    def run(self, args: argparse.Namespace) -> None:
        going_on = Path(args.recipe).is_dir()
        given = None if args.objectives is None else [name.strip() for name in args.objectives.split(",")]
        if args.trial is not None and not (args.export and going_on):
            raise UsageError("--trial names the trial that --export writes, of a study that is there: tune FOLDER.")
        if going_on and (
            args.overrides or args.search or args.objectives or args.run or args.no_pruning or args.seed is not None
        ):
            if not (Path(args.recipe) / known_by.STUDY).is_file():
                raise UsageError(
                    f"'{args.recipe}' is a folder, but not that of a study: name a recipe's file to search."
                )
            raise UsageError(
                f"'{args.recipe}' is a folder, and its study stays what it is: give --trials, --export or --trial."
            )
        with quiet_import():
            from visionmtl.comparison import tuning
            from visionmtl.training import cluster
        cluster.refuse_several("tune", "and run one study on one of them")
        folder = Path(args.recipe)
        if not going_on:
            options = {"trials": args.trials, "seed": args.seed}
            folder = tuning.tune(
                args.recipe,
                args.overrides,
                args.search,
                objectives=given or (),
                run=args.run,
                prune=not args.no_pruning,
                **{name: value for name, value in options.items() if value is not None},
            )
        elif not args.export or args.trials is not None:
            tuning.go_on(folder, args.trials)
        if args.export:
            tuning.export(folder, args.export, args.trial)
