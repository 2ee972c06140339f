"""The shapes of answers, as `/openapi.json` tells them."""

from typing import Any

from pydantic import BaseModel, Field


class Told(BaseModel):
    """Why a request is refused."""

    error: str


class Health(BaseModel):
    """Whether the server runs, and whether it takes requests."""

    live: bool
    ready: bool
    model: str
    version: int
    runtime: str


class Task(BaseModel):
    """A task of the model, its classes and the colours in which the page draws them; null where it paints none."""

    kind: str
    classes: list[str]
    colours: dict[str, str | None]


class Labels(BaseModel):
    """What the model tells of a picture."""

    model: str
    version: int
    runtime: str
    tasks: dict[str, Task]


class Object(BaseModel):
    """An object: x, y, width and height in pixels of the picture as it is shown."""

    name: str = Field(alias="class")
    bbox: list[float]
    score: float


class Picture(BaseModel):
    """What is told of a picture; of one that cannot be read, `error` alone."""

    file_name: str | None = None
    error: str | None = None
    width: int | None = None
    height: int | None = None
    predictions: dict[str, Any] | None = None
    objects: dict[str, list[Object]] | None = None


class Pictures(BaseModel):
    """What is told of the pictures of a request, in their order."""

    model: str
    version: int
    pictures: list[Picture]


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return what a route says of its refusals, and of those that every route may have."""
    words = {
        400: "it cannot be asked so",
        404: "there is no such model or version",
        405: "the route has another method",
        408: "the request came too slowly",
        413: "too many bytes, pixels or pictures",
        415: "the body is of another form",
        429: "as much waits as may: come again after Retry-After seconds",
        500: "a fault of the server",
        503: "not ready",
        504: "it took too long",
    }
    return {status: {"model": Told, "description": words[status]} for status in (*statuses, 408, 413, 429, 500, 504)}
