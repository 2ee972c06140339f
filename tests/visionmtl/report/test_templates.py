"""Templates are those that a process began with."""

import shutil

from visionmtl.report import templates


def test_a_page_is_of_the_templates_that_were_there_first(tmp_path, monkeypatch):
    web = shutil.copytree(templates.WEB, tmp_path / "web")
    (web / "plain.html").write_text("{{ title }} {{ included('page.css')|length > 0 }}")
    monkeypatch.setattr(templates, "WEB", web)
    templates._environment.cache_clear()
    try:
        first = templates.filled("plain.html", title="<b>")
        (web / "plain.html").write_text("{{ of_a_newer_version }}")  # installed while a training goes on
        (web / "page.css").unlink()
        assert templates.filled("plain.html", title="<b>") == first == "&lt;b&gt; True"
    finally:
        templates._environment.cache_clear()
