"""What the classes of Open Images are called: their table has ids such as /m/07j7r, another the names of these."""

import re
from collections.abc import Iterable

from pipelines.accounts.account import Account
from pipelines.accounts.tree import Tree
from pipelines.sources.csv import grid

ID = re.compile(r"/[mgt]/[0-9a-z_]+")


def of(tree: Tree, names: Iterable[str], account: Account) -> dict[str, str]:
    """Return the names of ids, from `class-descriptions*.csv`; nothing where classes are no ids, or it is not there."""
    ids = set(names)
    if not ids or not all(map(ID.fullmatch, ids)):
        return {}
    found: dict[str, str] = {}
    for file in tree.like("**/*class-descriptions*.csv"):
        rows = grid.pairs(tree.path(file))
        found |= {key: name for key, name in rows if ID.fullmatch(key)}
        account.use(tree.path(file), "class names")
    return {key: found[key] for key in ids if key in found}
