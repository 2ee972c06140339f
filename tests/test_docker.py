"""The files for Docker are well formed and name what exists; no daemon runs in the tests."""

import re
import shlex
from pathlib import Path

import pytest
import yaml

from visionmtl import export
from visionmtl.cli import build_parser
from visionmtl.commands.command import commands_of

ROOT = Path(__file__).parents[1]
DOCKER = ROOT / "docker"
COMPOSED = sorted(DOCKER.glob("compose*.yaml"))
FILE = (DOCKER / "Dockerfile").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", COMPOSED, ids=lambda path: path.name)
def test_a_compose_file_names_what_exists_and_listens_to_this_machine_alone(path):
    (service,) = yaml.safe_load(path.read_text(encoding="utf-8"))["services"].values()
    if "build" in service:
        context = (DOCKER / service["build"]["context"]).resolve()
        assert context == ROOT
        assert (context / service["build"]["dockerfile"]).is_file()
    else:
        assert re.fullmatch(r"[\w./-]+:\$\{\w+:-[\w.]+\}(-py3)?", service["image"])
    for volume in service["volumes"]:
        plain = re.sub(r"\$\{\w+(:\?[^}]*)?\}", "MODEL", volume)
        source, target, way = plain.split(":")
        assert (DOCKER / source).resolve() == ROOT / "saved_models" / "MODEL"
        assert (target, way) == ("/models/MODEL", "ro")
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])


def test_the_image_copies_what_exists_and_its_context_lets_it_through():
    let = {line[1:] for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line[0] == "!"}
    copied = [name for line in re.findall(r"^COPY (.+) \S+$", FILE, re.MULTILINE) for name in line.split()]
    assert copied
    assert all((ROOT / name).exists() for name in copied)
    assert set(copied) == let


def test_the_server_in_the_image_is_started_by_what_the_command_takes():
    (line,) = re.findall(r"exec visionmtl (.+?) \\\"\$@", FILE)
    service = yaml.safe_load((DOCKER / "compose.yaml").read_text(encoding="utf-8"))["services"]["serve"]
    words = [*shlex.split(line.replace('\\"', '"')), *service["command"]]
    args = build_parser(commands_of("visionmtl.commands")).parse_args(words)
    assert args.host == "0.0.0.0"
    assert f"EXPOSE {args.port}" in FILE
    assert int(service["stop_grace_period"].rstrip("s")) > args.timeout


def test_triton_is_told_the_runtime_of_a_format_that_is_written():
    assert 'backend: "onnxruntime"' in (DOCKER / "config.pbtxt").read_text(encoding="utf-8")
    assert export.FORMATS["onnx"].files[0] == "model.onnx"
