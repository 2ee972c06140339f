"""All that is made of a comparison's figures: tables and the page, in its folder."""

from pathlib import Path

from visionmtl import csvfile
from visionmtl.comparison.verdicts import latex, markdown, page, spreadsheet, terminal
from visionmtl.comparison.verdicts.judging import judge
from visionmtl.comparison.verdicts.reading import read
from visionmtl.files import write_text


def write(folder: str | Path) -> str:
    """Write what a comparison shows into its folder, and return its table and verdicts for the terminal.

    From `comparison.json` come `comparison.csv`, which has every figure, `comparison.md`, `comparison.tex` and the page
    `comparison.html`, which has the charts and needs none of the others. What is not trained yet is told.

    Raises:
        UsageError: `comparison.json` is not there, not whole, or lacks something.
    """
    folder = Path(folder)
    judgement = judge(read(folder))
    csvfile.write(folder / "comparison.csv", spreadsheet.rows(judgement))
    write_text(folder / "comparison.md", markdown.text(judgement))
    write_text(folder / "comparison.tex", latex.text(judgement))
    write_text(folder / "comparison.html", page.text(judgement))
    return terminal.text(judgement)
