"""What stands behind --vary, --arm and --search, read: keys, their values, and values in a few words."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from visionmtl.errors import UsageError, one_of
from visionmtl.recipe import each_key, yamlfile

OPENING, CLOSING, QUOTES = "[{", "]}", "\"'"
PLAIN = ("model.sharing", "balancing.method", "model.backbone")  # whose values say of themselves what they are


def parted(text: str, at: str) -> list[str]:
    """Part a text at a character, which counts neither within brackets nor within quotes; empty parts are left out.

    Example:
        >>> parted("hard,{name: hard, until: P3}", ",")
        ['hard', '{name: hard, until: P3}']
    """
    parts, depth, quote = [""], 0, ""
    for letter in text:
        if quote:
            quote = "" if letter == quote else quote
        elif letter in QUOTES:
            quote = letter
        else:
            depth += (letter in OPENING) - (letter in CLOSING)
        if letter == at and not quote and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts if part.strip()]


def setting(text: str, option: str) -> tuple[str, Any]:
    """Read `key=value`; the value is YAML.

    Raises:
        UsageError: it is not of this form, or no YAML.
    """
    name, values = settings(text, option)
    if len(values) != 1:
        raise UsageError(f"{option} was given '{text}': expected one value for '{name}'.")
    return name, values[0]


def settings(text: str, option: str) -> tuple[str, list[Any]]:
    """Read `key=value,value`; each value is YAML.

    Raises:
        UsageError: it is not of this form, or no YAML.
    """
    name, equals, values = text.partition("=")
    name = name.strip()
    each = parted(values, ",")
    if not equals or not name.strip(". ") or not each:
        raise UsageError(f"{option} was given '{text}': expected key=value,value: balancing.method=equal,pcgrad.")
    return name, [yamlfile.parse(value, f"'{value}' of {option}").value for value in each]


def key_called(name: str) -> str:
    """Return the full key that a last word such as "learning_rate" is of; a full key is returned as it is.

    Raises:
        UsageError: no key, or more than one, ends so.
    """
    if "." in name:
        return name
    keys = [key.name for key in each_key()]
    found = [key for key in keys if key.rpartition(".")[2] == name]
    if f"training.{name}" in found or len(found) == 1:
        return f"training.{name}" if f"training.{name}" in found else found[0]
    if found:
        raise UsageError(f"--search was given '{name}', the end of several keys: give one of {', '.join(found)}.")
    return one_of(name, [key.rpartition(".")[2] for key in keys], "key to search")


def names(arms: Sequence[Mapping[str, Any]], base: Mapping[str, Any]) -> list[str]:
    """Return short names of arms, each by its changes: what differs among them, no more; of one arm its changes.

    Args:
        arms: their changes of the recipe, by key.
        base: what the recipe has for each key that is changed, and for those of `PLAIN`.

    Example:
        >>> names([{"balancing.method": "equal"}, {"balancing.method": "pcgrad"}], {"balancing.method": "equal"})
        ['equal', 'pcgrad']
    """
    keys = list(dict.fromkeys([*PLAIN, *(key for arm in arms for key in arm)]))
    full = [{key: arm.get(key, base.get(key)) for key in keys} for arm in arms]
    differing = [key for key in keys if len({repr(each[key]) for each in full}) > 1]
    shown = differing or list(dict.fromkeys([*PLAIN[:2], *(key for arm in arms for key in arm)]))
    return [", ".join(_words(key, each[key]) for key in shown) for each in full]


def _words(key: str, value: Any) -> str:
    """Return a key and its value in a few words."""
    text = " ".join(_flat(value))
    return text if key in PLAIN else f"{key.rpartition('.')[2]} {text}"


def _flat(value: Any) -> Iterator[str]:
    match value:
        case {"name": name, **options}:
            yield str(name)
            yield from _flat(options)
        case dict():
            for key, inner in value.items():
                yield f"{key} {' '.join(_flat(inner))}"
        case list():
            yield "[" + ", ".join(" ".join(_flat(inner)) for inner in value) + "]"
        case None:
            yield "null"
        case float():
            yield f"{value:g}"
        case _:
            yield str(value)


def slug(text: str, most: int = 60) -> str:
    """Return a name that a file can have."""
    return re.sub(r"[^\w.]+", "-", text).strip("-.")[:most].strip("-.")
