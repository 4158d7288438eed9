"""Links between the pages lead somewhere."""

import json
from pathlib import Path

import pytest

from tests.links import broken_links

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    path
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "circuits").rglob("*.md")]
    if path.is_file()
)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files_and_headings(page):
    assert broken_links(page) == []


def test_a_link_that_leads_nowhere_is_found_in_pages_and_notebooks(tmp_path):
    (tmp_path / "there.md").write_text("# What it Costs\n```\n# no heading\n```\n")
    links = (
        "[a](there.md#what-it-costs) [b](there.md#no-heading) [c](gone.md) [d](https://example.org) [e]({})"
    )
    text = f"# Its own\n{links}\n"
    (tmp_path / "page.md").write_text(text.format("#its-own"))
    assert broken_links(tmp_path / "page.md") == ["there.md#no-heading", "gone.md"]
    cells = [
        {"cell_type": "markdown", "source": [text.format("#Its-own")]},
        {"cell_type": "code", "source": ["[f](gone.too)"]},
    ]
    (tmp_path / "page.ipynb").write_text(json.dumps({"cells": cells}))
    assert broken_links(tmp_path / "page.ipynb") == ["there.md#no-heading", "gone.md"]
