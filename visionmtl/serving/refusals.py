"""A request that is not answered as it was meant: a status of HTTP and one sentence, which holds no path."""

import math


class RequestError(Exception):
    """Why a request is refused.

    Args:
        status: of HTTP.
        sentence: for who asked.
        headers: of the answer.
    """

    def __init__(self, status: int, sentence: str, headers: dict[str, str] | None = None):
        super().__init__(sentence)
        self.status, self.sentence, self.headers = status, sentence, headers or {}


def busy(seconds: float) -> RequestError:
    """Return the refusal of what no more can wait, to be tried again in some seconds."""
    wait = max(1, math.ceil(seconds))
    sentence = f"The server has as much to do as it takes: try again in {wait} s."
    return RequestError(429, sentence, {"Retry-After": str(wait)})


def late(seconds: float) -> RequestError:
    """Return the refusal of what has taken too long."""
    return RequestError(504, f"There was no answer within {seconds:g} s: send fewer or smaller pictures, or try again.")
