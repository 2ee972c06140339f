"""What a run has to show: its page, its plots, tables, and the diagram of a model.

From outside come `write`, which makes a run's page, `compare`, which makes one of several runs, `document`, `measured`,
`plots` and `tables`. A new plot is one file in `plots/`; the pages are filled into `web/run.html` and `web/runs.html`,
which `web/page.css` dresses and `web/page.js` draws on, by uPlot.
"""

from visionmtl.report.comparison import compare
from visionmtl.report.page import write

__all__ = ["compare", "write"]
