"""The charts and the table of an affinity, where there is little to draw."""

import numpy as np
import pytest
from affinity_records import record

from visionmtl.comparison.affinity import charts, figures


def small(factor):
    """Figures whose look-ahead affinities are so many times smaller."""
    made = record()
    return figures.figures({0: made._replace(lookahead=made.lookahead * factor)}, 2)


@pytest.mark.parametrize(("factor", "shown"), [(1.0, "+20."), (1e-4, "+0.0020"), (1e-6, "+0.000020")])
def test_what_a_small_learning_rate_brings_is_told_by_digits_that_count(factor, shown):
    found = small(factor)
    assert charts.verdicts(found)[0][2].startswith(shown)
    texts = [text.get_text() for text in charts.matrix(found, "lookahead").axes[0].texts]
    assert any(float(text) > 0.1 * factor for text in texts if text)


@pytest.mark.filterwarnings("error")
def test_what_says_nothing_is_not_drawn_and_all_that_is_names_its_split(tmp_path, monkeypatch):
    drawn, write = [], charts.write
    monkeypatch.setattr(charts, "write", lambda figure, path: drawn.append(figure) or write(figure, path))
    two = record(["classification", "segmentation"])
    found = figures.figures({0: two}, 2)
    assert {path.stem for path in charts.write_all(tmp_path, found, {0: two})} == {*figures.SCORES, "levels"}
    apart = record(common=0.0)
    apart.both[:] = np.diag(np.diag(apart.both))
    found = figures.figures({0: apart}, 2)
    assert {path.stem for path in charts.write_all(tmp_path, found, {0: apart})} == set(figures.SCORES)
    assert {figure.get_supxlabel() for figure in drawn} == {"measured on batches of training"}
