"""What those ask who watch a server: whether it lives and is ready, and its counts."""

from typing import Any

from fastapi import APIRouter, Response

from visionmtl.serving.metrics import FORM
from visionmtl.serving.refusals import RequestError
from visionmtl.serving.web import forms
from visionmtl.serving.web.state import State


def router(state: State) -> APIRouter:
    """Return the routes of health and metrics."""
    own = APIRouter(tags=["Watching"])

    def told() -> dict[str, Any]:
        version = state.versions.current
        about = {"model": state.versions.name, "version": version.number, "runtime": version.name}
        return {"live": True, "ready": not state.stopping and state.desk.line.running, **about}

    @own.get("/health", response_model=forms.Health, responses=forms.refusals())
    @own.get("/health/live", response_model=forms.Health, responses=forms.refusals())
    async def live() -> dict[str, Any]:
        """Whether the server runs: it does if it answers."""
        return told()

    @own.get("/health/ready", response_model=forms.Health, responses=forms.refusals(503))
    async def ready() -> dict[str, Any]:
        """Whether the server takes requests."""
        said = told()
        if not said["ready"]:
            raise RequestError(503, "The server is stopping.")
        return said

    @own.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}, **forms.refusals()})
    async def metrics() -> Response:
        """The counts of the server, as Prometheus reads them."""
        return Response(state.metrics.text(), headers={"Content-Type": FORM})

    return own
