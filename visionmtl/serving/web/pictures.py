"""`POST /predict`: pictures as they are, in the body or in a form, and what is told of them."""

import asyncio
import json
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Query, Request, Response
from starlette.datastructures import UploadFile

from visionmtl import drawing
from visionmtl.serving import records, rows
from visionmtl.serving.refusals import RequestError
from visionmtl.serving.version import Version
from visionmtl.serving.web import forms
from visionmtl.serving.web.state import State

FORM = "multipart/form-data"
CONFIDENCE = "confidence"
QUICK = 50_000  # pixels of which to tell takes less than to have another thread tell
FIELD = 64  # bytes of a field of a form that is no picture
BINARY = {"schema": {"type": "string", "format": "binary"}}
FIELDS = {
    "type": "object",
    "properties": {
        "picture": {"type": "array", "minItems": 1, "items": {"type": "string", "format": "binary"}},
    },
    "required": ["picture"],
    "additionalProperties": False,
}
BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": BINARY, "image/*": BINARY, FORM: {"schema": FIELDS}},
    }
}


def router(state: State) -> APIRouter:
    """Return the routes of pictures and of what is told of them."""
    own = APIRouter(tags=["Pictures"])

    @own.get("/labels", response_model=forms.Labels, responses=forms.refusals())
    async def labels() -> dict[str, Any]:
        """The tasks, their classes and colours."""
        version = state.versions.current
        painted = drawing.shared({name: task["classes"] for name, task in version.labels.items()})
        tasks = {
            name: {
                "kind": task.get("kind", ""),
                "classes": task["classes"],
                "colours": {each: _code(colour) for each, colour in painted[name].items()},
            }
            for name, task in version.labels.items()
        }
        return {"model": state.versions.name, "version": version.number, "runtime": version.name, "tasks": tasks}

    @own.post(
        "/predict",
        response_model=forms.Pictures,
        response_model_exclude_none=True,
        responses=forms.refusals(400, 415),
        openapi_extra=BODY,
    )
    async def predict(request: Request, confidence: Annotated[float | None, Query(ge=0, le=1)] = None) -> Response:
        """Tell of one picture, or of several in a form; `confidence` is the least score of objects."""
        if strange := sorted(set(request.query_params) - {CONFIDENCE}):
            raise RequestError(400, f"There is no option '{strange[0][:FIELD]}': expected {CONFIDENCE}.")
        sent = await _sent(request)
        version = state.versions.current
        contents = np.empty(len(sent), np.object_)
        contents[:] = [content for _, content in sent]
        signature, inputs = "serving_bytes", {"encoded": contents}
        if confidence is not None:
            signature += f"_{CONFIDENCE}"
            if signature not in version.runtime.signatures:
                finds = any(name.endswith("_boxes") for name in version.runtime.signatures["serving_bytes"].outputs)
                why = f"'{version.name}' takes none with a picture" if finds else "no task of the model finds objects"
                raise RequestError(400, f"A confidence was given, and {why}: leave it out.")
            inputs[CONFIDENCE] = np.full(len(sent), confidence, np.float32)
        outputs = await state.desk.ask(version, signature, inputs)
        if all(outputs[rows.ERRORS]):
            raise RequestError(400, outputs[rows.ERRORS][0])
        given = (state, version, sent, outputs)
        quick = int(outputs[rows.SIZES].prod(axis=1).sum()) <= QUICK
        return Response(
            _told(*given) if quick else await asyncio.to_thread(_told, *given), media_type="application/json"
        )

    return own


def _told(state: State, version: Version, sent: list[tuple[str | None, bytes]], outputs: records.Arrays) -> bytes:
    """Return what is told of the pictures of a request, as JSON."""
    told = []
    for row, (name, _) in enumerate(sent):
        named = {} if name is None else {"file_name": name}
        told.append(named | records.record(outputs, row, version.labels))
    document = {"model": state.versions.name, "version": version.number, "pictures": told}
    return json.dumps(document).encode()


async def _sent(request: Request) -> list[tuple[str | None, bytes]]:
    """Return the pictures of a request, each with its name where it has one.

    Raises:
        RequestError: there is none, or something beside them.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        path = f"/v1/models/{request.app.title}:predict"
        raise RequestError(415, f"JSON is taken by {path}: send a picture here, as the body or as a file of a form.")
    if kind != FORM:
        content = await request.body()
        if not content:
            raise RequestError(400, "There is no picture: send one as the body or as a file of a form.")
        return [(None, content)]
    found = list[tuple[str | None, bytes]]()
    async with request.form(max_fields=0, max_part_size=FIELD) as form:
        for name, value in form.multi_items():
            if not isinstance(value, UploadFile):
                raise RequestError(400, f"The field '{name[:FIELD]}' of the form is no file: send each picture as one.")
            found.append((value.filename or None, await value.read()))
    if not found:
        raise RequestError(400, "The form has no picture: send each as a file of it.")
    return found


def _code(colour: tuple[int, int, int] | None) -> str | None:
    return None if colour is None else "#{:02X}{:02X}{:02X}".format(*colour)
