"""Markdown for people, and the same as a page: it opens from the disk and asks no network."""

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markdown_it import MarkdownIt

from sparsesum.base import files

if TYPE_CHECKING:  # the provenance page needs none
    import pandas

PAGE = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
body {{ margin: 0 auto; padding: 1.2rem; max-width: 90rem; background: #fff; color: #1b1b1b;
  font: 15px/1.5 system-ui, "DejaVu Sans", sans-serif }}
h1 {{ font-size: 1.35rem }} h2 {{ font-size: 1.1rem; margin-top: 2rem }}
p, li {{ max-width: 46rem }}
.table {{ overflow-x: auto }}
table {{ border-collapse: collapse; font-size: .87rem; font-variant-numeric: tabular-nums }}
th, td {{ padding: .3rem .7rem .3rem 0; text-align: left; vertical-align: top;
  border-bottom: 1px solid #ddd }}
th {{ border-bottom: 2px solid #1b1b1b; vertical-align: bottom }}
tr:hover td {{ background: #f3f6fa }}
td {{ min-width: 3.5rem }} td:first-child {{ white-space: nowrap }}
@media print {{ .table {{ overflow: visible }} table {{ font-size: .7rem }} }}
</style>
<body>
{body}</body>
</html>
"""


def page(text: str) -> str:
    """A page of HTML of a text in Markdown whose first line is its heading.

    Tables scroll by themselves where they are wider than the screen. HTML in the text stays text.
    """
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    rules = markdown.renderer.rules  # type: ignore[attr-defined]  # RendererHTML's
    rules["table_open"] = lambda *_: '<div class="table" tabindex="0"><table>\n'
    rules["table_close"] = lambda *_: "</table></div>\n"
    title = escape(text.splitlines()[0].lstrip("# "))
    return PAGE.format(title=title, body=markdown.render(text))


def write_table(frame: "pandas.DataFrame", text: str, output: Any) -> None:
    """Write a table as CSV, to `output.csv`, and what people read of it as `write` does.

    output: has the paths csv, markdown and page.
    """
    with files.whole(output.csv) as draft:
        frame.to_csv(draft, index=False)
    write(text, output.markdown, output.page)


def write(text: str, markdown: str | Path, html: str | Path) -> None:
    """Write a text in Markdown as it is, and as a page."""
    for path, content in ((markdown, text), (html, page(text))):
        with files.whole(path) as draft:
            draft.write_text(content, encoding="utf-8")
