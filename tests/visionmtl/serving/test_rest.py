"""TensorFlow Serving's REST interface, in the forms that its documentation shows."""

import base64

import encoded
import pytest
import servers

PREDICT = "/v1/models/street:predict"
NO_PICTURE = "The picture cannot be read: its content is that of no known format."
PIXELS = [[[255, 0, 51], [255, 0, 51]]]  # a picture of one row


def b64(content):
    return {"b64": base64.b64encode(content).decode()}


def test_the_status_of_a_model_is_that_of_its_versions(toy):
    status = {"error_code": "OK", "error_message": ""}
    expected = {"model_version_status": [{"version": "1", "state": "AVAILABLE", "status": status}]}
    for path in ("/v1/models/street", "/v1/models/street/versions/1"):
        assert toy.get(path).json() == expected


def test_metadata_has_the_signatures(toy):
    for path in ("/v1/models/street/metadata", "/v1/models/street/versions/1/metadata"):
        told = toy.get(path).json()
        assert told["model_spec"] == {"name": "street", "signature_name": "", "version": "1"}
        signatures = told["metadata"]["signature_def"]["signature_def"]
        assert set(signatures) == {
            f"serving_{way}{more}" for way in ("default", "bytes") for more in ("", "_confidence")
        }
        given = signatures["serving_bytes"]["inputs"]["encoded"]
        assert given["dtype"] == "DT_STRING"
        assert given["tensor_shape"] == {"dim": [{"size": "-1", "name": ""}], "unknown_rank": False}
        assert signatures["serving_bytes"]["method_name"] == "tensorflow/serving/predict"


def test_rows_are_answered_by_rows_and_columns_by_columns(toy):
    rows = toy.post(PREDICT, json={"instances": [PIXELS, PIXELS]}).json()["predictions"]
    assert [row["scene_probabilities"] for row in rows] == [[1.0, 0.0, 0.2]] * 2
    assert rows[0]["ground_classes"] == [[1, 1]]
    named = toy.post(PREDICT, json={"instances": [{"images": PIXELS}] * 2}).json()["predictions"]
    assert named == rows
    columns = toy.post(PREDICT, json={"inputs": [PIXELS, PIXELS]}).json()["outputs"]
    assert columns["scene_probabilities"] == [[1.0, 0.0, 0.2]] * 2
    assert toy.post(PREDICT, json={"inputs": {"images": [PIXELS, PIXELS]}}).json()["outputs"] == columns
    assert toy.post("/v1/models/street/versions/1:predict", json={"inputs": [PIXELS] * 2}).json()["outputs"] == columns


def test_pictures_in_base64_are_answered_and_a_broken_one_has_its_sentence(toy):
    content = [b64(servers.png(255, (6, 8))), b64(b"no picture"), b64(servers.png(0, (4, 10)))]
    asked = {"signature_name": "serving_bytes", "instances": content}
    told = toy.post(PREDICT, json=asked).json()["predictions"]
    assert [each["errors"] for each in told] == [
        "",
        "The picture cannot be read: its content is that of no known format.",
        "",
    ]
    assert [each["image_sizes"] for each in told] == [[6, 8], [0, 0], [4, 10]]
    assert [each["spots_count"] for each in told] == [1, 0, 1]
    assert told[0]["ground_classes"] == [[1] * 8 + [255] * 2] * 6
    asked = {
        "signature_name": "serving_bytes_confidence",
        "inputs": {"encoded": content, "confidence": [0.5, 0.5, 0.9]},
    }
    assert toy.post(PREDICT, json=asked).json()["outputs"]["spots_count"] == [1, 0, 0]


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("/v1/models/half:predict", "Servable not found for request: Latest(half)"),
        ("/v1/models/street/versions/7:predict", "Servable not found for request: Specific(street, 7)"),
    ],
)
def test_a_model_that_is_not_there_is_not_found(toy, path, sentence):
    answer = toy.post(path, json={"instances": [PIXELS]})
    assert (answer.status_code, answer.json()) == (404, {"error": sentence})


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("/v1/models/half", "Could not find any versions of model half"),
        ("/v1/models/street/versions/7", "Could not find version 7 of model street"),
        ("/v1/models/half/metadata", "Servable not found for request: Latest(half)"),
        ("/v1/nothing", "Malformed request: GET /v1/nothing"),
    ],
)
def test_a_status_that_is_not_there_is_not_found(toy, path, sentence):
    answer = toy.get(path)
    assert (answer.status_code, answer.json()) == (404, {"error": sentence})


