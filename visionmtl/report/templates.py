"""Pages from templates, with all that they are dressed and drawn by inside."""

import functools
from pathlib import Path
from typing import Any

import jinja2

WEB = Path(__file__).parent / "web"


def filled(template: str, /, **given: Any) -> str:
    """Return a template of `web/` with what is given; all of it is escaped."""
    return _environment().get_template(template).render(given)


@functools.cache
def _environment() -> jinja2.Environment:
    """Return the templates as they are at first: a training goes on while a newer visionmtl is installed."""
    texts = {each.name: each.read_text(encoding="utf-8") for each in WEB.iterdir() if each.is_file()}
    environment = jinja2.Environment(
        loader=jinja2.DictLoader(texts),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["included"] = texts.__getitem__
    return environment
