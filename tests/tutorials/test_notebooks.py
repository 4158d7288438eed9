"""Every tutorial runs from top to bottom, and what is printed in it tells nothing of the machine it ran on."""

import json
import os
import re
import socket
from pathlib import Path

import matplotlib
import nbformat
import pytest
from nbclient import NotebookClient

from qiskit_hqnn.standin import Loopback
from qiskit_hqnn.standin.server import TOKEN
from tests.links import broken_links

FOLDER = Path(__file__).parents[2] / "docs" / "tutorials"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
TO_HARDWARE = FOLDER / "06-to-hardware.ipynb"


def _name(path):
    return path.stem


def _run(notebook, folder, variables=None):
    """A cell that raises fails the test; the notebooks assert what they claim. No account of this machine is used."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("QISKIT_IBM_")}
    environment |= {"HOME": str(folder / "home"), "MPLCONFIGDIR": matplotlib.get_cachedir()} | (
        variables or {}
    )
    (folder / "home").mkdir()
    client = NotebookClient(
        notebook, timeout=240, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    )
    client.execute(env=environment)


def _printed(notebook):
    return "".join(
        output.text
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if output.output_type == "stream"
    )


def test_the_index_lists_every_notebook():
    listed = re.findall(r"\]\(([^)]+\.ipynb)\)", (FOLDER / "README.md").read_text(encoding="utf-8"))
    assert listed == [path.name for path in NOTEBOOKS]


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=_name)
def test_runs_from_top_to_bottom(path, tmp_path):
    _run(nbformat.read(path, as_version=4), tmp_path)


@pytest.mark.slow
def test_with_an_account_the_last_part_runs_too(tmp_path):
    notebook = nbformat.read(TO_HARDWARE, as_version=4)
    (cell,) = [cell for cell in notebook.cells if 'SEND = "ibm_fez", False' in cell.source]
    cell.source = cell.source.replace('"ibm_fez", False', '"ibm_fez", True')
    with Loopback(["fez"]) as service:
        quick = {"HQNN_IBM_POLL": "0.1", "HQNN_IBM_LOOKUP": "0.1"}
        _run(notebook, tmp_path, service.environment | quick)
    printed = _printed(notebook)
    assert "600 QPU seconds are left" in printed
    assert "SKIPPED" not in printed
    assert TOKEN not in printed
    tests = json.loads((tmp_path / "runs/to-hardware/metrics.json").read_text())["test"]
    assert tests["ibm_fez"]["images"] == 20
    assert 2 < tests["ibm_fez"]["qpu_seconds"] < 20


def test_the_stored_page_on_hardware_was_run_without_an_account():
    assert "No IBM account is set up" in _printed(nbformat.read(TO_HARDWARE, as_version=4))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=_name)
def test_links_lead_to_files_and_headings(path):
    assert broken_links(path) == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=_name)
def test_is_executed_in_order_and_small(path):
    code = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert not any(output.output_type == "error" for cell in code for output in cell.outputs)
    assert path.stat().st_size < 100_000


@pytest.mark.parametrize("path", NOTEBOOKS, ids=_name)
def test_outputs_name_no_path_or_host(path):
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"/(home|root|tmp|work|Users|var)/", text)
    host = socket.gethostname()
    assert len(host) < 6 or host not in text
