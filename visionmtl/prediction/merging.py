"""Shards of predictions joined: on one disk or from several, into what one process would have written."""

import json
import re
import shlex
import shutil
from collections.abc import Sequence
from pathlib import Path

from pipelines.files import removed
from visionmtl import stopping
from visionmtl.errors import UsageError
from visionmtl.files import written_folder, written_whole
from visionmtl.prediction import finishing, settings
from visionmtl.prediction.finishing import RECORDS, Done
from visionmtl.prediction.journal import Journal
from visionmtl.prediction.places import Shard, of_shard

SHARD = re.compile(r"predictions-(\d+)-of-(\d+)\.jsonl")


def merge(folders: Sequence[str | Path], out: str | Path | None = None) -> Done:
    """Join the shards in some folders.

    Args:
        folders: each with one shard or more; together they have all.
        out: where the whole is written; None for the folder, where it is one.

    Raises:
        UsageError: a shard is missing, unfinished, there twice, or was predicted with something else.
    """
    given = [Path(folder) for folder in folders]
    if not given:
        raise UsageError("Give the folders whose shards are to be joined, as `visionmtl predict merge predictions`.")
    if out is None and len(given) > 1:
        raise UsageError(f"{len(given)} folders are to be joined: name the one to write by --out.")
    place = given[0] if out is None else Path(out)
    if given == [place] and (joined := _joined_before(place)) is not None:
        return joined
    journals, made = _shards(given)
    if given != [place]:
        if place.exists() and any(place.iterdir()):
            raise UsageError(f"'{place}' is there already: name a folder that is empty or new by --out.")
        with stopping.told("Nothing was written."):
            journals = _taken(given, journals, made, place)
    with stopping.told(f"All shards are in '{place}'. {_again(place)}", resumable=True):
        return _joined(journals, place)


def _again(place: Path) -> str:
    return f"Go on with: visionmtl predict merge {shlex.quote(str(place))}"


def _taken(folders: Sequence[Path], journals: Sequence[Journal], made: dict, place: Path) -> list[Journal]:
    """Copy all that shards in some folders have to a new one, which has its name once all is there."""
    labels = json.loads((folders[0] / settings.LABELS).read_text(encoding="utf-8"))
    with written_folder(place.absolute().parent) as (unfinished, name):
        settings.begin(unfinished, made, labels)
        for folder in folders:
            _copy(folder, unfinished)
        for journal in journals:
            shutil.copy(journal.path, unfinished / journal.path.name)
        name(place.absolute())
    return [Journal(place / journal.path.name) for journal in journals]


def _joined(journals: Sequence[Journal], place: Path) -> Done:
    """Write what shards give together into the folder that they lie in, and remove them."""
    with written_whole(place / RECORDS) as partial, open(partial, "wb") as file:
        numbered = {number: journal for journal in journals for number in journal.numbers()}
        for number in sorted(numbered):
            file.write(json.dumps(numbered[number].record(number)).encode() + b"\n")
    return _finished(place, journals)


def _finished(place: Path, journals: Sequence[Journal]) -> Done:
    """Write what all records give together, and remove the shards that they were joined from."""
    done = finishing.finish(place)
    for journal in journals:
        removed(journal.path)
    print(done.text(), flush=True)
    return done


def _joined_before(place: Path) -> Done | None:
    """Go on where a joining was stopped while it removed the shards; None where there is something to join.

    A shard stays that says something else of a picture, as one that is predicted again does.
    """
    made = settings.read(place)
    records = Journal(place / RECORDS)
    if made is None or len(records) < made["count"]:
        return None
    left = [Journal(path) for path in _in(place).values()]
    if any(each.record(number) != records.record(number) for each in left for number in each.numbers()):
        return None
    there = f"'{place / RECORDS}' has every picture already"
    if not left:
        print(f"{there}, and no shard is left.", flush=True)
        return finishing.summed(records)
    print(f"{there}: removing the shards that are left, {', '.join(each.path.name for each in left)}.", flush=True)
    with stopping.told(f"{there}. {_again(place)}", resumable=True):
        return _finished(place, left)


def _shards(folders: Sequence[Path]) -> tuple[list[Journal], dict]:
    """Return the shards of some folders, all of them, and what they were predicted with."""
    made: dict | None = None
    there: dict[Shard, Path] = {}
    for folder in folders:
        own = settings.read(folder)
        shards = _in(folder)
        if own is None or not shards:
            raise UsageError(f"'{folder}' holds no shard of predictions, as `visionmtl predict --shard 1/4` writes.")
        made = own if made is None else made
        settings.refuse_others(folder, own, made)
        for shard, path in shards.items():
            if shard in there:
                raise UsageError(f"'{path}' and '{there[shard]}' are the same shard: leave one out.")
            there[shard] = path
    assert made is not None
    return _all_of(there, made["count"]), made


def _in(folder: Path) -> dict[Shard, Path]:
    """Return the shards in a folder."""
    names = [SHARD.fullmatch(path.name) for path in sorted(folder.iterdir())] if folder.is_dir() else []
    return {Shard(int(name[1]), int(name[2])): folder / name[0] for name in names if name}


def _all_of(there: dict[Shard, Path], pictures: int) -> list[Journal]:
    counts = {shard.count for shard in there}
    if len(counts) > 1:
        raise UsageError(f"The shards are of {' and of '.join(map(str, sorted(counts)))}: give those of one division.")
    count = counts.pop()
    missing = [f"{number}/{count}" for number in range(1, count + 1) if Shard(number, count) not in there]
    if missing:
        raise UsageError(f"Shard {', '.join(missing)} is not there: predict it by --shard, or give its folder too.")
    journals = []
    for shard, path in sorted(there.items()):
        journal, wanted = Journal(path), len(of_shard(pictures, shard))
        if len(journal) < wanted:
            raise UsageError(
                f"'{path}' has {len(journal):,} of {wanted:,} pictures: go on with it by --shard "
                f"{shard.number}/{shard.count} --resume."
            )
        journals.append(journal)
    return journals


def _copy(folder: Path, place: Path) -> None:
    """Copy what was written of each picture; files of records and sums lie loose, and are made anew."""
    for path in folder.iterdir():
        if path.is_dir():
            shutil.copytree(path, place / path.name, symlinks=True, dirs_exist_ok=True)
