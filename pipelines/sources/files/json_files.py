"""JSON read, or the sentence that says what is wrong with it: cut off, a comma too many, or an object a line."""

import json
from pathlib import Path
from typing import Any

from pipelines.errors import DataError
from pipelines.sources.files import layout


def read_json(path: Path, expected: str) -> Any:
    """Read a JSON file.

    Args:
        path: the file.
        expected: the keys that one object should have, for who has an object a line.

    Raises:
        DataError: it is no JSON; the sentence says where.
    """
    text = layout.text(path)
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise DataError(f"'{path}' {_fault(text, error, expected)}.") from None
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, or lists in lists in lists
        raise DataError(f"'{path}' is not valid JSON: {error}.") from None


def _fault(text: str, error: json.JSONDecodeError, expected: str) -> str:
    """Say what is wrong with a text that is no JSON, and where, in what follows the name of the file."""
    whole = text.rstrip()
    if not whole:
        return "is empty"
    where = f"line {error.lineno}, column {error.colno}"
    if error.msg.startswith("Extra data"):
        if whole[0] == whole[error.pos] == "{":
            return f"has one object a line (JSON lines): expected one object with {expected}"
        return f"is not valid JSON: {where}: more follows after its end"
    if error.pos >= len(whole) or whole[-1] not in "}]" or error.msg.startswith("Unterminated string"):
        return (
            f"is not valid JSON, it may be cut off: it ends before what was opened at its beginning is closed ({where})"
        )
    comma = len(text[: error.pos + 1].rstrip("]} \t\n")) - 1
    if text[comma] == "," and text[comma + 1 :].lstrip()[:1] in ("]", "}"):
        line, column = text.count("\n", 0, comma) + 1, comma - text.rfind("\n", 0, comma)
        closing = text[comma + 1 :].lstrip()[0]
        return f"is not valid JSON: line {line}, column {column}: a trailing comma, before '{closing}'"
    return f"is not valid JSON: {where}: {error.msg}"
