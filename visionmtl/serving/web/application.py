"""All routes of a server as one application."""

from importlib.resources import files
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.exceptions import HTTPException

import visionmtl
from visionmtl.serving.web import pictures, rest, watching
from visionmtl.serving.web.gate import Gate
from visionmtl.serving.web.state import State

# The page is one file, talks to its own server alone, and lies in no other page.
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:;"
    " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def application(state: State) -> FastAPI:
    """Return the application of a server."""
    app = FastAPI(
        title=state.versions.name,
        version=visionmtl.__version__,
        summary="Pictures in; labels, boxes and masks out.",
        docs_url=None,  # its page would fetch scripts from elsewhere
        redoc_url=None,
    )
    app.add_middleware(Gate, limits=state.limits, metrics=state.metrics)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    for part in (pictures, rest, watching):
        app.include_router(part.router(state))
    app.openapi = lambda: _described(app)  # type: ignore[method-assign]
    page = files("visionmtl.serving.web").joinpath("page.html").read_text(encoding="utf-8")

    @app.get("/", include_in_schema=False)
    async def root() -> Response:
        return HTMLResponse(page, headers={"Content-Security-Policy": POLICY})

    return app


def _described(app: FastAPI) -> dict[str, Any]:
    """Return OpenAPI without the answer of 422 that FastAPI adds: ours is 400."""
    if app.openapi_schema is None:
        made = get_openapi(title=app.title, version=app.version, summary=app.summary, routes=app.routes)
        for operation in (each for path in made["paths"].values() for each in path.values()):
            operation["responses"].pop("422", None)
        for name in ("HTTPValidationError", "ValidationError"):
            made["components"]["schemas"].pop(name, None)
        app.openapi_schema = made
    return app.openapi_schema


def _refused(request: Request, error: Any) -> Response:
    """Answer for a route that is not there, or takes another method, in the words of TensorFlow Serving."""
    asked = f"{request.method} {request.url.path}"
    words = {404: f"There is nothing at {asked}", 405: f"The method is not allowed: {asked}"}
    if request.url.path.startswith("/v1/"):
        words = dict.fromkeys(words, f"Malformed request: {asked}")
    sentence = words.get(error.status_code, str(error.detail))
    return JSONResponse({"error": sentence}, error.status_code, headers=error.headers)


def _invalid(request: Request, error: Any) -> Response:
    """Answer for an option, or a part of a path, that is not of its type."""
    first = error.errors()[0]
    return JSONResponse({"error": f"'{first['loc'][-1]}' is not as it must be: {first['msg']}."}, 400)
