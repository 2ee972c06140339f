"""Pictures sent as they are, and what is told of them."""

import base64
import io

import encoded
import numpy as np
import pytest
import servers
from PIL import Image

NO_PICTURE = "The picture cannot be read: its content is that of no known format."


def test_a_picture_as_the_body_is_told_of(toy):
    answer = toy.post("/predict", content=servers.png((255, 0, 51), (6, 8)))
    assert answer.status_code == 200
    said = answer.json()
    assert (said["model"], said["version"]) == ("street", 1)
    (picture,) = said["pictures"]
    assert (picture["width"], picture["height"]) == (8, 6)
    assert picture["predictions"]["scene"] == {"red": 1.0, "green": 0.0, "blue": 0.2}
    assert picture["objects"] == {"spots": [{"class": "dog", "bbox": [0, 0, 4, 3], "score": 0.75}]}
    mask = picture["predictions"]["ground"]
    assert mask["media_type"] == "image/png"
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(base64.b64decode(mask["b64"])))), np.ones((6, 8)))
    depth = np.load(io.BytesIO(base64.b64decode(picture["predictions"]["range"]["b64"])))
    assert np.array_equal(depth, np.zeros((6, 8)))


def test_the_type_that_curl_gives_a_body_is_no_form(toy):
    headers = {"content-type": "application/x-www-form-urlencoded"}
    assert toy.post("/predict", content=servers.png(9), headers=headers).status_code == 200


def test_several_pictures_of_a_form_are_told_of_in_their_order_and_one_that_is_broken_in_its_place(toy):
    files = [("picture", ("a.png", servers.png(255, (6, 8)))), ("picture", ("b.jpg", b"no picture"))]
    files += [("other", ("c.png", servers.png(0, (20, 10))))]
    said = toy.post("/predict", files=files).json()["pictures"]
    assert [each["file_name"] for each in said] == ["a.png", "b.jpg", "c.png"]
    assert said[1] == {
        "file_name": "b.jpg",
        "error": "The picture cannot be read: its content is that of no known format.",
    }
    assert [said[row]["predictions"]["scene"]["red"] for row in (0, 2)] == [1.0, 0.0]
    assert [(said[row]["height"], said[row]["width"]) for row in (0, 2)] == [(6, 8), (20, 10)]


def test_a_confidence_is_that_of_the_request(toy):
    picture = servers.png(255)
    found = [
        len(toy.post(f"/predict?confidence={least}", content=picture).json()["pictures"][0]["objects"]["spots"])
        for least in (0.7, 0.8)
    ]
    assert found == [1, 0]


@pytest.mark.parametrize(
    ("asked", "status", "sentence"),
    [
        ({"content": b""}, 400, "There is no picture"),
        ({"content": b"{}", "headers": {"content-type": "application/json"}}, 415, "/v1/models/street:predict"),
        ({"files": {"picture": (None, "text")}}, 400, "field"),
        ({"content": b"x", "params": {"confidence": "much"}}, 400, "'confidence' is not as it must be"),
        ({"content": b"x", "params": {"confidence": "nan"}}, 400, "'confidence' is not as it must be"),
        ({"content": b"x", "params": {"confidenze": "0.5"}}, 400, "no option 'confidenze'"),
        ({"content": b"x", "headers": {"content-type": "multipart/form-data"}}, 400, "boundary"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_a_sentence(toy, asked, status, sentence):
    answer = toy.post("/predict", **asked)
    assert answer.status_code == status
    assert sentence in answer.json()["error"]


BROKEN = {name: content for name, (content, _) in encoded.UNREADABLE.items()}
BROKEN |= {f"cut after {length}": encoded.JPEG[:length] for length in (1, 2, 3, 20, 160, 300)}
BROKEN |= {f"png with {number} set": encoded.PNG[:number] + b"\xff" + encoded.PNG[number + 1 :] for number in range(16)}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_picture_is_a_sentence_and_no_fault_of_the_server(toy, name):
    answer = toy.post("/predict", content=BROKEN[name] or b" ")
    assert answer.status_code == 400
    told = answer.json()["error"]
    assert told.startswith("The picture ")
    assert told.endswith(".")
    assert not any(sign in told for sign in ("/tmp", ".py", "0x", "Traceback"))


def test_labels_have_the_colours_of_the_classes(toy):
    tasks = toy.get("/labels").json()["tasks"]
    assert tasks["spots"]["classes"] == ["cat", "dog"]
    assert set(tasks["spots"]["colours"]) == {"cat", "dog"}
    assert tasks["range"] == {"kind": "depth", "classes": [], "colours": {}}
