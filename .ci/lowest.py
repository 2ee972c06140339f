"""Prints what `make test-lowest` installs: the dependencies of pyproject.toml at their lower bounds, as constraints."""

import re
import tomllib
from pathlib import Path

project = tomllib.loads(Path(__file__).parents[1].joinpath("pyproject.toml").read_text(encoding="utf-8"))["project"]
for requirement in project["dependencies"]:
    match = re.fullmatch(r"([\w.-]+)>=([\w.]+)", requirement)
    if not match:
        raise SystemExit(f"pyproject.toml: '{requirement}' is not 'name>=version', whose version is installed.")
    print(f"{match[1]}=={match[2]}")
