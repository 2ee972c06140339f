"""TF_CONFIG read: who trains together, and a sentence for each way in which it is broken."""

import json

import pytest

from visionmtl import UsageError
from visionmtl.training import cluster, devices

TWO = ["a:2222", "b:2222"]


def set_to(monkeypatch, jobs, task):
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": jobs, "task": task, "environment": "cloud"}))


def test_workers_are_numbered_from_the_chief_on(monkeypatch):
    set_to(monkeypatch, {"worker": TWO}, {"type": "worker", "index": 1})
    assert cluster.named() == cluster.Cluster(("a:2222", "b:2222"), 1)
    set_to(
        monkeypatch, {"worker": TWO, "chief": ["c:2222"]}, {"type": "worker", "index": "1", "trial": "1"}
    )  # as Vertex
    assert cluster.named() == cluster.Cluster(("c:2222", "a:2222", "b:2222"), 2, chiefs=1)


@pytest.mark.parametrize("text", ["", "{}", '{"cluster": {}}'])
def test_no_cluster_is_this_machine_alone(text, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", text)
    assert cluster.named() is None
    assert devices.told("auto") == ""


BROKEN = {
    "{'cluster'": "is no JSON",
    "[1]": "is [1]",
    '{"cluster": [1], "task": {}}': 'has the "cluster" [1]',
    '{"cluster": {"ps": ["a:1"]}}': "the job 'ps', for which there is nothing to do",
    '{"cluster": {"wroker": ["a:1"]}}': "the unknown job 'wroker'",
    '{"cluster": {"worker": "a:1"}}': "has \"a:1\" for the job 'worker'",
    '{"cluster": {"worker": ["a"]}}': 'expected addresses as "host:port"',
    '{"cluster": {"worker": ["a:1", "a:1"]}}': "names the address 'a:1' twice",
    '{"cluster": {"chief": ["a:1", "b:1"]}}': "names 2 chiefs",
    '{"cluster": {"worker": ["a:1"]}}': 'has the "task" null',
    '{"cluster": {"worker": ["a:1"]}, "task": {"type": "chief", "index": 0}}': "its cluster has only worker",
    '{"cluster": {"worker": ["a:1"]}, "task": {"type": "evaluator", "index": 0}}': 'task of type "evaluator"',
    '{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 2}}': "2 of them: 0 to 1",
    '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": -1}}': "the task worker -1",
}


@pytest.mark.parametrize("text", BROKEN)
def test_a_broken_one_is_told_in_one_sentence_with_the_form_expected(text, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(UsageError) as caught:
        devices.strategy(kind="auto")
    assert BROKEN[text] in str(caught.value)
    assert cluster.FORM in str(caught.value)


def test_many_workers_are_asked_for_where_there_are_some(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    with pytest.raises(UsageError, match="multi_worker, but TF_CONFIG is not set"):
        devices.strategy(kind="multi_worker")
    set_to(monkeypatch, {"chief": ["a:1"]}, {"type": "chief", "index": 0})
    with pytest.raises(UsageError, match="TF_CONFIG names one worker, a:1"):
        devices.strategy(kind="multi_worker")
    with pytest.raises(UsageError, match="leave devices out"):
        devices.strategy(["CPU:0"], kind="multi_worker")


def test_what_was_chosen_is_told(monkeypatch):
    set_to(monkeypatch, {"chief": ["a:1"]}, {"type": "chief", "index": 0})
    assert devices.told("auto") == "TF_CONFIG names one worker, a:1: training on this machine alone."
    set_to(monkeypatch, {"worker": TWO}, {"type": "worker", "index": 1})
    assert "2 workers" in devices.told("auto")
    assert "worker 1 (b:2222), which writes nothing" in devices.told("auto")
    assert "TF_CONFIG is set aside" in devices.told("mirrored")
    with pytest.raises(UsageError, match="names 2 workers, but compare trains on one machine"):
        cluster.refuse_several("compare", "and part the arms by --shard")
