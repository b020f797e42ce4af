"""Pages: what Markdown says, and nothing that it might smuggle in."""

import re

from sparsesum.pages import pages

TEXT = """\
# Results & <costs>, preset x

A note with a [link](https://example.org), **bold**.

| Model | Test |
|:------|:-----|
| m     | 0.5 ±0.1 |
| <script>alert(1)</script> | &amp; |

## How

- one
"""


def test_a_page_has_the_tables_cells_and_the_heading():
    page = pages.page(TEXT)
    assert "<title>Results &amp; &lt;costs&gt;, preset x</title>" in page
    assert re.findall(r"<td[^>]*>(.*?)</td>", page)[:2] == ["m", "0.5 ±0.1"]
    assert "<strong>bold</strong>" in page and "<li>one</li>" in page
    assert page.count("<table>") == page.count("</table></div>") == 1


def test_html_in_a_text_stays_text():
    page = pages.page(TEXT)
    assert "<script" not in page and "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_a_page_may_ask_nothing_of_a_network():
    assert "default-src 'none'" in pages.page(TEXT)


def test_both_files_are_written(tmp_path):
    pages.write(TEXT, tmp_path / "t.md", tmp_path / "t.html")
    assert (tmp_path / "t.md").read_text() == TEXT
    assert (tmp_path / "t.html").read_text() == pages.page(TEXT)
