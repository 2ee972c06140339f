"""TensorFlow Serving's REST interface: the same paths, requests, answers and sentences."""

import asyncio
import json
import traceback
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi import Path as InPath

from visionmtl.serving import tensors
from visionmtl.serving.refusals import RequestError
from visionmtl.serving.runtimes.runtime import Signature, Tensor
from visionmtl.serving.version import Version
from visionmtl.serving.versions import State as VersionState
from visionmtl.serving.web.forms import refusals
from visionmtl.serving.web.state import State

JSON = "application/json"
INPUT: dict[str, Any] = {"description": "A tensor as nested lists; encoded pictures as {'b64': ...}"}
BODY = {
    "requestBody": {
        "required": True,
        "content": {
            JSON: {
                "schema": {
                    "type": "object",
                    "properties": {
                        "signature_name": {"type": "string", "default": tensors.DEFAULT},
                        "instances": {"type": "array", "minItems": 1, "items": INPUT},
                        "inputs": INPUT,
                    },
                    "oneOf": [{"required": ["instances"]}, {"required": ["inputs"]}],
                    "additionalProperties": False,
                },
                "example": {"signature_name": "serving_bytes", "instances": [{"b64": "..."}]},
            }
        },
    }
}
LARGEST = (1 << 63) - 1  # of a version


def router(state: State) -> APIRouter:
    """Return the routes beneath `/v1/models`."""
    own = APIRouter(tags=["TensorFlow Serving"])
    models = state.versions
    name_of = InPath(description="The model", json_schema_extra={"enum": [models.name]})
    number_of = InPath(ge=0, le=LARGEST, json_schema_extra={"examples": [models.current.number]})

    def chosen(name: str, number: int | None) -> Version:
        version = models.current
        if name != models.name or number not in (None, version.number):
            asked = f"Latest({name})" if number is None else f"Specific({name}, {number})"
            raise RequestError(404, f"Servable not found for request: {asked}")
        return version

    @own.get("/v1/models/{name}", responses=refusals(404))
    async def status(name: str = name_of) -> Response:
        """The states of all versions."""
        if name.endswith(":predict"):
            raise RequestError(405, f"Malformed request: GET /v1/models/{name}", {"Allow": "POST"})
        return _states(
            dict(models.states) if name == models.name else {}, f"Could not find any versions of model {name}"
        )

    @own.get("/v1/models/{name}/versions/{number}", responses=refusals(400, 404))
    async def status_of(name: str = name_of, number: int = number_of) -> Response:
        """The state of a version."""
        known = {number: models.states[number]} if name == models.name and number in models.states else {}
        return _states(known, f"Could not find version {number} of model {name}")

    @own.get("/v1/models/{name}/metadata", responses=refusals(404))
    async def metadata(name: str = name_of) -> Response:
        """The signatures of the newest version."""
        return _metadata(name, chosen(name, None))

    @own.get("/v1/models/{name}/versions/{number}/metadata", responses=refusals(400, 404))
    async def metadata_of(name: str = name_of, number: int = number_of) -> Response:
        """The signatures of a version."""
        return _metadata(name, chosen(name, number))

    @own.post("/v1/models/{name}:predict", responses=refusals(400, 404), openapi_extra=BODY)
    async def predict(request: Request, name: str = name_of) -> Response:
        """Predict with the newest version."""
        return await _predicted(request, state, chosen(name, None))

    @own.post("/v1/models/{name}/versions/{number}:predict", responses=refusals(400, 404), openapi_extra=BODY)
    async def predict_of(request: Request, name: str = name_of, number: int = number_of) -> Response:
        """Predict with a version."""
        return await _predicted(request, state, chosen(name, number))

    return own


async def _predicted(request: Request, state: State, version: Version) -> Response:
    body = await request.body()
    asked = await asyncio.to_thread(tensors.request, body, version.runtime.signatures)
    try:
        outputs = await state.desk.ask(version, asked.signature, asked.inputs)
    except (RequestError, TimeoutError):
        raise
    except Exception:  # of the runtime: the inputs are of the right form, and the model cannot take them
        traceback.print_exc()
        raise RequestError(400, f"The model cannot run '{asked.signature}' of these inputs.") from None
    return Response(await asyncio.to_thread(tensors.answer, outputs, asked.by_rows), media_type=JSON)


def _states(states: dict[int, VersionState], nothing: str) -> Response:
    if not states:
        raise RequestError(404, nothing)
    told = [
        {
            "version": str(number),
            "state": each.state,
            "status": {"error_code": each.code, "error_message": each.message},
        }
        for number, each in sorted(states.items(), reverse=True)
    ]
    return _json({"model_version_status": told})


def _metadata(name: str, version: Version) -> Response:
    spec = {"name": name, "signature_name": "", "version": str(version.number)}
    signatures = {key: _signature(each) for key, each in version.runtime.signatures.items()}
    return _json({"model_spec": spec, "metadata": {"signature_def": {"signature_def": signatures}}})


def _signature(signature: Signature) -> dict[str, Any]:
    sides = {"inputs": signature.inputs, "outputs": signature.outputs}
    told: dict[str, Any] = {side: {key: _tensor(each) for key, each in own.items()} for side, own in sides.items()}
    return told | {"method_name": "tensorflow/serving/predict", "defaults": {}}


def _tensor(tensor: Tensor) -> dict[str, Any]:
    sizes = [{"size": str(size), "name": ""} for size in tensor.shape or ()]
    shape = {"dim": sizes, "unknown_rank": tensor.shape is None}
    return {"dtype": tensor.type, "tensor_shape": shape, "name": tensor.name}


def _json(document: Any) -> Response:
    return Response(json.dumps(document, indent=1) + "\n", media_type=JSON)
