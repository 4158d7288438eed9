"""Every tutorial runs from top to bottom, and what is printed in it tells nothing of the machine it ran on."""

import json
import os
import re
import socket
from pathlib import Path

import matplotlib
import nbformat
import pytest

from qiskit_hqnn.standin import Loopback
from qiskit_hqnn.standin.server import TOKEN
from tests.forked import fork_commands, run_forked
from tests.links import broken_links

FOLDER = Path(__file__).parents[2] / "docs" / "tutorials"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
TO_HARDWARE = FOLDER / "06-to-hardware.ipynb"


def _name(path):
    return path.stem


def _run(cells, folder, variables=None):
    """What a notebook's cells print; one that raises fails the test, and they assert what they claim."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("QISKIT_IBM_")}
    environment |= {"HOME": str(folder / "home"), "MPLCONFIGDIR": matplotlib.get_cachedir()} | (
        variables or {}
    )
    (folder / "home").mkdir()
    code = run_forked(_run_cells, cells, folder=folder, environment=environment)
    printed = (folder / "printed").read_text()
    assert code == 0, printed
    return printed


def _run_cells(cells):
    """Cells as IPython runs them for a kernel, which shows a result in every form that it has."""
    from IPython.core.interactiveshell import InteractiveShell

    fork_commands()
    shell = InteractiveShell.instance()
    for cell in cells:
        shell.run_cell(cell, store_history=True).raise_error()


def _code(path):
    return [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


def test_the_index_lists_every_notebook():
    listed = re.findall(r"\]\(([^)]+\.ipynb)\)", (FOLDER / "README.md").read_text(encoding="utf-8"))
    assert listed == [path.name for path in NOTEBOOKS]


@pytest.mark.slow
@pytest.mark.parametrize("path", [path for path in NOTEBOOKS if path != TO_HARDWARE], ids=_name)
def test_runs_from_top_to_bottom(path, tmp_path):
    _run(_code(path), tmp_path)


SIGNED_OUT = """
for name in [name for name in os.environ if name.startswith("QISKIT_IBM_")]:
    del os.environ[name]
print("WITHOUT AN ACCOUNT")
"""


@pytest.mark.slow
def test_to_hardware_runs_with_an_account_and_its_last_part_without_one(tmp_path):
    cells = _code(TO_HARDWARE)
    (asked,) = [number for number, cell in enumerate(cells) if cell.startswith("account = ")]
    sending = [cell.replace('SEND = "ibm_fez", False', 'SEND = "ibm_fez", True') for cell in cells]
    assert sending != cells
    with Loopback(["fez"]) as service:
        quick = {"HQNN_IBM_POLL": "0.1", "HQNN_IBM_LOOKUP": "0.1"}
        printed = _run([*sending, SIGNED_OUT, *cells[asked:]], tmp_path, service.environment | quick)
    signed_in, signed_out = printed.split("WITHOUT AN ACCOUNT")
    assert "600 QPU seconds are left" in signed_in
    assert "SKIPPED" not in signed_in
    assert "SKIPPED from here on: no account answers" in signed_out
    assert "QPU seconds" not in signed_out
    assert TOKEN not in printed
    tests = json.loads((tmp_path / "runs/to-hardware/metrics.json").read_text())["test"]
    assert tests["ibm_fez"]["images"] == 20
    assert 2 < tests["ibm_fez"]["qpu_seconds"] < 20


def test_the_stored_page_on_hardware_was_run_without_an_account():
    outputs = [
        output
        for cell in nbformat.read(TO_HARDWARE, as_version=4).cells
        for output in cell.get("outputs", [])
    ]
    assert any("No IBM account is set up" in output.get("text", "") for output in outputs)


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
