"""What a run has to show: its page, its plots, tables, and the diagram of a model.

From outside come `write`, which makes a run's page, `compare`, which makes one of several runs, `grids`, `measured`,
`plots`, `tables` and `templates`. A new plot is one file in `plots/`; every page is filled into a template of `web/`,
which `page.css` dresses and `page.js` draws on, by uPlot: lines with `lines.js`, points with `points.js`.
"""

from visionmtl.report.comparison import compare
from visionmtl.report.page import write

__all__ = ["compare", "write"]
