"""YAML in and out, with the line of every key; what is nearly YAML, or means what nobody who writes it does, refused.

Numbers are read as YAML 1.2 has them, whose 1e-3 is one, and no time of day (12:30) or date."""

import re
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from visionmtl.errors import UsageError


class Document(NamedTuple):
    """A YAML document: its value, and the tree that knows where each key stands."""

    value: Any
    tree: yaml.Node | None

    def where(self, path: tuple[str | int, ...]) -> str:
        """Return "line 7": where the key at `path` is, or the nearest of its parents that is there."""
        node, line = self.tree, 1
        for word in path:
            pairs = node.value if isinstance(node, yaml.MappingNode) else []
            pair = next(((name, child) for name, child in pairs if name.value == str(word)), None)
            if pair is None:
                break
            line, node = pair[0].start_mark.line + 1, pair[1]
        return f"line {line}"


PREFIX = "tag:yaml.org,2002:"
NUMBERS = {
    "int": r"[-+]?(0|[1-9][0-9_]*)|0x[0-9a-fA-F]+",
    "float": r"[-+]?([0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*)([eE][-+]?[0-9]+)?|[-+]?[0-9][0-9_]*[eE][-+]?[0-9]+"
    r"|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
}
PLAIN = {f"{PREFIX}{kind}" for kind in ("null", "bool", "merge", "value", "str", "seq", "map")}
KNOWN = PLAIN | {f"{PREFIX}{kind}" for kind in NUMBERS}


class _Loader(yaml.SafeLoader):
    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.MarkedYAMLError(problem="a key is no name", problem_mark=key.start_mark)
            name, colon, rest = key.value.partition(":")
            if colon and key.style is None and value.start_mark.index == value.end_mark.index:
                wanted = f"there is no space after the colon of '{key.value}', which wants one, as in '{name}: {rest}'"
                raise yaml.MarkedYAMLError(problem=wanted, problem_mark=key.start_mark)
            if key.value in seen:
                raise yaml.MarkedYAMLError(problem=f"the key '{key.value}' is there twice", problem_mark=key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


# YAML 1.1 reads 1e-3 as a string, because it wants a dot, 010 as 8 and 1:30 as 90; nobody who writes them does.
_Loader.yaml_implicit_resolvers = {
    first: [(kind, pattern) for kind, pattern in known if kind in PLAIN]
    for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
for _kind, _pattern in NUMBERS.items():
    _Loader.add_implicit_resolver(f"{PREFIX}{_kind}", re.compile(f"^({_pattern})$"), list("-+.0123456789"))


class _Dumper(yaml.SafeDumper):
    """Mappings on lines of their own, lists in brackets."""


_Dumper.add_representer(
    list, lambda dumper, values: dumper.represent_sequence("tag:yaml.org,2002:seq", values, flow_style=True)
)


def dump(value: dict[str, Any]) -> str:
    """Write a mapping as YAML, keys in their order."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, default_flow_style=False, width=120)


def parse(text: str, origin: str) -> Document:
    """Read one YAML document.

    Args:
        text: the YAML.
        origin: what to call it in an error, such as the file's name.

    Raises:
        UsageError: it is not YAML, has a key twice, or holds what is no text, number, list or mapping; the message says
            the line.
    """
    try:
        loader = _Loader(text)
        tree = loader.get_single_node()
        if tree is None:
            return Document(None, None)
        _check(tree)
        return Document(loader.construct_document(tree), tree)
    except (yaml.YAMLError, ValueError, KeyError) as error:  # the latter two for a tag that its value does not fit
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        reason = getattr(error, "problem", None) or getattr(error, "reason", None) or "unreadable"
        raise UsageError(f"{origin}{line}: not valid YAML: {reason}.") from None


def _check(node: yaml.Node, around: Sequence[yaml.Node] = ()) -> None:
    """Refuse what a recipe cannot hold: a node within itself, and dates, sets or bytes by their tags."""
    if any(node is each for each in around):
        raise yaml.MarkedYAMLError(problem="a value holds itself", problem_mark=node.start_mark)
    if node.tag not in KNOWN:
        raise yaml.MarkedYAMLError(problem=f"a value has the tag {node.tag}", problem_mark=node.start_mark)
    within = (part for pair in node.value for part in pair) if isinstance(node, yaml.MappingNode) else node.value
    for each in () if isinstance(node, yaml.ScalarNode) else within:
        _check(each, (*around, node))


def read(path: Path) -> Document:
    """Read a YAML file that holds a mapping.

    Raises:
        UsageError: the file cannot be read, is not YAML, or holds something else.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise UsageError(f"Cannot read '{path}': {reason}.") from None
    return mapping(text, str(path))


def mapping(text: str, origin: str) -> Document:
    """Read a YAML document that holds a mapping.

    Args:
        text: the YAML.
        origin: what to call it in an error.

    Raises:
        UsageError: it is not YAML, or holds something else.
    """
    document = parse(text, origin)
    if not isinstance(document.value, dict):
        raise UsageError(f"{origin}: expected a mapping of sections such as data: and training:.")
    return document
