"""Half precision trains to the loss of float32."""

import keras
import numpy as np
import pytest
from cases import few
from scoped_models import model_of, table

BALANCING = {"together": "uncertainty", "apart": {"method": "cagrad", "scope": "features"}}


@pytest.mark.slow
@pytest.mark.parametrize("way", few(BALANCING, keep=["apart"]))
def test_every_precision_trains_to_the_same_loss(way):
    found = {}
    for policy in ("float32", "mixed_bfloat16", "mixed_float16"):
        keras.config.set_dtype_policy(policy)
        try:
            model = model_of(BALANCING[way], rate=0.05)
        finally:
            keras.config.set_dtype_policy("float32")
        scaled = isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer)
        assert scaled == (policy == "mixed_float16")
        x, labels = table()
        losses = model.fit(x, labels, 8, 15, shuffle=False, verbose=0).history
        found[policy] = [[losses[f"{task}_loss"][epoch] for task in "abc"] for epoch in (0, -1)]
        assert {variable.dtype for variable in model.trainable_variables} == {"float32"}
    first, last = np.array(found["float32"])
    assert last.sum() < 0.5 * first.sum()
    for policy in ("mixed_bfloat16", "mixed_float16"):
        np.testing.assert_allclose(np.sum(found[policy][-1]), last.sum(), rtol=0.1)
