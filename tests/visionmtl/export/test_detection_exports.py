"""What may be chosen of a detection is exported in every format, and says what the model says."""

import onnx
import pytest
import toys
from shown import pictures, spread

from visionmtl import export
from visionmtl.tasks import Detection

ALL = {"quality": True, "towers": "apart", "extra_levels": 1}


@pytest.mark.slow
@pytest.mark.parametrize("end_to_end", [False, True])
def test_every_format_says_what_the_model_says(tmp_path, end_to_end):
    model = spread(toys.model([Detection("objects", ["cat", "dog"], end_to_end=end_to_end, **ALL)]))
    shown = [pictures((1, *size, 3))[0] for size in [(50, 71), (32, 32)]]
    version = export.save(model, tmp_path, format="savedmodel,onnx,litert", pictures=shown)
    graph = onnx.load(version / "model.onnx").graph
    inner = [inner.op_type for each in graph.node for a in each.attribute for inner in a.g.node]
    kinds = {node.op_type for node in graph.node} | {*inner}
    assert ("NonMaxSuppression" in kinds) != end_to_end
    assert not [each.name for each in graph.initializer if "many" in each.name]
