"""The Makefile's first word to a machine: which Python it takes."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
@pytest.mark.parametrize(
    ("version", "taken"), [("3, 10", False), ("3, 11", True), ("3, 13", True), ("3, 14", False)]
)
def test_make_takes_the_versions_that_the_readme_names(tmp_path, version, taken):
    """A Python that only says which version it is, in a folder from which nothing can be installed."""
    pretender = tmp_path / "python"
    asked = f'exec "{sys.executable}" -c "import sys; sys.version_info = ({version}); $2"'
    pretender.write_text(
        f'#!/bin/sh\ncase "$2" in *version_info*) {asked};; esac\n[ "$1" = --version ] || echo venv is made; exit 1\n'
    )
    pretender.chmod(0o755)
    answer = subprocess.run(
        ["make", "lint", f"PYTHON={pretender}", f"VENV={tmp_path}/none"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert answer.returncode != 0
    assert ("venv is made" in answer.stdout) == taken
    assert ("needs Python 3.11 to 3.13" in answer.stdout) != taken