def test_another_method_is_malformed(toy):
    for method, path in (("GET", PREDICT), ("POST", "/v1/models/street:classify"), ("DELETE", "/v1/models/street")):
        answer = toy.request(method, path)
        assert (answer.status_code, answer.json()) == (405, {"error": f"Malformed request: {method} {path}"})
        assert answer.headers["allow"]


MALFORMED = {
    "": "JSON Parse error: The document is empty",
    "{": "JSON Parse error: ",
    "[" * 100_000: "JSON Parse error: ",
    "\xff": "JSON Parse error: ",
    "[]": "Is not object",
    "{}": "Missing 'inputs' or 'instances' key",
    '{"instances": [], "inputs": []}': "expecting only one of 'inputs' or 'instances'",
    '{"instances": 1}': "Excepting 'instances' to be an list/array",
    '{"instances": []}': "No values in 'instances' array",
    '{"instances": [1], "signature_name": 3}': "'signature_name' key must be a string value",
    '{"instances": [1], "signature_name": "x"}': 'Serving signature name: "x" not found in signature def',
    '{"instances": [1], "wish": 3}': "The key 'wish' is none of signature_name, instances, inputs",
    '{"instances": [[[[300, 0, 0]]]]}': "not of 0 to 255",
    '{"instances": [[[[1.5, 0, 0]]]]}': "is not of expected type: uint8",
    '{"instances": [[[["a", 0, 0]]]]}': "is not of expected type: uint8",
    '{"instances": [[[[1, 0, 0]]], [[[1, 0]]]]}': "lists of different sizes",
    '{"instances": [[[[1, 0]]]]}': "has shape [1, 1, 1, 2]: expected [-1, -1, -1, 3]",
    '{"instances": [[]]}': "has an empty list",
    '{"instances": [1e999]}': "is not of expected type",
    '{"instances": [100000000000000000000000]}': "expected type",
    '{"instances": [{"pixels": [[[1, 0, 0]]]}]}': "keys must be equal to: images",
    '{"instances": [{"images": [[[1, 0, 0]]]}, 3]}': "Expecting object but got list at item 1",
    '{"inputs": {"pixels": 1}}': "Missing named input: images",
    '{"inputs": {"images": [[[[1, 0, 0]]]], "more": 1}}': "There is no input 'more'",
    '{"instances": [{"b64": "%"}], "signature_name": "serving_bytes"}': "Unable to base64 decode",
    '{"instances": [{"b": 1}], "signature_name": "serving_bytes"}': "keys must be equal to: encoded",
    '{"instances": ["a", ["b"]], "signature_name": "serving_bytes"}': "unexpected size",
    '{"instances": ["a"], "signature_name": "serving_bytes_confidence"}': "multiple input tensors required",
    '{"inputs": {"encoded": ["a"], "confidence": [1, 2]}, "signature_name": "serving_bytes_confidence"}': "rows",
}


@pytest.mark.parametrize("body", MALFORMED, ids=lambda body: body[:40])
def test_what_is_malformed_is_told(toy, body):
    answer = toy.post(PREDICT, content=body.encode("latin-1"))
    assert answer.status_code == 400
    assert set(answer.json()) == {"error"}
    assert MALFORMED[body] in answer.json()["error"]


def test_inputs_that_the_model_cannot_take_are_refused_without_its_words(toy, capfd):
    answer = toy.post(PREDICT, json={"instances": [[[[13, 13, 13]]]]})
    assert answer.status_code == 400
    assert answer.json() == {"error": "The model cannot run 'serving_default' of these inputs."}
    assert "unlucky" in capfd.readouterr().err


def test_numbers_are_those_of_float32_in_few_digits(toy):
    text = toy.post(PREDICT, json={"instances": [[[[0, 0, 51]]]]}).text
    assert "[0.0, 0.0, 0.2]" in text


@pytest.mark.parametrize("name", encoded.UNREADABLE)
def test_no_broken_picture_is_a_fault_of_the_server(toy, name):
    asked = {"signature_name": "serving_bytes", "instances": [b64(encoded.UNREADABLE[name][0])]}
    answer = toy.post(PREDICT, json=asked)
    assert answer.status_code == 200
    assert answer.json()["predictions"][0]["errors"].startswith("The picture ")
