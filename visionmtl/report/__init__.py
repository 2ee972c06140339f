"""What a run has to show: its page, its plots, tables, and the diagram of a model.

From outside come `write`, which makes the page, `document`, `measured`, `plots` and `tables`. A new plot is one file in
`plots/`; the page is filled into `web/run.html`, which `web/page.css` dresses and `web/page.js` draws on, by uPlot.
"""

from visionmtl.report.page import write

__all__ = ["write"]
