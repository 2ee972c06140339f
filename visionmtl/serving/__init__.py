"""An exported model behind HTTP: TensorFlow Serving's REST interface, pictures as they are, and a page to try it on.

From outside come `serve`, `Limits` and `check`. What runs a model is a file in `runtimes/`, a route one in `web/`;
neither Keras nor a model of ours is in memory.
"""

from importlib.util import find_spec
from typing import Any

from visionmtl.errors import UsageError
from visionmtl.serving.limits import Limits

NEEDS = ("fastapi", "uvicorn", "python_multipart", "prometheus_client")

__all__ = ["Limits", "check", "serve"]


def check() -> None:
    """Refuse to serve where a package of the extra `serve` is not installed.

    Raises:
        UsageError: one is not.
    """
    if missing := next((module for module in NEEDS if find_spec(module) is None), None):
        raise UsageError(f"Serving needs the package {missing}, which is not there: pip install 'visionmtl[serve]'.")


def serve(*args: Any, **options: Any) -> None:
    """Serve a model until a signal asks to stop; `server.serve` says what is given."""
    check()
    from visionmtl.serving import server

    server.serve(*args, **options)
