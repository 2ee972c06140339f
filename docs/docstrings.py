"""How the reference reads docstrings: an example is code, and what a heading such as "Scale:" begins stands out."""

import re
from typing import Any

import griffe

HEADINGS = re.compile(r"^(References?|Scale|Fall-back|Preference|Heads|Labels): ?", re.MULTILINE)


class House(griffe.Extension):
    """Read "Example:" as Google's "Examples:", which shows what follows `>>>` as code."""

    def on_object(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        """Rewrite the docstring of an object that was read."""
        if obj.docstring:
            obj.docstring.value = HEADINGS.sub(
                r"**\1.** ", re.sub(r"^Example:$", "Examples:", obj.docstring.value, flags=re.MULTILINE)
            )
