"""Sources opened: one by its name, or several as one."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipelines import sources
from pipelines.accounts.account import Account
from pipelines.caching import kept
from pipelines.collecting import uncollected
from pipelines.contract import Request, Source
from pipelines.errors import DataError, MissingSplitError, one_of
from pipelines.joining.combining import Member, combine
from pipelines.joining.matching import match
from pipelines.kinds.spec import LabelSpec
from pipelines.recognising import find, instead
from pipelines.splits import SPLITS

KEYS = ("source", "path", "options", "tasks", "classes")


def opened(name: str, request: Request, options: Mapping[str, Any]) -> Source:
    """Ask the source of this name, or of the format of this folder, for what is requested, or the cache of it.

    A source without files of its own and a pack are never cached, nor is one split asked for alone: what has no splits
    would be divided for a pack of all, or packed twice.

    Raises:
        DataError: there is no such source or option, or the data cannot be read; the message suggests the nearest name.
    """
    name, request = _recognised(name, request)
    source = sources.get(name, options)
    if request.cache is None or request.path is None or name == "packed" or len(request.splits) == 1:
        try:
            with uncollected():
                read = source.read(source.adapted(request))
        except DataError as error:
            if request.path is not None and (told := instead(name, request.path, request.files)):
                raise DataError(f"{error} {told}") from error
            raise
        if not request.account.files:  # a source that says nothing of its files: it reads none of a user's
            return read
        request.account.tree = request.files
        return replace(read, accounts=(request.account,))
    return kept(name, request, options, request.cache)


def several_opened(
    given: Mapping[str, Mapping[str, Any]],
    request: Request,
    expected: Sequence[LabelSpec] | None = None,
    joined: bool = False,
) -> Source:
    """Ask several sources and return them as one.

    Args:
        given: `{name: {"source": ..., "path": ..., "options": ..., "tasks": ..., "classes": ...}}`; `pipelines.load`
            explains them.
        request: what is asked of all; each source has its own path and tasks.
        expected: the tasks with their classes, as of a trained model; None for those of the sources.
        joined: whether they label the same pictures, which are then matched by name; else their samples lie end to end.

    Raises:
        DataError: a key is unknown, a source cannot be read, or none has a split or task that is asked for.
    """
    if not given:
        raise DataError("No source is given: name at least one.")
    if joined and request.cache is not None:
        raise DataError(f"cache='{request.cache}' packs each source alone, not what is joined: set cache to true.")
    members, known, whole = {}, set(), set()
    for name, settings in given.items():
        for key in settings:
            one_of(key, KEYS, f"key of source '{name}'")
        if "source" not in settings:
            raise DataError(f"Source '{name}' has no key 'source', the kind of source that it is.")
        chosen = settings.get("tasks")
        renames = chosen if isinstance(chosen, Mapping) else {task: task for task in chosen or ()}
        path = settings.get("path")
        own = replace(
            request,
            path=None if path is None else Path(path),
            tasks=tuple(renames) or None,
            member=True,
            account=Account(request.problems),
        )
        try:
            source = (_opened_whole if joined else opened)(settings["source"], own, settings.get("options") or {})
        except MissingSplitError:
            if "train" in request.splits:
                raise
            continue  # it has none of the splits to be measured
        whole |= {name} if own.account.undivided else set()
        member = Member(source, renames, settings.get("classes") or {})
        known |= {renames.get(spec.name, spec.name) for spec in source.specs}
        if request.tasks is not None:
            member = replace(member, source=_cut(source, renames, request.tasks))
        if member.source.specs:
            members[name] = member
    if not known:
        raise MissingSplitError(f"No source has a split '{request.splits[0]}': {', '.join(given)}.")
    for task in request.tasks or ():
        if task not in known:
            raise DataError(f"Task '{task}' has no labels in any source; there are labels for: {', '.join(known)}.")
    if joined:
        return match(members, frozenset(whole), request, expected)
    return combine(members, request.max_boxes, expected)


def _opened_whole(name: str, request: Request, options: Mapping[str, Any]) -> Source:
    """Ask a source for all of its splits; one that has none is not divided, and gives all as "train"."""
    name, request = _recognised(name, request)
    divides = bool(options.get("divide")) or "divide" not in sources.options(name)
    return opened(name, replace(request, splits=SPLITS, pooled=not divides), options)


def _recognised(name: str, request: Request) -> tuple[str, Request]:
    """Return the name of a source and what is requested of it; a folder in its place is walked once for both."""
    if name in sources.names() or not Path(name).exists():
        return name, request
    own = replace(request, path=Path(name))
    return find(name, None if request.path is None else str(request.path), own.files)[0], own


def _cut(source: Source, renames: Mapping[str, str], tasks: Sequence[str]) -> Source:
    """A source with those of its tasks alone that are among `tasks` under their new names."""
    return replace(source, specs=tuple(spec for spec in source.specs if renames.get(spec.name, spec.name) in tasks))
