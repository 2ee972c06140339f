"""YAML in and out, with the line of every key, numbers such as 1e-3 read as numbers, and a key given twice refused."""

import re
from collections.abc import Hashable
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


class _Loader(yaml.SafeLoader):
    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.MarkedYAMLError(problem=f"the key '{key.value}' is there twice", problem_mark=key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


# YAML 1.1 reads 1e-3 as a string, because it wants a dot; nobody who writes a learning rate does.
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^[-+]?[0-9][0-9_]*(\.[0-9_]*)?[eE][-+]?[0-9]+$"), list("-+0123456789")
)


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
        UsageError: it is not YAML, or has a key twice; the message says the line.
    """
    try:
        return Document(yaml.load(text, _Loader), yaml.compose(text, _Loader))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        reason = getattr(error, "problem", None) or getattr(error, "reason", None) or "unreadable"
        raise UsageError(f"{origin}{line}: not valid YAML: {reason}.") from None


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
