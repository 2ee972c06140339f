"""`compare`: a comparison begun, gone on with or extended, to its figures and its table."""

import shlex
from pathlib import Path

from visionmtl import stopping
from visionmtl.comparison import verdicts
from visionmtl.comparison.compare import merging, places
from visionmtl.comparison.compare.asking import Request
from visionmtl.comparison.compare.opening import opened
from visionmtl.comparison.compare.progress import Comparison
from visionmtl.comparison.compare.running import Runner
from visionmtl.comparison.compare.surveying import keep_off_gpus
from visionmtl.errors import UsageError


def compare(request: Request, command: str) -> Path:
    """Train what a comparison lacks, write its figures and tables, and return its folder.

    Args:
        request: what was asked for.
        command: how, to be kept with the figures.

    Raises:
        UsageError: a mistake in what was asked, told before anything is trained; or cells failed.
        stopping.Stopped: a signal stopped it; what is trained is kept.
    """
    first, every = places.shard(request.shard)
    at_once = places.places(request.jobs, keep_off_gpus())
    folder, recipe, asked, survey = opened(request, command)
    if request.merge:
        merged = merging.merge(folder, request.merge, recipe, asked, survey)
        print("\n".join([f"Took over {merged.taken} trainings.", *merged.told]))
    comparison = Comparison(folder, recipe, asked, survey, (first, every))
    if first >= len(comparison.arms):
        count = len(comparison.arms)
        raise UsageError(f"--shard was given {request.shard}, but there are {count} arms: expected 1/{count} at most.")
    go_on = f"visionmtl compare {shlex.quote(str(folder))}"
    go_on += f" --shard {request.shard}" * (request.shard is not None) + f" --jobs {request.jobs}" * (request.jobs > 1)
    with stopping.signals(stopping.Stop()) as stop:
        try:
            runner = Runner(comparison.cells, stop, at_once)
            comparison.train(runner)
            comparison.evaluate(runner)
        except KeyboardInterrupt as stopped:
            raise stopping.saying(stopped, f"Go on with: {go_on}", resumable=True) from None
    comparison.write()
    comparison.write_pages()
    print(f"\n{verdicts.write(folder)}\n\nTables and page: {folder}", flush=True)
    if failed := comparison.failing:
        which = f"'{failed[0]}'" + f" and {len(failed) - 1} others" * (len(failed) > 1)
        raise UsageError(
            f"Trainings of {which} failed, as told above and in their logs in {folder / 'cells'}; the others are there."
            f" To try these again: {go_on}"
        )
    return folder
