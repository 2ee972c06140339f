"""The examples for clusters: what they start is what the command line takes, and the TF_CONFIG they set is read."""

import json
import os
import shlex
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
import yaml

from visionmtl import recipe
from visionmtl.cli import build_parser
from visionmtl.commands.command import commands_of
from visionmtl.training import cluster

EXAMPLES = Path(__file__).parents[1] / "examples"
MANIFESTS = sorted(path.name for path in EXAMPLES.glob("kubernetes/*.yaml"))
SHOW = '#!/bin/sh\necho "$TF_CONFIG"\nprintf "%s\\n" "$*"\n'
SCONTROL = '#!/bin/sh\nif [ "$1" = show ]; then printf "node-3\\nnode-7\\n"; else echo "$@"; fi\n'
SRUN = '#!/bin/sh\nshift\nSLURM_PROCID=0 "$@" && SLURM_PROCID=1 "$@"\nexit ${STATUS:-0}\n'


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs a script where `visionmtl` shows what it is given; returns the lines."""
    for name, text in {"visionmtl": SHOW, "scontrol": SCONTROL, "srun": SRUN}.items():
        script = tmp_path / name
        script.write_text(text)
        script.chmod(script.stat().st_mode | stat.S_IXUSR)

    def run(*command, status=0, **variables):
        environment = os.environ | {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}", **variables}
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True)
        assert done.returncode == status
        return done.stdout.splitlines()

    return run


def documents(name):
    with open(EXAMPLES / "kubernetes" / name, encoding="utf-8") as file:
        return [each for each in yaml.safe_load_all(file) if each]


def pods(document):
    """The pods that a document describes, each with how many there are."""
    spec = document["spec"]
    if document["kind"] == "TFJob":
        return [(each["replicas"], each["template"]["spec"]) for each in spec["tfReplicaSpecs"].values()]
    if "template" in spec:
        return [(spec.get("replicas", spec.get("completions")), spec["template"]["spec"])]
    return []


def check_command(line):
    """Parse a command line as `visionmtl` does, and its recipe."""
    words = shlex.split(line)
    args, rest = build_parser(commands_of("visionmtl.commands")).parse_known_args(words)
    assert not [word for word in rest if "=" not in word]
    if getattr(args, "recipe", None):
        given = recipe.load(args.recipe, [*args.overrides, *rest])
        assert given.training.strategy == "multi_worker"
        return given
    return None


def read(text, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", text)
    return cluster.named()


@pytest.mark.parametrize("name", MANIFESTS)
def test_every_pod_has_what_it_mounts_and_starts_what_there_is(name, run):
    there = [pod for document in documents(name) for pod in pods(document)]
    assert there
    for count, pod in there:
        assert count >= 1
        volumes = {volume["name"] for volume in pod["volumes"]}
        for container in pod["containers"]:
            assert {mount["name"] for mount in container["volumeMounts"]} <= volumes
            *_, said = run(*container["command"], JOB_COMPLETION_INDEX="0", POD_IP="10.0.0.7")
            check_command(said)


def test_the_indexed_job_names_its_pods(run, monkeypatch):
    service, job = documents("job.yaml")
    pod, name = job["spec"]["template"]["spec"], job["metadata"]["name"]
    assert pod["subdomain"] == service["metadata"]["name"]
    assert service["spec"]["selector"] == {"job-name": name}
    count = job["spec"]["completions"]
    assert job["spec"]["parallelism"] == count
    (container,) = pod["containers"]
    for index in range(count):
        told, said = run(*container["command"], JOB_COMPLETION_INDEX=str(index))
        found = read(told, monkeypatch)
        assert found.number == index
        assert [address.split(".")[0] for address in found.addresses] == [f"{name}-{each}" for each in range(count)]
        assert {address.rpartition(":")[2] for address in found.addresses} == {
            str(port["containerPort"]) for port in container["ports"]
        }
        assert check_command(said).data.batch_size % count == 0


def test_the_training_operator_sets_what_is_read(monkeypatch, run):
    (job,) = documents("tfjob.yaml")
    (kind, spec), *_ = job["spec"]["tfReplicaSpecs"].items()
    (container,) = spec["template"]["spec"]["containers"]
    assert container["name"] == "tensorflow"
    addresses = [f"camvid-worker-{number}.default.svc:2222" for number in range(spec["replicas"])]
    for index in range(spec["replicas"]):
        task = {"cluster": {kind.lower(): addresses}, "task": {"type": kind.lower(), "index": index}}
        assert read(json.dumps(task | {"environment": "cloud"}), monkeypatch).number == index
    assert check_command(run(*container["command"])[-1]).data.batch_size % spec["replicas"] == 0


def test_the_script_of_slurm_sets_what_is_read_and_is_queued_again_for_what_can_go_on(run, monkeypatch):
    script = str(EXAMPLES / "slurm" / "train.sbatch")
    subprocess.run(["bash", "-n", script], check=True)
    if shutil.which("shellcheck"):
        subprocess.run(["shellcheck", script], check=True)
    lines = run("bash", script, SLURM_JOB_NODELIST="node-[3,7]", SLURM_JOB_ID="12")
    assert len(lines) == 4
    for number, (told, said) in enumerate(zip(lines[::2], lines[1::2], strict=True)):
        found = read(told, monkeypatch)
        assert (found.addresses, found.number) == (("node-3:12345", "node-7:12345"), number)
        assert check_command(said).data.batch_size == 64
    again = run("bash", script, status=75, STATUS="75", SLURM_JOB_NODELIST="node-[3,7]", SLURM_JOB_ID="12")
    assert again[-1] == "requeue 12"
    assert run("bash", script, status=2, STATUS="2", SLURM_JOB_NODELIST="", SLURM_JOB_ID="12")[-1] != "requeue 12"
