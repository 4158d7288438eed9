"""Links in Markdown, of pages and of notebooks: which of them lead nowhere."""

from __future__ import annotations

import json
import re
from pathlib import Path


def markdown_of(page: Path) -> str:
    """A page's Markdown without its blocks of code; of a notebook, its Markdown cells."""
    text = page.read_text(encoding="utf-8")
    if page.suffix == ".ipynb":
        cells = [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "markdown"]
        text = "\n\n".join("".join(cell["source"]) for cell in cells)
    return re.sub(r"```.*?```", "", text, flags=re.DOTALL)


def anchors_of(page: Path) -> set[str]:
    """What can stand behind # in a link to a page: its headings as GitHub turns them, in a notebook as Jupyter does."""
    headings = re.findall(r"^#+ (.+)$", markdown_of(page), flags=re.MULTILINE)
    if page.suffix == ".ipynb":
        return {heading.strip().replace(" ", "-") for heading in headings}
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(page: Path) -> list[str]:
    """Links of a page whose file, or heading in it, does not exist; addresses elsewhere are not asked."""
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", markdown_of(page)):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        file = (page.parent / name) if name else page
        headed = file.suffix in {".md", ".ipynb"}
        if not file.exists() or (anchor and headed and anchor not in anchors_of(file)):
            broken.append(target)
    return broken
