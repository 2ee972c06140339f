"""What every request passes: limits on bytes and time, counts, and an answer in JSON whatever goes wrong."""

import asyncio
import json
import sys
import time
import traceback
from typing import Any

from starlette.requests import ClientDisconnect

from visionmtl.serving.limits import WAITING_BODIES, Limits
from visionmtl.serving.metrics import Metrics
from visionmtl.serving.refusals import RequestError, busy, late

FAULT = "The server has failed, and its log says how: try another picture, or tell who runs it."
OTHER = "other"  # the route of what is none
GONE = 499  # what servers count where nobody waits for an answer any more
HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)


class Gate:
    """The outermost layer of a server.

    Args:
        app: behind it.
        limits: of the server.
        metrics: of the server.
    """

    def __init__(self, app: Any, limits: Limits, metrics: Metrics):
        self.app, self.limits, self.metrics = app, limits, metrics
        self.held = 0  # bytes of bodies in memory
        self.flying = 0  # requests

    async def __call__(self, scope: dict, receive: Any, send: Any) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        passage = _Passage(self, receive, send)
        began, self.flying = time.monotonic(), self.flying + 1
        try:
            await self._answered(scope, passage)
        finally:
            self.flying -= 1
            self.held -= passage.held
            route = getattr(scope.get("route"), "path_format", OTHER)
            self.metrics.requests.labels(route, str(passage.status)).inc()
            self.metrics.seconds.labels(route).observe(time.monotonic() - began)

    async def _answered(self, scope: dict, passage: "_Passage") -> None:
        try:
            async with asyncio.timeout(self.limits.seconds) as timeout:
                passage.timeout = timeout
                length = dict(scope["headers"]).get(b"content-length", b"0")
                if length.isdigit() and int(length) > self.limits.body:
                    raise self.too_long()
                await self.app(scope, passage.receive, passage.send)
        except RequestError as refusal:
            await passage.refuse(refusal)
        except ClientDisconnect:
            passage.status = passage.status or GONE
        except TimeoutError:
            await passage.refuse(late(self.limits.seconds) if passage.whole else self._slow())
        except Exception:
            traceback.print_exc(file=sys.stderr)
            await passage.refuse(RequestError(500, FAULT))

    def too_long(self) -> RequestError:
        """Return the refusal of a body of too many bytes."""
        return RequestError(413, f"The request has more than {self.limits.body:,} bytes, the limit: send less at once.")

    def _slow(self) -> RequestError:
        return RequestError(
            408, f"The request was not there within {self.limits.seconds:g} s.", {"Connection": "close"}
        )


class _Passage:
    """One request on its way in, and its answer on the way out."""

    def __init__(self, gate: Gate, receive: Any, send: Any):
        self.gate, self._receive, self._send = gate, receive, send
        self.timeout: asyncio.Timeout | None = None
        self.status, self.held = 0, 0
        self.whole = False  # whether all of the request is here

    async def receive(self) -> dict:
        """Return the next part of the request.

        Raises:
            RequestError: it is too long, or too much is held already.
        """
        message: dict = await self._receive()
        if message["type"] != "http.request":
            return message
        size = len(message.get("body", b""))
        self.held += size
        self.gate.held += size
        self.whole = not message.get("more_body", False)
        if self.held > self.gate.limits.body:
            raise self.gate.too_long()
        if self.gate.held > WAITING_BODIES * self.gate.limits.body:
            raise busy(1)
        return message

    async def send(self, message: dict) -> None:
        """Send a part of the answer; once it has begun, it may take as long as who asked takes to read it."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            if self.status >= 400:
                await self._drain()
            if self.timeout is not None and not self.timeout.expired():
                self.timeout.reschedule(None)
            message = message | {"headers": [*message["headers"], *HEADERS]}
        await self._send(message)

    async def refuse(self, refusal: RequestError) -> None:
        """Answer by a sentence, unless an answer has begun."""
        if self.status:
            return
        body = json.dumps({"error": refusal.sentence}).encode()
        headers = {"Content-Type": "application/json", "Content-Length": str(len(body)), **refusal.headers}
        raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        self.timeout = None
        await self.send({"type": "http.response.start", "status": refusal.status, "headers": raw})
        await self.send({"type": "http.response.body", "body": body})

    async def _drain(self) -> None:
        """Read what is still being sent, up to a limit: who sends reads no answer before."""
        left = self.gate.limits.body
        try:
            async with asyncio.timeout(1.0):
                while not self.whole and left > 0:
                    message = await self._receive()
                    left -= len(message.get("body", b""))
                    self.whole = message["type"] != "http.request" or not message.get("more_body", False)
        except TimeoutError:
            pass
