"""The sentence for a recipe that is wrong."""

import difflib
import json
from typing import Any

from pydantic import BaseModel

from pipelines.errors import MANY
from visionmtl.errors import nearest
from visionmtl.recipe.keys import each_key, is_by_names, section_of
from visionmtl.recipe.sections import Recipe


def sentence(error: Any, key: tuple[str | int, ...]) -> str:
    """Say what one of pydantic's errors means, in a sentence of our own."""
    name = ".".join(map(str, key))
    match error["type"]:
        case "extra_forbidden":
            section = _at(key[:-1])
            beside = [".".join(map(str, (*key[:-1], field))) for field in (section.model_fields if section else ())]
            last = str(key[-1])
            exact = "" if section is not Recipe else _elsewhere(last, cutoff=1.0)  # its section was left out
            suggestion = exact or nearest(name, beside) or _elsewhere(last)
            if suggestion and len(beside) > MANY:
                return f"unknown key '{name}'.{suggestion} `visionmtl list keys` has all."
            return f"unknown key '{name}'.{suggestion} Valid: {', '.join(beside)}."
        case "missing" if isinstance(key[-1], int):
            name, expected = ".".join(map(str, key[:-1])), _EXPECTED["list_type"]
        case "missing":
            return f"'{name}' is missing."
        case "value_error":
            expected = str(error["ctx"]["error"])
        case "literal_error":
            choices = [choice.strip("'") for choice in error["ctx"]["expected"].replace(" or ", ", ").split(", ")]
            meant = nearest(error["input"], choices) if isinstance(error["input"], str) else ""
            expected = f"{error['ctx']['expected']}.{meant}"
            if isinstance(error["input"], str) and error["input"] in choices:
                expected = f"{error['ctx']['expected']}, a number without quotes"
        case kind:
            plain = error["msg"].removeprefix("Input should be ").split(",")[0]
            expected = _EXPECTED.get(
                kind, plain.replace("greater", "a number greater").replace("less", "a number less")
            )
    if isinstance(error["input"], dict) and error["type"] == "value_error":  # its keys do not go together
        return f"'{name}': expected {expected}."
    if expected == MAPPING and isinstance(error["input"], str) and ":" in error["input"]:
        expected += ", with a space after each colon, as {train: 48}"
    if isinstance(error["input"], bool) and error["type"] in ("string_type", "invalid_key", "literal_error"):
        expected = f"{expected.removesuffix('.')}; YAML reads yes, no, on and off as true and false, unless in quotes"
    given = json.dumps(error["input"], default=str)
    return f"'{name}' is {given}, expected {expected}".removesuffix(".") + ("" if expected.endswith("?") else ".")


MAPPING = "a mapping of keys to values"
_EXPECTED = {
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing_size": "a smaller number",
    "float_parsing": "a number",
    "float_type": "a number",
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "string_type": "a name",
    "string_pattern_mismatch": "a name without slashes",
    "invalid_key": "a name",
    "list_type": "a list, as [first, second]",
    "tuple_type": "a list, as [first, second]",
    "dict_type": MAPPING,
    "model_type": MAPPING,
}


def _at(path: tuple[str | int, ...]) -> type[BaseModel] | None:
    section: type[BaseModel] | None = Recipe
    free = False
    for word in path:
        if free:  # the word is a name
            free = False
        elif section:
            annotation = section.model_fields[str(word)].annotation
            section, free = section_of(annotation), is_by_names(annotation)
    return None if free else section


def _elsewhere(name: str, cutoff: float = 0.8) -> str:
    """Suggest the full key when only its last part was written, as in `epochs: 5` at the top of the file.

    Args:
        name: what was written.
        cutoff: how alike they must be, 1 for equal.
    """
    last = {key.name.rpartition(".")[2]: key.name for key in each_key()}
    match = difflib.get_close_matches(name, last, n=1, cutoff=cutoff)
    return f" Did you mean '{last[match[0]]}'?" if match else ""
