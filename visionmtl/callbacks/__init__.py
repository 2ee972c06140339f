"""What watches a training; one file a callback.

From outside come the callbacks, to be used in any `model.fit`, and `of_session`, which makes all that a recipe's
training has. A new one is a file with a subclass of `callback.Callback` (`learning_rate.py` is a short neighbour).
"""

from collections.abc import Sequence
from typing import Any

from pipelines import discovery
from visionmtl.callbacks.callback import Callback, Session

CALLBACKS = discovery.classes(__name__, Callback)
_BY_NAME = {kind.__name__: kind for kind in CALLBACKS.values()}

__all__ = ["Callback", "Session", "of_session"]


def of_session(session: Session, further: Sequence[Callback] = ()) -> list[Callback]:
    """Return what watches a session of training, and `further` callbacks, in the order of their priorities."""
    kinds = [kind for kind in CALLBACKS.values() if session.workers.is_chief or not kind.of_chief]
    own = [callback for kind in kinds for callback in kind.of_session(session)]
    session.watchers[:] = sorted([*own, *further], key=lambda callback: callback.priority)
    return session.watchers


def __getattr__(name: str) -> Any:
    if name not in _BY_NAME:
        raise AttributeError(f"module 'visionmtl.callbacks' has no attribute '{name}'")
    return _BY_NAME[name]


def __dir__() -> list[str]:
    return sorted([*__all__, *_BY_NAME])
