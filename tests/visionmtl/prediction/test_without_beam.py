"""Without Apache Beam there is a sentence that says how to get it."""

import pytest

from visionmtl.errors import UsageError
from visionmtl.prediction import beam
from visionmtl.prediction.beam import needed


@pytest.mark.parametrize(
    "call",
    [
        lambda: beam.predict("saved_models/street", ["photographs"], "out"),
        lambda: beam.Predict("saved_models/street", "out"),
        lambda: beam.Write("out", 1),
    ],
)
def test_what_is_missing_is_told(monkeypatch, call):
    monkeypatch.setattr(needed, "beam", None)
    with pytest.raises(UsageError, match=r"pip install 'visionmtl\[beam\]'"):
        call()
