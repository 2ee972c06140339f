"""A run folder that a report is made of."""

import json

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def run(tmp_path):
    run = tmp_path / "camvid-2"
    for name in ("plots/metrics.png", "plots/a curve.png", "plots/cars_AP.png", "samples/01.png"):
        (run / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(run / name)
    (run / "recipe.yaml").write_text("name: camvid\ndata: {source: <b>R&D</b>}\n")
    (run / "history.csv").write_text(
        "epoch,cars_loss,loss,val_score,val_cars_AP,weight/cars\n1,2,2,0.25,0.1,1\n2,1.5,2,,,1\n3,1.4,1,0.75,0.24,1\n"
    )
    metrics = {"validation": {"cars": {"AP": 0.24, "AP75": None, "AP/van": 0.11}}, "test": {"cars": {"AP": 0.2}}}
    (run / "metrics.json").write_text(json.dumps(metrics | {"seconds": 725.2, "parameters": 3712345}))
    return run
