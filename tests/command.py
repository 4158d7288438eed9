"""The command `hqnn` as its entry point runs it, in this process: a start of Python for each would take longer than all
that is tested.
"""

import contextlib
import io
import sys
from dataclasses import dataclass

import pytest

from qiskit_hqnn.cli.app import main


@dataclass(frozen=True)
class Answer:
    """What a command has left behind, by the names of `subprocess.CompletedProcess`."""

    returncode: int
    stdout: str
    stderr: str


def hqnn(*arguments, cwd, variables=None):
    """Run a command in a folder, on a terminal without colours that is 120 columns wide."""
    out, err = io.StringIO(), io.StringIO()
    surroundings = {"COLUMNS": "120", "NO_COLOR": "1", "TERM": "dumb"} | (variables or {})
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(cwd)
        patch.setattr(sys, "argv", ["hqnn", *map(str, arguments)])
        for name, value in surroundings.items():
            patch.setenv(name, value)
        with (
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            pytest.raises(SystemExit) as end,
        ):
            main()
    return Answer(end.value.code or 0, out.getvalue(), err.getvalue())
