"""All that is made of a comparison's figures: tables, charts and the page, in its folder."""

from pathlib import Path

from visionmtl import csvfile
from visionmtl.comparison.verdicts import spreadsheet, terminal
from visionmtl.comparison.verdicts.judging import judge
from visionmtl.comparison.verdicts.reading import read


def write(folder: str | Path) -> str:
    """Write what a comparison shows into its folder, and return its table and verdicts for the terminal.

    From `comparison.json` come `comparison.csv`. Cells that are not trained yet are said to be; what
    is there is shown.

    Raises:
        UsageError: `comparison.json` is not there, not whole, or lacks something.
    """
    folder = Path(folder)
    judgement = judge(read(folder))
    csvfile.write(folder / "comparison.csv", spreadsheet.rows(judgement))
    return terminal.text(judgement)
