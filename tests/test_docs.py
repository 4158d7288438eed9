"""What the pages say: links lead somewhere, commands, options, files and job files exist."""

import importlib
import json
import re
from functools import cache
from pathlib import Path

import pytest

from tests.data.test_own_data import write_pictures
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


def _commands():
    """(page, command line) for every `hqnn …` in a block of commands or between backticks."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        blocks = re.findall(r"```(?:sh|bash|console)?\n(.*?)```", text, flags=re.DOTALL)
        lines = [line.strip().removeprefix("$ ") for block in blocks for line in block.splitlines()]
        outside = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
        for line in [*lines, *re.findall(r"`([^`\n]+)`", outside)]:
            if re.match(r"(time )?hqnn [a-z]", line):
                yield str(page.relative_to(ROOT)), line.removeprefix("time ").split("  #")[0]


@cache
def _hqnn():
    import typer

    from qiskit_hqnn.cli.app import app

    return typer.main.get_command(app)


@pytest.mark.parametrize(("page", "line"), sorted(set(_commands())))
def test_commands_on_the_pages_exist_with_their_options(page, line):
    command, words = _hqnn(), line.split()[1:]
    while words and words[0] in getattr(command, "commands", {}):
        command = command.commands[words.pop(0)]
    if hasattr(command, "commands"):
        assert not words or words[0].startswith("-"), f"{page}: {line}"
    known = {word for parameter in command.params for word in (*parameter.opts, *parameter.secondary_opts)}
    for option in re.findall(r"(?<!\S)(--?[a-z][\w-]*)", " ".join(words)):
        assert option in known | {"--help", "-h"}, f"{page}: {line}"


def test_files_that_the_architecture_names_exist():
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    files = {path.name for path in (ROOT / "qiskit_hqnn").rglob("*.py")} | {
        path.name for path in (ROOT / "tests").rglob("*.py")
    }
    named = set(re.findall(r"(\w+\.py)`", text))
    assert len(named) > 10
    for name in named:
        assert name in files, name
    for path in re.findall(r"`([a-z_]+/[\w/]+\.py)`", text):
        assert (ROOT / "qiskit_hqnn" / path).exists() or (ROOT / path).exists(), path


OWN = """OPENQASM 3.0;
include "stdgates.inc";
input float x0;
input float x1;
input float w0;
qubit[2] q;
rx(x0) q[0];
rx(x1) q[1];
ry(w0) q[0];
cx q[0], q[1];
"""


@pytest.mark.parametrize("page", ["docs/training.md", "docs/hardware.md"])
def test_job_files_on_the_pages_are_valid(tmp_path, page):
    from qiskit_hqnn.training import read_job
    from qiskit_hqnn.training.preparation import build_model, load_splits

    blocks = re.findall(r"```toml\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), flags=re.DOTALL)
    assert blocks
    write_pictures(tmp_path / "pics", classes={"cat": 40, "dog": 120})  # the reader's own
    (tmp_path / "own.qasm").write_text(OWN, encoding="utf-8")
    for block in blocks:
        (tmp_path / "job.toml").write_text(block, encoding="utf-8")
        job = read_job(tmp_path / "job.toml")
        build_model(job, load_splits(job, tmp_path))


def test_the_readme_has_the_figures_of_the_results_file():
    """Both are of `hqnn reproduce quickstart`; a figure of another commit stands in neither."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (run, *_) = json.loads((ROOT / "docs/results/quickstart.json").read_text(encoding="utf-8"))["runs"]
    counts = f"{run['parameters']['classical']:,} + {run['parameters']['quantum']:,}"
    for place, name in (("exact", r"exact"), ("aer", r"aer, 1,000 shots")):
        result = run["test"][place]
        row = (
            rf"{result['accuracy']:.2%} +{result['loss']:.4f} +{result['macro_f1']:.4f} +{re.escape(counts)}"
        )
        assert re.search(rf"^{name} +{row.replace('%', ' %')} ", text, flags=re.MULTILINE), place


def test_the_readme_fits_on_a_few_screens_and_its_lines_of_python_run(capsys):
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) < 120
    (block,) = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    exec(compile(block, "README.md", "exec"), {})
    assert re.fullmatch(r"tensor\(\[(\d, ?\s*){31}\d\]\) \d\d QPU seconds\n", capsys.readouterr().out)


def test_the_readme_picture_shows_every_network_that_was_tested_on_the_device():
    from benchmarks.device_picture import DEVICE, ROWS, draw, first_run

    files = {
        path.stem: json.loads(path.read_text("utf-8")) for path in (ROOT / "docs/results").glob("*.json")
    }
    tested = [name for name, rows in files.items() if "runs" in rows and DEVICE in rows["runs"][0]["test"]]
    assert {files[name]["settings"]["model.name"] for name in tested} == {
        files[name]["settings"]["model.name"] for name in ROWS
    }
    lines = [line for line in draw(ROWS).axes[0].lines if line.get_marker() == "o" and len(line.get_xdata())]
    assert sorted(float(line.get_xdata()[0]) for line in lines) == pytest.approx(
        sorted(100 * first_run(name)[DEVICE]["accuracy"] for name in ROWS)
    )


def test_the_version_is_the_same_wherever_it_is_written():
    from qiskit_hqnn import __version__

    assert f"\nversion: {__version__}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    headings = re.findall(
        r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), flags=re.MULTILINE
    )
    released = [heading for heading in headings if heading != "Unreleased"]
    assert re.fullmatch(re.escape(__version__) + r", \d{1,2} [A-Z][a-z]+ 20\d\d", released[0])


def test_the_starts_on_the_page_are_those_of_the_file():
    from benchmarks.starts import table

    content = json.loads((ROOT / "docs" / "starts.json").read_text())
    assert table(content["starts"]) in (ROOT / "docs" / "performance.md").read_text()


@pytest.mark.parametrize("name", ["memory_format", "kept_memory"])
def test_a_networks_milliseconds_on_the_page_are_those_of_the_file(name):
    benchmark = importlib.import_module(f"benchmarks.{name}")
    content = json.loads((ROOT / "benchmarks" / f"{name}.json").read_text())
    assert set(content["networks"]) == set(benchmark.CASES)
    assert benchmark.table(content["networks"]) in (ROOT / "docs" / "performance.md").read_text()


def test_the_gpus_figures_on_the_page_are_those_of_the_file():
    from benchmarks.on_gpu import table

    content = json.loads((ROOT / "docs" / "gpu.json").read_text())
    assert table(content["rows"]) in (ROOT / "docs" / "performance.md").read_text()
