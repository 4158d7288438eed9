"""What the documentation site writes itself: commands, job files, docstrings; the pages that it leads to."""

import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
pytest.importorskip("sphinx", reason="the site's packages are not installed (extra `docs`)")
sys.path.insert(0, str(ROOT / "docs" / "_ext"))
import docstrings  # noqa: E402
import reference_pages  # noqa: E402


def test_every_command_is_on_the_page_with_its_options():
    page = reference_pages.commands()
    for heading in ("hqnn run", "hqnn jobs wait", "hqnn circuits show"):
        assert f"\n## {heading}\n" in f"\n{page}"
    run = page.partition("## hqnn run\n")[2].partition("\n## ")[0]
    assert "| `--set KEY=VALUE` | Change a setting, such as train.epochs=3. |" in run
    assert r"fake\_\<device\>" in run, "what is no markup is not read as one"
    assert "--help" not in page


def test_every_key_of_a_job_file_is_on_the_page_with_type_default_and_meaning():
    page = reference_pages.job_file()
    assert (
        r"| `train.epochs` | whole number, ≥ 1, ≤ 1,000,000 | `10` | Passes over the training images. |"
        in page
    )
    assert '| `train.optimizer` | `"adam"`, `"adamw"`, `"sgd"` | `"adam"` |' in page
    assert "| `data.name` | text | required |" in page
    assert '| `test` | list of: text, at least 1 | `["exact"]` |' in page
    for line in page.splitlines():
        if line.startswith("| `") and "model." not in line.split("|")[1]:
            assert len([cell for cell in line.split(" | ") if cell.strip(" |")]) >= 3, line
    options = page.partition('### model.name = "hqnn-parallel"')[2].partition("###")[0]
    assert "| `model.depth` | whole number | `3` |" in options


def test_a_key_without_a_meaning_is_an_error():
    from qiskit_hqnn.where import Where

    class Section:
        model_fields = {"unsaid": type("Field", (), {"annotation": int})}  # noqa: RUF012

    Section.__module__ = Where.__module__
    with pytest.raises(ValueError, match=r"Section\.unsaid has no docstring"):
        reference_pages._meanings(Section)


@pytest.mark.parametrize(
    ("line", "escaped"),
    [
        ("Of |0⟩ and `a|b`.", r"Of \|0⟩ and `a|b`."),
        ("Several `nn.Module`s.", r"Several `nn.Module`\ s."),
        ("- an item *args", r"- an item \*args"),
        (">>> 2 * 3 | 1", ">>> 2 * 3 | 1"),
    ],
)
def test_docstrings_are_plain_text_with_code(line, escaped):
    assert docstrings.escape([line]) == [escaped]


def test_the_site_has_every_page_of_the_docs():
    """By name in the index, or below a page that is."""
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    named = set(re.findall(r"^(?:.*<)?([\w./-]+?)>?$", index, flags=re.MULTILINE))
    for page in (ROOT / "docs").glob("*.md"):
        assert page.stem in named | {"index"}, f"docs/index.md lists no {page.name}"
