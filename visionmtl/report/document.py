"""An HTML page: its style, its frame, sections and tables."""

import html
from collections.abc import Iterable, Sequence
from typing import Any

from visionmtl.report import tables

STYLE = """
:root { color-scheme: light; }
body { max-width: 1120px; margin: 0 auto; padding: 2rem 1.5rem 4rem; color: #212529; background: #fff;
  font: 15px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
h1 { margin: 0 0 .2rem; font-size: 1.9rem; letter-spacing: -.01em; }
h2 { margin: 2.6rem 0 .8rem; padding-bottom: .3rem; border-bottom: 1px solid #dee2e6; font-size: 1.2rem; }
p.none { color: #6c757d; }
dl { display: flex; flex-wrap: wrap; gap: .6rem 2.4rem; margin: 1.2rem 0 0; }
dt { color: #6c757d; font-size: .82rem; }
dd { margin: 0; font-size: 1.25rem; font-variant-numeric: tabular-nums; }
table { border-collapse: collapse; }
th, td { padding: .32rem 1.2rem .32rem 0; text-align: left; }
thead th { border-bottom: 2px solid #212529; font-weight: 600; }
tbody tr.start td { border-top: 1px solid #dee2e6; }
tbody tr.start:first-child td { border-top: 0; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
.plots { display: flex; flex-wrap: wrap; gap: 1.2rem; align-items: flex-start; }
.plots a { flex: 0 1 auto; min-width: 0; max-width: 540px; }
.plots a.wide { max-width: 900px; }
.plots img { max-width: 100%; height: auto; }
.samples img { display: block; width: 100%; height: auto; margin: 0 0 1rem; border: 1px solid #e9ecef; }
pre { overflow-x: auto; padding: .9rem 1.1rem; border-radius: 6px; background: #f4f6f8; line-height: 1.45;
  font: 13px/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
summary { cursor: pointer; margin: 1rem 0 .5rem; color: #495057; }
"""


def page(title: str, body: Iterable[str], style: str = "") -> str:
    """Return a whole page.

    Args:
        title: plain text, for the window and bookmarks.
        body: pieces of HTML, one after the other.
        style: CSS beyond `STYLE`.
    """
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n<style>{STYLE}{style}</style>\n</head>\n<body>\n"
        + "\n".join(body)
        + "\n</body>\n</html>\n"
    )


def section(title: str, content: str, none: str) -> str:
    """Return a heading and what stands under it, or a sentence that there is none of it."""
    return f"<h2>{title}</h2>\n" + (content or f'<p class="none">{none}</p>')


def facts(items: Iterable[tuple[str, str]]) -> str:
    """Return names and values, in plain text, side by side; nothing without any."""
    shown = "".join(f"<div><dt>{html.escape(key)}</dt><dd>{html.escape(value)}</dd></div>" for key, value in items)
    return f"<dl>{shown}</dl>" if shown else ""


def table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Return an HTML table; a first cell that repeats the row above stays empty."""
    style = [' class="number"' if tables.is_number_column(row[i] for row in rows) else "" for i in range(len(header))]
    head = "".join(f"<th{kind}>{html.escape(text)}</th>" for text, kind in zip(header, style, strict=True))
    lines, last = [], None
    for row in rows:
        start, last = row[0] != last, row[0]
        texts = [tables.cell(value) if start or index else "" for index, value in enumerate(row)]
        cells = "".join(f"<td{kind}>{html.escape(text)}</td>" for text, kind in zip(texts, style, strict=True))
        lines.append(f'<tr class="start">{cells}</tr>\n' if start else f"<tr>{cells}</tr>\n")
    return f"<table><thead><tr>{head}</tr></thead><tbody>\n{''.join(lines)}</tbody></table>"
