"""A folder of pictures that would be the only class: labels that nobody understood may lie beside it."""

from pipelines.accounts.rules import beside
from pipelines.accounts.tree import Tree, below
from pipelines.errors import DataError
from pipelines.sources.files.layout import is_picture
from pipelines.sources.folder import classes

SHOWN = 3  # files that are named, each of another folder


def lone(tree: Tree) -> str:
    """Say that a data set has one class folder alone, and what lies beside it; "" where it has more, or is refused yet.

    Args:
        tree: the files of a data set in class folders.
    """
    try:
        found = classes.find(tree)
    except DataError:
        return ""
    if found is None or found.doubtful or any(found.parts.values()):
        return ""
    names = {name for own in found.classes.values() for name in own}
    if len(names) > 1:
        return ""
    name = names.pop()
    split = next(split for split, own in found.classes.items() if own)
    return (
        f"All pictures of '{tree.root}' lie in one folder, '{below(found.splits[split], name)}', and classification "
        f"needs two classes, a folder each; {_not_understood(tree)}. "
        "If labels lie elsewhere or in another form, write them as a format that `visionmtl list layouts` shows; "
        f"if '{name}' is meant as the only class, name the source: data.source=folder data.path={tree.root}."
    )


def _not_understood(tree: Tree) -> str:
    """Say which files may hold the labels."""
    files = [name for name in tree.names if not is_picture(name) and not beside(name)]
    if not files:
        return "no file with labels lies beside it"
    first = list({name.rpartition("/")[0]: name for name in reversed(files)}.values())[::-1][:SHOWN]
    shown = ", ".join(f"'{name}'" for name in first)
    if len(files) == 1:
        return f"the file {shown} beside it was not understood"
    return f"{len(files)} files beside it were not understood, as {shown}"
