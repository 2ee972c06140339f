"""Pages of reports, read as a browser would."""

import json
from html.parser import HTMLParser

from visionmtl import report


class Page(HTMLParser):
    """Collects pictures, cells, charts and captions, and refuses a tag that is closed out of turn."""

    def __init__(self, text):
        super().__init__()
        self.text = text
        for found in ("links", "images", "cells", "charts", "captions", "tags", "open"):
            setattr(self, found, [])
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.tags.append(tag)
        self.links += [values["href"]] if "href" in values else []
        if "src" in values:
            assert values["src"].startswith("data:image/webp;base64,")
            self.images.append(values["alt"])
        if tag in {"td", "th", "dd"}:
            self.cells.append("")
        if tag == "figcaption":
            self.captions.append("")
        if tag not in {"meta", "img"}:
            self.open.append(tag if not (tag == "script" and values.get("type")) else "data")

    def handle_endtag(self, tag):
        assert self.open.pop() in {tag, "data" if tag == "script" else tag}

    def handle_data(self, data):
        if "data" in self.open:
            self.charts.append(json.loads(data))
        elif {"td", "th", "dd"} & set(self.open):
            self.cells[-1] += data.strip()
        elif "figcaption" in self.open:
            self.captions[-1] += data


def page(run):
    """A run's page, written anew."""
    path = report.write(run)
    assert path == run / "report.html"
    shown = Page(path.read_text(encoding="utf-8"))
    assert all(link.startswith("#") for link in shown.links)
    return shown


def assert_whole(page, file, width, dark, charts):
    """Open a page in a browser: it fits the width, draws so many charts, asks for nothing and complains of nothing."""
    page.open(f"file://{file}", width, dark=dark)
    page.wait("document.querySelectorAll('.chart canvas').length === document.querySelectorAll('.chart').length")
    assert page.run("document.querySelectorAll('.chart').length") == charts
    page.run("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert page.run("document.documentElement.scrollWidth") <= width
    page.wait("[...document.images].every(each => each.complete && each.naturalWidth > 0)")
    drawn = "each.getContext('2d').getImageData(0, 0, each.width, each.height).data.some(Boolean)"
    assert page.run(f"[...document.querySelectorAll('canvas')].every(each => {drawn})")
    light = page.run("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert light is not dark
    assert page.complaints() == []
    assert [each for each in page.addresses() if each != f"file://{file}"] == []
