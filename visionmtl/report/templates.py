"""Pages from templates, with all that they are dressed and drawn by inside."""

from pathlib import Path
from typing import Any

import jinja2

WEB = Path(__file__).parent / "web"


def filled(template: str, /, **given: Any) -> str:
    """Return a template of `web/` with what is given; all of it is escaped."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(WEB),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["included"] = lambda file: (WEB / file).read_text(encoding="utf-8")
    return environment.get_template(template).render(given)
