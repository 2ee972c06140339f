"""What the project says of itself is so: dependencies, lower bounds, licences, and the neighbours to copy."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
PROJECT = tomllib.loads(TEXT)["project"]
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| ([\w ]+) \| `([\w/]+/)` \| `([\w./]+)`", re.MULTILINE)


@pytest.mark.parametrize("requirement", PROJECT["dependencies"])
def test_a_dependency_earns_its_place_in_a_sentence(requirement):
    assert re.search(rf'^    "{re.escape(requirement)}", +# \w.+', TEXT, re.MULTILINE)


def test_the_lowest_versions_are_the_lower_bounds_of_all_dependencies():
    lowest = subprocess.run([sys.executable, ROOT / ".ci" / "lowest.py"], capture_output=True, text=True, check=True)
    assert lowest.stdout.splitlines() == [bound.replace(">=", "==") for bound in PROJECT["dependencies"]]


@pytest.mark.parametrize("package", ["visionmtl", "pipelines"])
def test_a_package_says_that_it_is_typed(package):
    assert (ROOT / package / "py.typed").is_file()


@pytest.mark.parametrize("name", PROJECT["license-files"])
def test_licences_are_there(name):
    assert (ROOT / name).stat().st_size > 0


@pytest.mark.parametrize(("thing", "folder", "neighbour"), ROW.findall(CONTRIBUTING))
def test_the_neighbour_to_copy_is_there(thing, folder, neighbour):
    assert (ROOT / folder / neighbour).exists(), f"to add a {thing}"


def test_contributing_says_how_to_add_each_thing():
    assert len(ROW.findall(CONTRIBUTING)) == 15
